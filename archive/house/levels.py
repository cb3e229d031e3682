"""Secrecy levels: the shipped namings, the choice at set-up, and how a level is shown.

Every level is commercial secrecy; the system is not one approved for state secrets, and each mark says so first.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.errors import Fault, InvalidInput, StandsAlready
from archive.model import Level, NeedToKnowGroup
from archive.scheme.fields import check_names
from archive.scheme.shipped import document

MOST_YEARS = 100
"""The longest that a level's records are secret at once."""

_MARK = re.compile(r"[A-Z]{1,2}")


@dataclass(frozen=True)
class Naming:
    """A set of levels under one way of naming them, lowest first."""

    code: str
    names: Mapping[str, str]
    levels: tuple[Mapping[str, Any], ...]


def namings() -> Sequence[Naming]:
    """Return the shipped namings."""
    return [
        Naming(each["code"], each["names"], tuple(sorted(each["levels"], key=lambda level: int(level["rank"]))))
        for each in document("levels")["namings"]
    ]


def choose(session: Session, naming: str | Naming) -> Sequence[Level]:
    """Make the house's levels from a naming (by code, or a house's own), once, at set-up.

    Raises:
        InvalidInput: there is no such naming, or one of its levels is at fault.
        StandsAlready: the house has levels already.
    """
    if isinstance(naming, str):
        found = next((each for each in namings() if each.code == naming), None)
        if found is None:
            raise InvalidInput(Fault("naming", "unknown", {"known": [each.code for each in namings()]}))
        naming = found
    faults = _faults(naming)
    if faults:
        raise InvalidInput(*faults)
    if session.scalar(select(Level.rank).limit(1)) is not None:
        raise StandsAlready(what="levels", field="levels")
    rows = [
        Level(
            rank=each["rank"],
            code=each["code"],
            names=dict(each["names"]),
            number_mark=each["number_mark"],
            symbol=each["symbol"],
            secrecy_months=each["years"] * 12 if each.get("years") else None,
        )
        for each in naming.levels
    ]
    session.add_all(rows)
    session.flush()
    return rows


def every(session: Session) -> Sequence[Level]:
    """Return the house's levels, lowest first."""
    return session.scalars(select(Level).order_by(Level.rank)).all()


class Named(Protocol):
    """A level, as a row or as a page shows it."""

    @property
    def names(self) -> Mapping[str, str]:
        """What the house calls it."""
        ...


def mark(level: Named, locale: str = "zh_CN") -> str:
    """Return the mark as it is shown and printed: as the house wrote it, then in another language of who reads it.

    For example 商业秘密·绝密, 商业秘密·绝密（商業秘密·絕密） or "商业秘密·绝密 (Commercial secret · Top)".
    """
    own = _marked(level, "zh_CN")
    if locale == "zh_CN":
        return own
    return f"{own}（{_marked(level, locale)}）" if locale.startswith("zh") else f"{own} ({_marked(level, locale)})"


def _marked(level: Named, locale: str) -> str:
    prefix = document("levels")["prefix"]
    joint = "·" if locale.startswith("zh") else " · "
    return f"{prefix.get(locale, prefix['zh_CN'])}{joint}{level.names.get(locale) or level.names['zh_CN']}"


def check_number_mark(session: Session, text: str, field: str = "number_mark") -> str:
    """Return a mark that a new need-to-know group may have: one or two capital letters that nothing else has.

    Raises:
        InvalidInput: ``bad_mark`` or ``mark_taken`` of ``field``.
    """
    if not _MARK.fullmatch(text):
        raise InvalidInput(Fault(field, "bad_mark"))
    taken = select(Level.number_mark).union(select(NeedToKnowGroup.number_mark))
    if text in session.scalars(taken).all():
        raise InvalidInput(Fault(field, "mark_taken"))
    return text


def _faults(naming: Naming) -> list[Fault]:
    """A mark of letters keeps numbers apart from their serials, and must be no level's name in short."""
    faults: list[Fault] = []
    for n, each in enumerate(naming.levels):
        at = f"levels[{n}]"
        faults += check_names(each.get("names"), f"{at}.names")
        if not isinstance(each.get("rank"), int) or not 1 <= each["rank"] <= 99:
            faults.append(Fault(f"{at}.rank", "out_of_range", {"low": 1, "high": 99}))
        if not _MARK.fullmatch(str(each.get("number_mark"))):
            faults.append(Fault(f"{at}.number_mark", "bad_mark"))
        if not isinstance(each.get("years", 1), int) or not 1 <= each.get("years", 1) <= MOST_YEARS:
            faults.append(Fault(f"{at}.years", "out_of_range", {"low": 1, "high": MOST_YEARS}))
        if not 1 <= len(str(each.get("symbol", ""))) <= 4:
            faults.append(Fault(f"{at}.symbol", "required"))
    for key in ("rank", "code", "number_mark"):
        if len({each.get(key) for each in naming.levels}) < len(naming.levels):
            faults.append(Fault(f"levels.{key}", "repeated"))
    return faults or ([] if naming.levels else [Fault("levels", "required")])
