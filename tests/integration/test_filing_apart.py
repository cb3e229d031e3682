"""One record that cannot be numbered holds up no other."""

import pytest
from sqlalchemy import select

from archive.cataloguing.describing import Draft
from archive.identity import system
from archive.model import Category
from tests.factories.archives import Archive

pytestmark = pytest.mark.postgres


def test_a_category_without_a_rule_holds_up_no_other_record(archive: Archive) -> None:
    parts = archive.parts()
    with parts.db.writing() as work:
        roots = work.session.scalars(select(Category).where(Category.code.in_(("WYYZ", "WYH"))).order_by(Category.code))
        bare, ruled = roots.all()
        bare.number_rule_id = None
        work.commit()
    wanted = [Draft(ruled.fonds_id, each.id, "件", drawn_up="2024-03-05") for each in (ruled, bare, ruled)]
    ids = parts.records.create_many(system("test"), wanted)
    first, second, third = parts.filing.file(system("test"), ids)
    assert (first.reason, second.reason, third.reason) == (None, "no_number_rule", None)
    assert first.archive_number
    assert third.archive_number
    assert first.archive_number != third.archive_number
