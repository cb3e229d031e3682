"""Both namings of the seeds ship; every mark says it is a commercial secret."""

import pytest

from archive.database import Database
from archive.errors import Conflict, InvalidInput
from archive.house.levels import Naming, check_number_mark, choose, every, mark, namings


@pytest.mark.parametrize(
    ("naming", "names"),
    [
        ("grades", ["内部", "秘密", "机密", "绝密"]),
        ("numbered", ["普通四级", "保密三级", "机密二级", "绝密一级"]),
    ],
)
def test_a_house_chooses_its_naming_once(db: Database, naming: str, names: list[str]) -> None:
    with db.writing() as work:
        choose(work.session, naming)
        assert [level.names["zh_CN"] for level in every(work.session)] == names
        with pytest.raises(Conflict):
            choose(work.session, naming)


def test_the_mark_stands_as_the_house_wrote_it_then_in_the_readers_language(db: Database) -> None:
    with db.writing() as work:
        top = choose(work.session, "grades")[-1]
    shown = [mark(top, locale) for locale in ("zh_CN", "zh_TW", "en")]
    assert shown == ["商业秘密·绝密", "商业秘密·绝密（商業秘密·絕密）", "商业秘密·绝密 (Commercial secret · Top)"]


def test_number_marks_are_letters_that_nothing_else_has(db: Database) -> None:
    with db.writing() as work:
        choose(work.session, "grades")
        assert check_number_mark(work.session, "Q") == "Q"
        for text, code in (("A", "mark_taken"), ("A1", "bad_mark"), ("密", "bad_mark"), ("", "bad_mark")):
            with pytest.raises(InvalidInput) as refused:
                check_number_mark(work.session, text)
            assert refused.value.faults[0].code == code


def test_a_naming_with_two_equal_marks_is_refused(db: Database) -> None:
    levels = tuple({**each, "number_mark": "A"} for each in namings()[0].levels)
    with db.writing() as work, pytest.raises(InvalidInput):
        choose(work.session, Naming("own", {"zh_CN": "自定"}, levels))
