"""Many people at few papers at once: each paper is with one person, whoever else stands at the counter."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import select

from archive.errors import ArchiveError
from archive.identity import Identity, Role
from archive.loans.asking import Wish
from archive.model import Copy, Department, Loan, LoanForm, LoanState, Post
from tests.factories import people as rights
from tests.factories.databases import patiently
from tests.factories.lending import LendingHouse, a_lending_house

pytestmark = pytest.mark.postgres

PEOPLE, PAPERS = 50, 20


def borrowers(house: LendingHouse) -> list[Identity]:
    with house.db.writing() as work:
        session = work.session
        post = session.scalars(select(Post).where(Post.code == "staff")).one()
        department = session.scalars(select(Department).where(Department.code == "ENG")).one()
        everyone = []
        for n in range(PEOPLE):
            person = rights.a_person(session, f"reader{n}", clearance=1)
            rights.holds_post(session, person, post, department)
            rights.grants(session, person, fonds=house.category.fonds_id)
            everyone.append(Identity(person.login, person.id, frozenset({Role.STAFF})))
        work.commit()
    return everyone


def test_many_borrowers_at_few_papers_at_once(tmp_path: Path) -> None:
    with a_lending_house(tmp_path) as house:
        readers, papers = borrowers(house), [house.record() for _ in range(PAPERS)]
        together = Barrier(PEOPLE)

        def borrow(n: int) -> bool:
            together.wait()
            wish = Wish(form=LoanForm.OUT, purpose="work", words="查阅")
            asked = patiently(lambda: house.lending.requests.ask(readers[n], papers[n % PAPERS], wish))
            loan = house.loan(asked)
            patiently(lambda: house.decide("archivist" if n % 2 else "archivist2", loan))
            try:
                patiently(lambda: house.issue(loan))
            except ArchiveError:
                return False  # someone else has it, or comes first
            return True

        with ThreadPoolExecutor(PEOPLE) as pool:
            issued = list(pool.map(borrow, range(PEOPLE)))
        with house.db.reading() as session:
            loans = session.scalars(select(Loan)).all()
            held = dict(session.execute(select(Copy.id, Copy.holder_id)).all())
        out = [each for each in loans if each.state is LoanState.OPEN]
        assert len({each.number for each in loans}) == PEOPLE
        assert sum(issued) == len(out) > 0
        assert set(Counter(each.copy_id for each in out).values()) == {1}
        assert {each.copy_id: each.borrower_id for each in out} == {key: who for key, who in held.items() if who}
