"""The property tree: project, building, unit, room, with codes unique under their parent and facts by property type."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.database import Database
from archive.errors import Conflict, Fault, InUse, InvalidInput, NotFound, StandsAlready
from archive.identity import Identity
from archive.ids import UUID, new_id
from archive.log.writer import Log
from archive.model import Fonds, Place, PlaceKind, Record
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.scheme.fields import FieldDef, check_names, parse_fields
from archive.scheme.shipped import document
from archive.scheme.values import check

STEPS = tuple(PlaceKind)
"""Project, building, unit, room: each stands below the one before it."""

_MAINTENANCE = re.compile(r"[0-9]{6}")


@dataclass(frozen=True)
class PlaceRules:
    """Code widths, property types and their facts, as data (the shape of the shipped ``places`` document)."""

    data: Mapping[str, Any]

    def check_code(self, kind: PlaceKind, code: str, types: Sequence[str] = ()) -> str:
        """Return a code in its full width (``1`` becomes ``01`` for a building).

        Raises:
            InvalidInput: ``bad_code`` of ``code``, with the form it should have.
        """
        form = self.data["kinds"][kind.value]
        plain = code.strip().upper()
        if form["code"] == "letter_serial":
            letters = [each["letter"] for each in self.data["property_types"] if each["code"] in types[:1]]
            wanted = letters[0] if letters else "[A-Z]"
            if re.fullmatch(rf"{wanted}[0-9]{{0,{form['serial_width']}}}", plain):
                return plain
            raise InvalidInput(Fault("code", "bad_code", {"letter": wanted, "digits": form["serial_width"]}))
        if re.fullmatch(rf"[0-9]{{1,{form['width']}}}", plain):
            return plain.rjust(form["width"], "0")
        raise InvalidInput(Fault("code", "bad_code", {"digits": form["width"]}))

    def fields(self, kind: PlaceKind, types: Sequence[str]) -> tuple[FieldDef, ...]:
        """Return what is asked of a place: its step's facts, and those of its property types."""
        wanted: list[str] = list(self.data["kinds"][kind.value].get("fields", []))
        by_code = {each["code"]: each for each in self.data["property_types"]}
        for code in types:
            above = by_code[code].get("of")
            for each in filter(None, (above and by_code[above], by_code[code])):
                wanted += each.get("fields", [])
        catalogue = self.data["fields"]
        return parse_fields([{"name": name, **catalogue[name]} for name in dict.fromkeys(wanted)])

    def check_types(self, types: Sequence[str]) -> tuple[str, ...]:
        """Return property types, the main one first. Raises ``InvalidInput`` (``property_types``)."""
        known = [each["code"] for each in self.data["property_types"]]
        wrong = [code for code in types if code not in known]
        if wrong:
            raise InvalidInput(Fault("property_types", "unknown_choice", {"value": wrong[0][:40], "known": known}))
        return tuple(dict.fromkeys(types))

    def check_maintenance_code(self, code: str, field: str = "maintenance_code") -> str:
        """Return a maintenance code of six digits whose first two are a known kind (01 daily, 02 urgent …)."""
        kinds = [each["code"] for each in self.data["maintenance_kinds"]]
        if not _MAINTENANCE.fullmatch(code):
            raise InvalidInput(Fault(field, "bad_code", {"digits": 6}))
        if code[:2] not in kinds:
            raise InvalidInput(Fault(field, "unknown_choice", {"value": code[:2], "known": kinds}))
        return code


def shipped_rules() -> PlaceRules:
    """Return the shipped widths, types and facts."""
    return PlaceRules(document("places"))


def add_place(
    session: Session,
    rules: PlaceRules,
    fonds_id: UUID,
    *,
    kind: PlaceKind,
    code: str,
    names: Mapping[str, str],
    parent: Place | None = None,
    types: Sequence[str] = (),
    facts: Mapping[str, Any] | None = None,
) -> Place:
    """Add a place below its parent, in the caller's transaction.

    Personal facts (an owner's name) belong to a subject, which is sealed, and are refused here.

    Raises:
        InvalidInput: names the field: the step is wrong for the parent, the code has the wrong form, a fact is at
            fault.
        StandsAlready: the code stands already below this parent.
    """
    step = STEPS.index(kind)
    if (parent is None) != (step == 0) or (parent is not None and parent.kind is not STEPS[step - 1]):
        raise InvalidInput(Fault("kind", "wrong_step", {"kind": kind.value, "parent": parent and parent.kind.value}))
    if parent is not None and parent.fonds_id != fonds_id:
        raise InvalidInput(Fault("parent", "unknown"))
    types = rules.check_types(types)
    faults = check_names(names, "names")
    if faults:
        raise InvalidInput(*faults)
    code = rules.check_code(kind, code, types)
    path = f"{parent.path if parent else ''}{code}/"
    if session.scalar(select(Place.id).where(Place.fonds_id == fonds_id, Place.path == path)):
        raise StandsAlready(what="place_code", field="code")
    row = Place(
        id=new_id(),
        fonds_id=fonds_id,
        parent_id=parent.id if parent else None,
        kind=kind,
        code=code,
        path=path,
        names=dict(names),
        property_types=list(types),
        facts=_facts(rules, kind, types or _types_above(session, parent), facts or {}),
    )
    session.add(row)
    session.flush()
    return row


