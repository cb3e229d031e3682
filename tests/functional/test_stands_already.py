"""Who adds what is there already is told that it is there, and by which field; nobody is said to have changed it."""

from collections.abc import Callable
from typing import Any

import pytest

from archive.errors import Conflict, InUse, StandsAlready
from archive.identity import system
from archive.model import PlaceKind
from runtime.wiring.parts import Parts
from tests.factories.archives import Archive
from web.words import LOCALES
from web.words.faults import explain, status_of

OPERATOR = system("operator")
NAMES = {"zh_CN": "甲", "zh_TW": "甲", "en": "A"}
RULE = "{fonds}-{mark}{serial:4}"


@pytest.fixture(scope="module")
def parts(archive_template: Archive, tmp_path_factory: pytest.TempPathFactory) -> Parts:
    return archive_template.copy(tmp_path_factory.mktemp("house") / "archive").parts()


def _fonds(parts: Parts) -> Any:
    return parts.fonds.add(OPERATOR, "F1", NAMES)


ADD: dict[str, tuple[str, Callable[[Parts], Any]]] = {
    "fonds": ("a fonds of this code", _fonds),
    "department": ("a department of this code", lambda p: p.organisation.add_department(OPERATOR, "D1", NAMES)),
    "post": ("a post of this code", lambda p: p.organisation.add_post(OPERATOR, "P1", NAMES)),
    "rule": ("a number rule of this code", lambda p: p.scheme.add_rule(OPERATOR, "r1", NAMES, RULE)),
}


@pytest.mark.parametrize("kind", ADD)
def test_adding_twice_says_that_it_is_there_and_by_which_field(parts: Parts, kind: str) -> None:
    words, add = ADD[kind]
    add(parts)
    with pytest.raises(StandsAlready) as refused:
        add(parts)
    assert refused.value.facts["field"] == "code"
    assert status_of(refused.value) == 409
    assert explain(refused.value, "en")[0] == f"There is {words} already."
    for locale in LOCALES:
        told = " ".join(explain(refused.value, locale))
        assert not any(changed in told for changed in ("Someone changed", "有人", "…"))


def test_a_place_that_stands_or_that_others_hang_on_says_so(parts: Parts) -> None:
    fonds = parts.fonds.add(OPERATOR, "F2", NAMES)
    project = parts.places.add(OPERATOR, fonds, kind=PlaceKind.PROJECT, code="A001", names=NAMES)
    with pytest.raises(StandsAlready) as refused:
        parts.places.add(OPERATOR, fonds, kind=PlaceKind.PROJECT, code="A001", names=NAMES)
    assert explain(refused.value, "zh_CN")[0] == "已有同级同代码的位置。"
    parts.places.add(OPERATOR, fonds, kind=PlaceKind.BUILDING, code="01", names=NAMES, parent_id=project)
    with pytest.raises(InUse) as used:
        parts.places.change(OPERATOR, project, version=1, code="A002")
    assert explain(used.value, "en")[0] == "Others hang on this place, so it stays as it is."


def test_a_row_that_changed_since_is_still_told_as_changed(parts: Parts) -> None:
    fonds = parts.fonds.add(OPERATOR, "F3", NAMES)
    with pytest.raises(Conflict) as refused:
        parts.fonds.rename(OPERATOR, fonds, NAMES, version=7)
    assert explain(refused.value, "en")[0] == "Someone changed this while you had it open."
