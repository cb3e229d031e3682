"""From what programs call things to what they are: fonds, department and place by code, people by sign-in name."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from archive.errors import Fault, InvalidInput, NotFound
from web import paging
from web.services import services

T = TypeVar("T")

page = paging.page


def fonds_id(code: str) -> UUID:
    """Return the open fonds of a code. Raises ``InvalidInput`` (field ``fonds``)."""
    for key, row in services().directory.fonds().items():
        if row.code == code:
            return key
    raise InvalidInput(Fault("fonds", "unknown"))


def fonds_at(code: str) -> UUID:
    """Return the open fonds of a code that stands in the address. Raises ``NotFound``."""
    try:
        return fonds_id(code)
    except InvalidInput as error:
        raise NotFound from error


def category_id(fonds: UUID, code: str, field: str = "category") -> UUID:
    """Return the open category of a code in a fonds. Raises ``InvalidInput`` (field ``field``)."""
    for row in services().directory.categories():
        if (row.fonds_id, row.code) == (fonds, code):
            return row.id
    raise InvalidInput(Fault(field, "unknown"))


def department_id(code: str | None, faults: list[Fault]) -> UUID | None:
    """Return the department of a code; one that is not there becomes a fault."""
    if code is None:
        return None
    for row in services().directory.departments():
        if row.code == code:
            return row.id
    faults.append(Fault("department", "unknown"))
    return None


def place_id(fonds: UUID, path: str | None, faults: list[Fault], field: str = "place") -> UUID | None:
    """Return the place of a path; one that is not there becomes a fault of ``field``."""
    if path is None:
        return None
    found = services().directory.place_at(fonds, path)
    if found is None:
        faults.append(Fault(field, "unknown"))
    return found.id if found else None


def behind(cursor: str | None, read: Callable[[str], T | None]) -> T | None:
    """Return the place that a cursor names, as ``read`` reads it; None: the first page. Raises ``InvalidInput``."""
    if not cursor:
        return None
    if (found := read(cursor)) is None:
        raise InvalidInput(Fault("cursor", "unknown"))
    return found


def person_id(login: str, field: str = "person") -> UUID:
    """Return who a sign-in name means. Raises ``InvalidInput`` (field ``field``)."""
    found = services().directory.people_called([login])
    if not found:
        raise InvalidInput(Fault(field, "unknown"))
    return next(iter(found.values()))
