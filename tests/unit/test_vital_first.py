"""What must be safe first is copied first, and comes back first: vital, then kept for good, each by secrecy."""

from datetime import date

from archive.database import Database
from archive.ids import new_id
from archive.model import Content, ContentState, File
from storage.contents import items_of
from tests.factories import records as rows
from tests.factories.people import NOW


def test_vital_records_come_before_permanent_ones_and_these_before_secret_ones_and_the_rest(db: Database) -> None:
    with db.writing() as work:
        session = work.session
        rows.a_house(session)
        category = rows.a_category(session, rows.a_fonds(session))
        session.flush()
        marked = date(2027, 1, 1)
        for key, term, level, review in (
            ("plain", "D10", 1, None),
            ("secret", "D30", 4, None),
            ("permanent", "Y", 1, None),
            ("vital", "D10", 1, marked),
            ("secret vital", "D10", 4, marked),
        ):
            record = rows.a_record(session, category, level=level)
            record.term, record.vital_review = term, review
            session.flush()
            file = File(id=new_id(), record_id=record.id, name="a.txt")
            session.add(file)
            session.flush()
            content = Content(
                id=new_id(), file_id=file.id, record_id=record.id, state=ContentState.STORED, object_key=key,
                store_version="v", created_at=NOW,
            )  # fmt: skip
            session.add(content)
        work.commit()
    with db.reading() as session:
        assert [item.key for item in items_of(session)] == ["secret vital", "vital", "permanent", "secret", "plain"]
