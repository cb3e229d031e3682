"""The bin keeps what was thrown away before filing for 30 days, then lets it go for good."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from archive.cataloguing.describing import Draft
from archive.clock import SystemClock
from archive.identity import system
from archive.model import AlikeRecord, Category, Content, File, JobKind, OwnerKey, Proposal, Record, RecordState
from tests.factories.archives import Archive
from tests.fakes.clock import FixedClock

WHO = system("test")


def test_only_what_lay_in_the_bin_for_thirty_days_goes_and_goes_whole(archive: Archive) -> None:
    clock = FixedClock(SystemClock().now())
    parts = archive.parts(clock)

    def thrown_away(name: str) -> UUID:
        with parts.db.reading() as session:
            category = session.scalars(select(Category).where(Category.code == "WYYZ")).one()
        key = parts.records.create(WHO, Draft(category.fonds_id, category.id, name, drawn_up="2024-03-05"))
        parts.intake.receive(WHO, key, f"{name}.txt", [name.encode()])
        with parts.db.reading() as session:
            version = session.get_one(Record, key).version
        parts.records.bin(WHO, key, version)
        return key

    def emptied() -> None:
        with parts.db.writing() as work:
            parts.outbox.add(work, JobKind.EMPTY_BIN)
            work.commit()
        assert parts.runner.run(JobKind.EMPTY_BIN) == 1

    old = thrown_away("旧")
    with parts.db.reading() as session:
        category = session.scalars(select(Category).where(Category.code == "WYYZ")).one()
    stays = parts.records.create(WHO, Draft(category.fonds_id, category.id, "旧", drawn_up="2024-03-05"))
    with parts.db.reading() as session:
        assert session.get(AlikeRecord, (stays, old)) is not None
    with parts.db.writing() as work:
        content = work.session.scalars(select(Content.id).where(Content.record_id == old)).one()
        work.session.add(Proposal(content_id=content, field="title", sealed=b"sealed"))
        work.commit()
    clock.moment += timedelta(days=29)
    young = thrown_away("新")
    emptied()
    with parts.db.reading() as session:
        assert session.get(Record, old) is not None

    clock.moment += timedelta(days=1)
    emptied()
    with parts.db.reading() as session:
        assert session.get(Record, old) is None
        assert session.get(OwnerKey, old) is None
        assert session.get(AlikeRecord, (stays, old)) is None
        for table in (File, Content):
            assert session.scalars(select(table).where(table.record_id == old)).all() == []
        assert session.scalars(select(Proposal).where(Proposal.content_id == content)).all() == []
        assert session.get_one(Record, young).state is RecordState.BINNED
        filed = select(Record).where(Record.state == RecordState.FILED)
        assert session.scalars(filed).all()
