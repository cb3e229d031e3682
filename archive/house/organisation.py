"""The organisation: departments as a tree, and posts. Rights hang on both, so both are the security officer's."""

import re
from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.database import Database
from archive.errors import Conflict, Fault, InvalidInput, NotFound, StandsAlready
from archive.identity import Identity
from archive.ids import UUID, new_id
from archive.log.writer import Log
from archive.model import Department, House, Post
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.scheme.fields import check_names

_CODE = re.compile(r"[A-Za-z0-9]{1,8}")
"""A department's code stands in numbers, between separators."""


def add_department(
    session: Session,
    code: str,
    names: Mapping[str, str],
    *,
    parent_id: UUID | None = None,
    since: date | None = None,
) -> Department:
    """Add a department in the caller's transaction.

    Raises:
        InvalidInput: the code (letters and digits, at most eight) or the names are at fault, or there is no such
            parent.
        StandsAlready: the code stands already.
    """
    _check(code, names)
    if parent_id is not None and session.get(Department, parent_id) is None:
        raise InvalidInput(Fault("parent", "unknown"))
    if session.scalar(select(Department.id).where(Department.code == code)):
        raise StandsAlready(what="department", field="code")
    row = Department(id=new_id(), code=code, names=dict(names), parent_id=parent_id, since=since)
    session.add(row)
    session.flush()
    return row


def add_post(session: Session, code: str, names: Mapping[str, str]) -> Post:
    """Add a post in the caller's transaction. Raises as ``add_department`` does."""
    faults = check_names(names, "names")
    if not 0 < len(code) <= 64:
        faults.append(Fault("code", "bad_code", {"value": code[:40]}))
    if faults:
        raise InvalidInput(*faults)
    if session.scalar(select(Post.id).where(Post.code == code)):
        raise StandsAlready(what="post", field="code")
    row = Post(id=new_id(), code=code, names=dict(names))
    session.add(row)
    session.flush()
    return row


class Organisation:
    """The acts on the house, its departments and its posts."""

    def __init__(self, db: Database, guard: Guard, log: Log) -> None:
        self._db = db
        self._guard = guard
        self._log = log

    def add_department(
        self,
        identity: Identity,
        code: str,
        names: Mapping[str, str],
        *,
        parent_id: UUID | None = None,
        since: date | None = None,
    ) -> UUID:
        """Add a department and return its id. Raises as the function does."""
        with self._db.writing() as work:
            self._guard.require_house(work.session, identity, Act.MANAGE_PEOPLE)
            row = add_department(work.session, code, names, parent_id=parent_id, since=since)
            self._log.note(work.session, identity, "department.add", body={"code": code})
            work.commit()
            return row.id

    def rename_department(
        self, identity: Identity, department_id: UUID, names: Mapping[str, str], *, version: int
    ) -> int:
        """Rename a department and return its new version; its code, which numbers hold, stays.

        Raises:
            Conflict: someone changed it since ``version``.
        """
        with self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_PEOPLE)
            row = _department(session, department_id)
            if row.version != version:
                raise Conflict(what="department")
            _check(row.code, names)
            row.names = dict(names)
            row.version += 1
            self._log.note(session, identity, "department.rename", body={"code": row.code})
            work.commit()
            return row.version

    def close_department(self, identity: Identity, department_id: UUID, on: date, *, version: int) -> None:
        """End a department on a day: from it on nothing new comes in. Its records and history stay.

        Raises:
            Conflict: someone changed it since ``version``.
            InvalidInput: that day is before its first one.
        """
        with self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.MANAGE_PEOPLE)
            row = _department(session, department_id)
            if row.version != version:
                raise Conflict(what="department")
            if row.since is not None and on < row.since:
                raise InvalidInput(Fault("until", "before_since"))
            row.until = on
            row.version += 1
            self._log.note(session, identity, "department.close", body={"code": row.code, "on": on.isoformat()})
            work.commit()

    def add_post(self, identity: Identity, code: str, names: Mapping[str, str]) -> UUID:
        """Add a post and return its id. Raises as the function does."""
        with self._db.writing() as work:
            self._guard.require_house(work.session, identity, Act.MANAGE_PEOPLE)
            row = add_post(work.session, code, names)
            self._log.note(work.session, identity, "post.add", body={"code": code})
            work.commit()
            return row.id

    def let_operator_act(self, identity: Identity, allowed: bool) -> None:
        """Let the machine's operator act as a person, or forbid it.

        Raises:
            NotAllowed: not one of those who run the system.
        """
        with self._guard.refusals(identity), self._db.writing() as work:
            session = work.session
            self._guard.require_house(session, identity, Act.RUN_SYSTEM)
            house = session.scalars(select(House)).one()
            body = {"before": house.operator_may_impersonate, "after": allowed}
            house.operator_may_impersonate = allowed
            self._log.note(session, identity, "setting.operator_acts", body=body)
            work.commit()

    def departments(self, _identity: Identity) -> Sequence[Department]:
        """Return the departments by code. Their names are open to the house."""
        with self._db.reading() as session:
            return session.scalars(select(Department).order_by(Department.code)).all()

    def posts(self, _identity: Identity) -> Sequence[Post]:
        """Return the posts by code."""
        with self._db.reading() as session:
            return session.scalars(select(Post).order_by(Post.code)).all()


def _department(session: Session, department_id: UUID) -> Department:
    row = session.get(Department, department_id)
    if row is None:
        raise NotFound
    return row


def _check(code: str, names: Mapping[str, str]) -> None:
    faults = check_names(names, "names")
    if not _CODE.fullmatch(code):
        faults.append(Fault("code", "bad_code", {"value": code[:40]}))
    if faults:
        raise InvalidInput(*faults)
