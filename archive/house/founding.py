"""The first act of an archive: its house, levels, first fonds and first people, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.errors import StandsAlready
from archive.house.fonds import check_fonds
from archive.house.levels import choose
from archive.identity import Identity, Role, system
from archive.ids import UUID, new_id
from archive.log.writer import Log
from archive.model import AccessGrant, Department, Distribution, Fonds, House, PersonPost, Post
from archive.people.managing import insert_person
from archive.scheme import install as installing
from archive.scheme.document import Scheme

OFFICE = ("OFF", {"zh_CN": "办公室", "zh_TW": "辦公室", "en": "Office"})
KEEPER = ("archivist", {"zh_CN": "档案员", "zh_TW": "檔案員", "en": "Archivist"})


@dataclass(frozen=True)
class Founder:
    """One of the first people. The password comes as its hash."""

    login: str
    name: str
    role: Role
    password_hash: str


@dataclass(frozen=True)
class Plan:
    """What a house begins with. ``zone`` is an IANA name, ``naming`` one of ``archive.house.levels``."""

    names: Mapping[str, str]
    zone: str
    naming: str
    fonds_code: str
    fonds_names: Mapping[str, str]
    scheme: Scheme | None
    people: Sequence[Founder]
    locale: str | None = None


def found(db: Database, log: Log, clock: Clock, plan: Plan) -> None:
    """Make the house and all it begins with, or nothing.

    The archivist is cleared for every level, which their post is on the distribution of, and holds a grant on the
    fonds: without these nobody could file a paper. The lowest level is distributed to all staff.

    Raises:
        StandsAlready: there is a house.
        InvalidInput: names what is at fault.
    """
    check_fonds(plan.fonds_code, plan.fonds_names)
    now = clock.now()
    who = system("setup")
    with db.writing() as work:
        session = work.session
        if session.scalar(select(House.id)) is not None:
            raise StandsAlready(what="house", field="house")
        session.add(House(id=new_id(), names=dict(plan.names), zone=plan.zone, created_at=now))
        ranks = [level.rank for level in choose(session, plan.naming)]
        fonds = Fonds(
            id=new_id(), code=plan.fonds_code, names=dict(plan.fonds_names),
            opened_on=now.astimezone(ZoneInfo(plan.zone)).date(),
        )  # fmt: skip
        session.add(fonds)
        session.flush()
        if plan.scheme is not None:
            installing.install(session, fonds, plan.scheme, now=now)
        log.note(session, who, "house.found", body={"names": dict(plan.names), "naming": plan.naming})
        body = {"code": fonds.code, "names": dict(fonds.names), "scheme": plan.scheme and plan.scheme.code}
        log.note(session, who, "fonds.add", body=body)
        _Beginning(session, log, who, now).staff(plan, fonds.id, ranks)
        work.commit()


class _Beginning:
    """Adds the first people in the caller's transaction."""

    def __init__(self, session: Session, log: Log, who: Identity, now: datetime) -> None:
        self._session = session
        self._log = log
        self._who = who
        self._now = now

    def staff(self, plan: Plan, fonds_id: UUID, ranks: Sequence[int]) -> None:
        """Add the people, and give the archivist what the work needs."""
        office = Department(id=new_id(), code=OFFICE[0], names=OFFICE[1])
        post = Post(id=new_id(), code=KEEPER[0], names=KEEPER[1])
        self._session.add_all([office, post])
        self._session.flush()
        for rank, post_id in ((max(ranks), post.id), (min(ranks), None)):
            self._session.add(Distribution(id=new_id(), level_rank=rank, post_id=post_id))
            self._note("distribution.add", None, {"level": rank, "post": post_id and str(post_id)})
        for each in plan.people:
            keeps = each.role is Role.ARCHIVIST
            person, after = insert_person(
                self._session, login=each.login, name=each.name, roles=frozenset({each.role}),
                clearance=max(ranks) if keeps else 0, locale=plan.locale, password_hash=each.password_hash,
                now=self._now,
            )  # fmt: skip
            self._note("person.add", person.id, after)
            if keeps:
                self._session.add(
                    PersonPost(id=new_id(), person_id=person.id, department_id=office.id, post_id=post.id)
                )
                self._session.add(AccessGrant(id=new_id(), person_id=person.id, fonds_id=fonds_id))
                self._note("post.assign", person.id, {"post": KEEPER[0], "department": OFFICE[0]})
                self._note("grant.add", person.id, {"fonds_id": str(fonds_id)})

    def _note(self, act: str, person: UUID | None, after: Mapping[str, Any]) -> None:
        self._log.note(
            self._session, self._who, act, body={"person": str(person), "before": None, "after": dict(after)}
        )