def _types_above(session: Session, place: Place | None) -> Sequence[str]:
    """Return the property types of the nearest place above that names any."""
    while place is not None:
        if place.property_types:
            return place.property_types
        place = session.get(Place, place.parent_id) if place.parent_id else None
    return ()


def _facts(rules: PlaceRules, kind: PlaceKind, types: Sequence[str], facts: Mapping[str, Any]) -> dict[str, Any]:
    ordinary, protected = check(rules.fields(kind, types), facts)
    if protected:
        raise InvalidInput(*(Fault(name, "belongs_to_subject") for name in protected))
    return ordinary


class Places:
    """The acts on the property tree."""

    def __init__(self, db: Database, guard: Guard, log: Log) -> None:
        self._db = db
        self._guard = guard
        self._log = log

    @cached_property
    def rules(self) -> PlaceRules:
        """The shipped widths, types and facts."""
        return shipped_rules()

    def add(
        self,
        identity: Identity,
        fonds_id: UUID,
        *,
        kind: PlaceKind,
        code: str,
        names: Mapping[str, str],
        parent_id: UUID | None = None,
        types: Sequence[str] = (),
        facts: Mapping[str, Any] | None = None,
    ) -> UUID:
        """Add a place and return its id. Raises as ``add_place`` does."""
        with self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
            parent = session.get(Place, parent_id) if parent_id else None
            if session.get(Fonds, fonds_id) is None or (parent_id and parent is None):
                raise NotFound
            row = add_place(
                session,
                self.rules,
                fonds_id,
                kind=kind,
                code=code,
                names=names,
                parent=parent,
                types=types,
                facts=facts,
            )
            self._log.note(session, identity, "place.add", body={"path": row.path})
            work.commit()
            return row.id

    def change(
        self,
        identity: Identity,
        place_id: UUID,
        *,
        version: int,
        names: Mapping[str, str] | None = None,
        facts: Mapping[str, Any] | None = None,
        code: str | None = None,
    ) -> int:
        """Rename a place, or change its facts or code; return the new version.

        Raises:
            Conflict: someone changed it since ``version``.
            InUse: its code is to change while records hang on it or places stand below it (their paths and numbers
                hold the code).
            StandsAlready: another place has the new code.
        """
        with self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_SCHEME)
            row = session.get(Place, place_id)
            if row is None:
                raise NotFound
            if row.version != version:
                raise Conflict(what="place")
            if code is not None:
                self._recode(session, row, code)
            if names is not None:
                faults = check_names(names, "names")
                if faults:
                    raise InvalidInput(*faults)
                row.names = dict(names)
            if facts is not None:
                row.facts = _facts(self.rules, row.kind, _types_above(session, row), facts)
            row.version += 1
            self._log.note(session, identity, "place.change", body={"path": row.path})
            work.commit()
            return row.version

    def _recode(self, session: Session, row: Place, code: str) -> None:
        code = self.rules.check_code(row.kind, code, row.property_types)
        if code == row.code:
            return
        used = session.scalar(select(Record.id).where(Record.place_id == row.id).limit(1))
        if used or session.scalar(select(Place.id).where(Place.parent_id == row.id).limit(1)):
            raise InUse(what="place_in_use")
        path = f"{row.path.removesuffix(f'{row.code}/')}{code}/"
        if session.scalar(select(Place.id).where(Place.fonds_id == row.fonds_id, Place.path == path)):
            raise StandsAlready(what="place_code", field="code")
        row.code, row.path = code, path

    def below(self, _identity: Identity, fonds_id: UUID, parent_id: UUID | None = None) -> Sequence[Place]:
        """Return the places directly below one (or the projects), by code. Place names are open to the house."""
        with self._db.reading() as session:
            query = select(Place).where(Place.fonds_id == fonds_id, Place.parent_id == parent_id)
            return session.scalars(query.order_by(Place.code)).all()

    def counts(self, _identity: Identity, ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """Return how many places lie directly below each of these; one with none is left out."""
        with self._db.reading() as session:
            query = select(Place.parent_id, func.count()).where(Place.parent_id.in_(ids)).group_by(Place.parent_id)
            return {key: count for key, count in session.execute(query) if key is not None}

    def fields(self, _identity: Identity, place_id: UUID) -> Sequence[FieldDef]:
        """Return what is asked of a place, without what is personal. Raises ``NotFound``."""
        with self._db.reading() as session:
            row = session.get(Place, place_id)
            if row is None:
                raise NotFound
            fields = self.rules.fields(row.kind, _types_above(session, row))
        return [each for each in fields if not each.protected]

    def at(self, _identity: Identity, fonds_id: UUID, path: str) -> Place:
        """Return the place of a path such as ``A1/01/``. ``NotFound`` when there is none."""
        whole = path if path.endswith("/") else path + "/"
        with self._db.reading() as session:
            row = session.scalar(select(Place).where(Place.fonds_id == fonds_id, Place.path == whole))
        if row is None:
            raise NotFound
        return row
