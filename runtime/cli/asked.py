"""What the commands that set a house up share: who acts, names in three languages, and finding things by code.

Whatever cannot be found is a fault of the argument or option that named it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.accounts import folded
from archive.clock import SystemClock
from archive.closing import house_day, is_closed
from archive.errors import Fault, InvalidInput, StandsAlready
from archive.house.places import STEPS, PlaceRules
from archive.identity import Identity, system
from archive.model import Category, Department, Fonds, Person, Place, Post
from archive.scheme.document import Scheme, load
from archive.scheme.shipped import SCHEMES, scheme
from runtime.cli.common import opened
from runtime.processes.working import work_done
from runtime.wiring.parts import Parts

OPERATOR: Identity = system("operator")
"""Who sets a house up from the command line, in the log."""

DAY = click.DateTime(["%Y-%m-%d"])
"""A civil day as an option's value."""

Row = TypeVar("Row", Fonds, Department, Post)


@contextmanager
def acting() -> Iterator[Parts]:
    """Open the archive for an act; its jobs and the log's seal follow before it is closed."""
    with opened() as parts, work_done(parts, wait=False):
        yield parts


def with_names(made: click.Command) -> click.Command:
    """Give a command the options ``--name``, ``--name-tw`` and ``--name-en``."""
    for option in (
        click.option("--name-en", default=None, help="The name in English."),
        click.option("--name-tw", default=None, help="The name in the traditional Chinese of Taiwan."),
        click.option("--name", required=True, help="The name in simplified Chinese."),
    ):
        made = option(made)
    return made


def names_of(name: str, name_tw: str | None, name_en: str | None) -> dict[str, str]:
    """Return names by language, without those that were not given."""
    given = {"zh_CN": name, "zh_TW": name_tw, "en": name_en}
    return {language: text.strip() for language, text in given.items() if text and text.strip()}


def with_days(made: click.Command) -> click.Command:
    """Give a command the options ``--since`` and ``--until``."""
    made = click.option("--until", type=DAY, default=None, help="To this day (YYYY-MM-DD), included.")(made)
    return click.option("--since", type=DAY, default=None, help="From this day (YYYY-MM-DD).")(made)


def day(moment: datetime | None) -> date | None:
    """Return the civil day that was given, if any."""
    return None if moment is None else moment.date()


def pairs(texts: Sequence[str], field: str) -> dict[str, str]:
    """Read ``NAME=VALUE`` arguments.

    Raises:
        InvalidInput: one is no pair, or a name stands twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name.strip():
            raise InvalidInput(Fault(field, "not_a_pair", {"value": text[:100]}))
        if name.strip() in found:
            raise InvalidInput(Fault(name.strip()[:40], "repeated"))
        found[name.strip()] = value
    return found


def by_code(session: Session, kind: type[Row], field: str, code: str) -> Row:
    """Return a fonds, department or post. Raises ``InvalidInput`` of ``field`` when there is none of this code."""
    row = session.scalars(select(kind).where(kind.code == code)).one_or_none()
    if row is None:
        raise InvalidInput(Fault(field, "unknown", {"value": code[:40]}))
    return row


def open_fonds(session: Session, code: str) -> Fonds:
    """Return a fonds that is not closed. Raises ``InvalidInput`` of ``fonds``."""
    row = by_code(session, Fonds, "fonds", code)
    if is_closed(row.closed_on, house_day(session, SystemClock().now())):
        raise InvalidInput(Fault("fonds", "fonds_closed", {"fonds": code}))
    return row


def person(session: Session, login: str) -> Person:
    """Return an account, open or closed. Raises ``InvalidInput`` of ``login``."""
    row = session.scalars(select(Person).where(Person.login == folded(login))).one_or_none()
    if row is None:
        raise InvalidInput(Fault("login", "unknown", {"value": login[:64]}))
    return row


def category(session: Session, text: str) -> Category:
    """Return the category of ``FONDS:CODE``. Raises ``InvalidInput`` of ``fonds`` or ``category``."""
    code, separator, wanted = text.partition(":")
    if not separator:
        raise InvalidInput(Fault("category", "needs_fonds", {"value": text[:60]}))
    fonds = by_code(session, Fonds, "fonds", code)
    query = select(Category).where(Category.fonds_id == fonds.id, Category.code == wanted)
    row = session.scalars(query).one_or_none()
    if row is None:
        raise InvalidInput(Fault("category", "unknown", {"value": text[:60]}))
    return row


def place(session: Session, rules: PlaceRules, text: str) -> Place:
    """Return the place of ``FONDS:PATH``. Raises ``InvalidInput`` of ``fonds`` or ``place``."""
    code, separator, path = text.partition(":")
    if not separator:
        raise InvalidInput(Fault("place", "needs_fonds", {"value": text[:60]}))
    fonds = by_code(session, Fonds, "fonds", code)
    wanted = "".join(f"{step}/" for step in steps(rules, path))
    row = session.scalars(select(Place).where(Place.fonds_id == fonds.id, Place.path == wanted)).one_or_none()
    if row is None:
        raise InvalidInput(Fault("place", "unknown", {"value": text[:60]}))
    return row


def steps(rules: PlaceRules, path: str, types: Sequence[str] = ()) -> list[str]:
    """Return the codes of a path in their full width, from the project down.

    Raises:
        InvalidInput: the path has no step or too many, or a code has the wrong form.
    """
    codes = [code for code in path.split("/") if code.strip()]
    if not 1 <= len(codes) <= len(STEPS):
        raise InvalidInput(Fault("place", "wrong_depth", {"value": path[:60], "limit": len(STEPS)}))
    return [rules.check_code(kind, code, types) for kind, code in zip(STEPS, codes, strict=False)]


def scheme_of(text: str) -> Scheme:
    """Return a shipped scheme by its name, or the checked one of a file.

    Raises:
        InvalidInput: there is no such file, or every fault of the document, each naming its path in it.
    """
    if text in SCHEMES:
        return scheme(text)
    source = Path(text)
    if not source.is_file():
        raise InvalidInput(Fault("scheme", "no_such_scheme", {"value": text[:200], "known": list(SCHEMES)}))
    return load(source)


def added(field: str, same: Callable[[], Any | None], add: Callable[[], Any]) -> tuple[Any, bool]:
    """Add what is not there yet, so that a script can be run again.

    Args:
        field: the field that holds the code.
        same: returns the id of what stands already exactly so, or None.
        add: adds it and returns its id.

    Returns:
        The id, and whether it was added now.

    Raises:
        InvalidInput: ``field``'s code stands for something else.
    """
    there = same()
    if there is not None:
        return there, False
    try:
        return add(), True
    except StandsAlready:
        raise InvalidInput(Fault(field, "stands_differently")) from None


def like(row: Any | None, **wanted: Any) -> Any | None:
    """Return the id of a row that has all these values, None otherwise."""
    if row is not None and all(getattr(row, name) == value for name, value in wanted.items()):
        return row.id
    return None
