"""A house moves from the embedded parts to PostgreSQL, MinIO and Elasticsearch, and back, on the real servers.

One test of three moves: each needs what the last one made, and a house takes seconds to make.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from archive.errors import WrongState
from archive.ids import new_id
from archive.model import Content, Hold, HoldKind, HoldRecord, JobKind, Record, RecordState
from runtime.cli.move import target_of
from runtime.fsck import fsck
from runtime.moving.closure import moving_parts
from runtime.moving.house import HouseMove
from runtime.setting_up.making import require_ready
from runtime.settings import Settings, load
from runtime.wiring.parts import Parts
from tests.factories import elastic, minio_server, postgres
from tests.factories.archives import Archive
from tests.factories.databases import ONLY_POSTGRES

pytestmark = [pytest.mark.postgres, ONLY_POSTGRES]


def moved(source: Settings, target: Settings) -> dict[str, Any]:
    parts = moving_parts(source, source)
    try:
        return HouseMove(parts, target, live=True).run()
    finally:
        parts.close()


def shown(settings: Settings) -> set[tuple[Any, ...]]:
    """Return what the house holds; all its invariants must hold."""
    require_ready(settings)
    parts = moving_parts(settings, settings)
    try:
        assert not fsck(parts).violations
        with parts.db.reading() as session:
            rows = session.execute(select(Record.title, Record.archive_number, Content.plain_sha256).outerjoin(Content))
            return {tuple(row) for row in rows}
    finally:
        parts.close()


def test_to_the_servers_and_back_nothing_is_lost(archive: Archive, tmp_path: Path) -> None:
    access, prefix = minio_server.needed(), elastic.new_prefix()
    own = {"JUANKU_KEYS": str(archive.keys), "JUANKU_OCR": "none"}
    embedded = load(own | {"JUANKU_HOME": str(tmp_path / "embedded")})
    servers = load(
        own
        | {
            "JUANKU_HOME": str(tmp_path / "servers"),
            "JUANKU_DATABASE_URL": postgres.bare(tmp_path / "servers"),
            "JUANKU_STORE_URL": f"s3+http://{access.endpoint}/{minio_server.a_bucket(access)}",
            "JUANKU_STORE_KEY": access.key,
            "JUANKU_STORE_SECRET": access.secret,
            "JUANKU_SEARCH_URL": elastic.server(),
            "JUANKU_SEARCH_PREFIX": prefix,
        }
    )
    home_again = load(own | {"JUANKU_HOME": str(tmp_path / "again")})
    before = shown(archive.settings)
    assert before
    hold_one(archive.parts())
    archive.close()
    try:
        for source, target in ((archive.settings, embedded), (embedded, servers), (servers, home_again)):
            report = moved(source, target)
            assert report["parts"] == ["database", "store", "index"]
            assert report["index_caught_up"] == 0, "it was built while the house was open, and nothing changed since"
            assert report["objects"]["copied_now"] == report["objects"]["count"] > 0
            assert shown(target) == before
            if target is servers:
                assert on_store(target) == {(True, True)}, "the new bucket was told of the hold, and of locks"
    finally:
        elastic.sweep(prefix)


def hold_one(parts: Parts) -> None:
    """Have one record under a hold that the store was told of, and lock what is filed."""
    now, person = parts.clock.now(), parts.people.identity_of("archivist").person_id
    with parts.db.writing() as work:
        record = work.session.scalars(select(Content.record_id).order_by(Content.id)).first()
        hold = Hold(
            id=new_id(), kind=HoldKind.RECORD, covers={"id": str(record)}, name="诉讼", reason="诉讼中",
            authority="法务", review_on=now.date(), placed_by=person, placed_at=now, swept_at=now,
        )  # fmt: skip
        work.session.add(hold)
        work.session.flush()
        work.session.add(HoldRecord(hold_id=hold.id, record_id=record, since=now, on_store=True))
        work.session.execute(update(Content).values(locked_until=now + timedelta(days=3000)))
        work.session.execute(update(Record).where(Record.id == record).values(state=RecordState.FILED, filed_at=now))
        work.commit()


def on_store(settings: Settings) -> set[tuple[bool, bool]]:
    """Run the jobs that were asked for; return whether the bucket holds and locks each object of what is held."""
    parts = moving_parts(settings, settings)
    try:
        for kind in (JobKind.LOCK, JobKind.HOLD):
            parts.runner.run(kind)
        with parts.db.reading() as session:
            query = select(Content.object_key, Content.store_version)
            rows = session.execute(query.join(HoldRecord, HoldRecord.record_id == Content.record_id)).all()
        store: Any = parts.store
        return {(store.held(*row), store.locked_until(*row) is not None) for row in rows}
    finally:
        parts.close()


def only(source: Settings, part: str, file: Path, **lines: str) -> Settings:
    """Move one part alone, as ``juanku move --only`` does; return the settings of the house afterwards."""
    file.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    target = target_of(source, file, part)
    report = moved(source, target)
    assert report["parts"] == [part]
    return target


def test_the_database_alone_and_then_the_index_alone(archive: Archive, tmp_path: Path) -> None:
    file, prefix = tmp_path / "new.env", elastic.new_prefix()
    before = shown(archive.settings)
    embedded = only(archive.settings, "database", file, JUANKU_DATABASE_URL=f"sqlite:///{tmp_path / 'juanku.db'}")
    assert shown(embedded) == before
    server = only(embedded, "database", file, JUANKU_DATABASE_URL=postgres.bare(tmp_path / "server"))
    assert shown(server) == before
    for left in (archive.settings, embedded):
        with pytest.raises(WrongState, match="moved"):
            require_ready(left)
    try:
        found = only(server, "index", file, JUANKU_SEARCH_URL=elastic.server(), JUANKU_SEARCH_PREFIX=prefix)
        assert shown(found) == before
        assert shown(server) == before, "the old index stays, and the house is open with it"
        parts = moving_parts(found, found)
        assert parts.engine.about()["engine"] == "elasticsearch"
        assert parts.search.search(parts.people.identity_of("archivist"), "").total > 0
        parts.close()
    finally:
        elastic.sweep(prefix)
