"""A small house with levels, scheme and places, and records in it, built straight as rows."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import Session

from archive.ids import new_id
from archive.model import (
    Category,
    Department,
    Fonds,
    House,
    Level,
    NeedToKnowGroup,
    Person,
    Place,
    PlaceKind,
    Record,
    RecordKind,
    RecordPerson,
    RecordState,
)
from tests.factories.people import NOW, names

LEVELS = (
    (1, "internal", "内部", "N", "●"),
    (2, "secret", "秘密", "M", "▲"),
    (3, "confidential", "机密", "J", "◆"),
    (4, "top", "绝密", "U", "■"),
)


def a_house(session: Session) -> House:
    """Return the house, with its four levels."""
    house = House(id=new_id(), names=names("某物业"), created_at=NOW)
    session.add(house)
    session.add_all(
        Level(rank=rank, code=code, names=names(name), number_mark=mark, symbol=symbol)
        for rank, code, name, mark, symbol in LEVELS
    )
    session.flush()
    return house


def a_fonds(session: Session, code: str = "") -> Fonds:
    key = new_id()
    row = Fonds(id=key, code=code or key.hex, names=names(code))
    session.add(row)
    session.flush()
    return row


def a_category(session: Session, fonds: Fonds, code: str = "", parent: Category | None = None) -> Category:
    key = new_id()
    row = Category(
        id=key,
        fonds_id=fonds.id,
        parent_id=parent.id if parent else None,
        code=code or key.hex,
        names=names(code),
        level_rank=1,
        term="Y10",
        fields=[],
        required=[],
        documents=[],
    )
    session.add(row)
    session.flush()
    return row


def a_place(session: Session, fonds: Fonds, path: str) -> Place:
    """Return a place; ``path`` such as ``P1/B2/`` says how deep it lies."""
    steps = path.strip("/").split("/")
    kind = list(PlaceKind)[len(steps) - 1]
    row = Place(
        id=new_id(),
        fonds_id=fonds.id,
        kind=kind,
        code=steps[-1],
        path=path,
        names=names(path),
        property_types=[],
        facts={},
    )
    session.add(row)
    session.flush()
    return row


def a_group(session: Session, fonds: Fonds, mark: str = "X") -> NeedToKnowGroup:
    row = NeedToKnowGroup(id=new_id(), fonds_id=fonds.id, names=names(mark), number_mark=mark)
    session.add(row)
    session.flush()
    return row


def a_record(
    session: Session,
    category: Category,
    *,
    level: int = 1,
    state: RecordState = RecordState.FILED,
    kind: RecordKind = RecordKind.ITEM,
    group: NeedToKnowGroup | None = None,
    place: Place | None = None,
    department: Department | None = None,
    created_by: Person | None = None,
    named: Iterable[Person] = (),
    title: str = "关于电梯维修的请示",
    **more: Any,
) -> Record:
    row = Record(
        id=new_id(),
        fonds_id=category.fonds_id,
        kind=kind,
        category_id=category.id,
        category_version=1,
        level_rank=level,
        group_id=group.id if group else None,
        state=state,
        title=title,
        place_id=place.id if place else None,
        place_path=place.path if place else None,
        department_id=department.id if department else None,
        term="Y10",
        created_at=NOW,
        created_by=created_by.id if created_by else None,
        **more,
    )
    session.add(row)
    session.flush()
    session.add_all(RecordPerson(record_id=row.id, person_id=person.id) for person in set(named))
    session.flush()
    return row
