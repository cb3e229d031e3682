"""Pages of one loan asked for by many at once: no more are shown than it allows, and each mark is one alone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from archive.errors import LimitReached, NotFound
from archive.ids import new_id
from archive.loans import rules
from archive.loans.asking import Wish
from archive.loans.marking import Mark
from archive.model import AccessGrant, Content, ContentState, CopyMark, File, LoanForm, Medium, RuleBook
from archive.purging import remove_records
from tests.factories.databases import patiently
from tests.factories.lending import LendingHouse, a_lending_house

pytestmark = pytest.mark.postgres

PAGES, ALLOWED = 8, 3


def a_content(house: LendingHouse, record: UUID) -> UUID:
    with house.db.writing() as work:
        file = File(id=new_id(), record_id=record, name="合同.pdf")
        content = Content(
            id=new_id(), file_id=file.id, record_id=record, object_key=new_id().hex, state=ContentState.STORED,
            created_at=house.clock.now(), pages=PAGES, media_type="application/pdf",
        )  # fmt: skip
        work.session.add(file)
        work.session.flush()
        work.session.add(content)
        work.commit()
        return content.id


def test_no_more_pages_are_shown_than_the_loan_allows(tmp_path: Path) -> None:
    with a_lending_house(tmp_path) as house:
        record = house.record(medium=Medium.ELECTRONIC)
        content = a_content(house, record)
        low, marking = house.who["low"], house.lending.marking
        with house.db.writing() as work:
            work.session.execute(delete(AccessGrant).where(AccessGrant.person_id == low.person_id))
            work.commit()
        source = rules.SHIPPED.replace("  pages: 500", f"  pages: {ALLOWED}")
        house.lending.books.keep(house.who["archivist"], RuleBook.LOANS, source, "限额", version=0)
        wish = Wish(form=LoanForm.SCREEN, purpose="work", words="核对条款", days=3)
        loan = house.loan(house.lending.requests.describe(low, "电梯维修的请示", wish))
        house.lending.requests.found(house.who["archivist"], loan.approval_id, record)
        house.decide("archivist", loan)
        together = Barrier(PAGES)

        def look(page: int) -> Mark | dict[str, object] | None:
            together.wait()
            try:
                return patiently(lambda: marking.seen(low, content, page))
            except LimitReached as error:
                return error.facts

        with ThreadPoolExecutor(PAGES) as pool:
            answers = list(pool.map(look, range(1, PAGES + 1)))
        seen = [each for each in answers if isinstance(each, Mark)]
        assert {each.loan for each in seen} == {loan.number}
        refused = {"what": "pages", "limit": ALLOWED, "loan": loan.number}
        assert [each for each in answers if not isinstance(each, Mark)] == [refused] * (PAGES - ALLOWED)
        numbers = [each.number for each in seen]
        assert len(numbers) == len(set(numbers)) == ALLOWED
        used = marking.used(low, record)
        assert used is not None
        assert (used.pages, used.most_pages) == (ALLOWED, ALLOWED)
        house.clock.moment += timedelta(hours=1)
        with house.db.reading() as session:
            first = session.scalars(select(CopyMark.first)).all()[0]
        again = marking.seen(low, content, first)
        assert again is not None
        assert again.number not in numbers, "what was seen may be seen again, under a mark of its time"

        house.lending.counter.recall(house.who["archivist"], loan.id)
        with pytest.raises(NotFound):
            marking.seen(low, content, first)
        assert marking.seen(house.who["archivist"], content, 1) is None
        with house.db.writing() as work:
            remove_records(work.session, [record])
            work.commit()
            assert work.session.scalars(select(CopyMark)).all() == [], "a mark goes with its record"
