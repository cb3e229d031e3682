"""What the check of a spreadsheet says would come in is exactly what comes in, for random rows."""

import random
from pathlib import Path

import pytest
from sqlalchemy import select

from archive.model import SheetRow
from tests.factories.web_house import a_web_house

CELLS = {
    "title": ["", "合同", "x" * 2001, "=1+1"],
    "drawn_up": ["", "2024", "2024-2-30", "113/3/5", "明天"],
    "level": ["", "1", "4", "9", "乱写"],
    "department": ["", "OFFICE", "NONE"],
    "place": ["", "A01", "A99"],
    "pages": ["", "3", "-1", "三"],
    "f.phone": ["", "13800138000", "1"],
    "f.form": ["", "新签", "旧签"],
}


@pytest.mark.parametrize("login", ["archivist", "clerk"])
def test_the_check_and_the_bringing_in_agree(tmp_path: Path, login: str) -> None:
    chosen = random.Random(20261126)
    with a_web_house(tmp_path) as house:
        who = house.services.people.identity_of(login)
        rows = [
            [chosen.choice([cells[0], *cells[1:2] * 8, *cells]) for cells in CELLS.values()] + ["end"]
            for _ in range(150)
        ]
        bringing = house.services.bringing
        key = bringing.begin(who, "目录.csv", house.category.id, [("", [[*CELLS, "end"], *rows])])
        bringing.set_columns(who, key, [*CELLS, ""])
        checked = bringing.check(who, key)
        good = {each.row.number for each in checked if not each.faults}
        assert 10 < len(good) < 150
        bringing.start(who, key)
        house.bring_in()
        with house.services.db.reading() as session:
            assert set(session.scalars(select(SheetRow.row))) == good
