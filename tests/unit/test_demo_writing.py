"""The demonstration's papers are of days that have been."""

from datetime import date

import pytest

from archive.dates import parse_civil
from archive.ids import new_id
from archive.model import Category
from archive.scheme.fields import parse_fields
from runtime.demo.writing import Ground, Writer

FIELDS = [{"name": "signed", "kind": "date", "names": {"zh_CN": "签订日", "zh_TW": "簽訂日", "en": "Signed"}}]


@pytest.mark.parametrize("today", [date(2026, 2, 10), date(2026, 11, 25), date(2024, 2, 29), date(2027, 6, 1)])
def test_no_record_is_dated_after_the_day_of_its_making(today: date) -> None:
    category = Category(id=new_id(), level_rank=1, required=["signed"])
    kinds = [(category, parse_fields(FIELDS))]
    writer = Writer(seed=7, today=today)
    ground = Ground(new_id(), kinds, [(new_id(), "一期")], [new_id()])
    drafts = [writer.draft(ground, number) for number in range(1500)]
    days = [parse_civil(draft.drawn_up or "") for draft in drafts]
    assert max(day.last for day in days) <= today
    assert max(date.fromisoformat(draft.fields["signed"]) for draft in drafts) <= today
    assert today.year > 2026 or any(day.first.year == today.year for day in days)
    assert {len(day.text) for day in days} == {7, 10}
