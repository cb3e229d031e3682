"""Fifty people file at once: no number comes twice, none is left out, and none comes again after deletion."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import delete

from archive.database import once_more
from archive.model import Record
from archive.numbering.giver import give
from tests.factories.databases import patiently
from tests.factories.schemes import SchemeHouse, paper, scheme_house

pytestmark = pytest.mark.postgres

PEOPLE = 50
ROUNDS = 4


@once_more
def _file(house: SchemeHouse, count: int, level: int) -> list[str]:
    records = [paper(house, level_rank=level) for _ in range(count)]
    with house.db.writing(shared=True) as work:
        work.session.add_all(records)
        work.session.flush()
        numbers = give(work.session, records, today=date(2026, 3, 5))
        work.commit()
    return [numbers.archive[record.id] for record in records]


def test_fifty_people_filing_at_once(tmp_path: Path) -> None:
    house = scheme_house(tmp_path)
    together = Barrier(PEOPLE)

    def work(person: int) -> list[str]:
        together.wait()
        sizes = [1 + (person + turn) % 3 for turn in range(ROUNDS)]
        return [n for size in sizes for n in patiently(partial(_file, house, size, 1 + person % 2))]

    with ThreadPoolExecutor(PEOPLE) as pool:
        numbers = [n for given in pool.map(work, range(PEOPLE)) for n in given]
    assert len(numbers) == len(set(numbers))
    for mark in "AB":
        serials = sorted(int(n[-4:]) for n in numbers if n[-5] == mark)
        assert serials == list(range(1, len(serials) + 1))
    with house.db.writing() as unit:
        unit.session.execute(delete(Record))
        unit.commit()
    assert not set(_file(house, 20, 1)) & set(numbers)
