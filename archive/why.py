"""Why a person cannot read a record: told by rule to who keeps rights or secrecy; to nobody else."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from archive.accounts import folded
from archive.cataloguing.records import RecordService
from archive.database import Database
from archive.errors import Fault, InvalidInput
from archive.identity import Identity, Role
from archive.log.writer import Log
from archive.model import Person
from archive.policy.condition import holds
from archive.policy.facts import facts_of, people_named
from archive.policy.guard import Guard
from archive.policy.rules import READERS, Act, condition, reading_parts

EXPLAINERS = frozenset({Role.SECURITY_ADMIN, Role.SECRECY_OFFICER})


@dataclass(frozen=True)
class Why:
    """Why a person reads a record or not. ``reasons`` are codes; none means that they read it."""

    record_id: UUID
    person: str
    level_rank: int
    reasons: tuple[str, ...]


class WhyService:
    """Explains the rules' answer for one person and one record, by the rules' own conditions."""

    def __init__(self, db: Database, guard: Guard, log: Log, records: RecordService) -> None:
        self._db = db
        self._guard = guard
        self._log = log
        self._records = records

    def explain(self, identity: Identity, number: str, login: str) -> Why:
        """Explain for a record that ``identity`` sees; the asking is logged.

        Raises:
            NotAllowed: they keep neither rights nor secrecy.
            NotFound: there is no such record for them.
            InvalidInput: there is no such person.
        """
        with self._db.reading() as session:
            if not self._guard.reach(session, identity).roles & EXPLAINERS:
                raise self._guard.refused_house(session, identity, Act.MANAGE_RIGHTS)
        record_id = self._records.find_number(identity, number)
        with self._db.writing() as work:
            session = work.session
            record = self._guard.require(session, identity, Act.SEE, record_id)
            person = session.scalar(select(Person).where(Person.login == folded(login)))
            if person is None:
                raise InvalidInput(Fault("person", "unknown"))
            facts = facts_of(record, people_named(session, [record.id]).get(record.id, ()))
            reach = self._guard.reach(session, Identity(name=person.login, person_id=person.id))
            if holds(condition(Act.READ, reach), facts):
                reasons: list[str] = []
            elif not person.active or not reach.roles & READERS:
                reasons = ["reads_nothing" if person.active else "inactive"]
            else:
                has = {name: holds(part, facts) for name, part in reading_parts(reach).items()}
                reasons = [] if has["cleared"] else ["not_cleared"]
                if not has["named"] and not has["lent"]:
                    apart = [name for name in ("distributed", "granted") if not has[name]]
                    reasons += ["need_to_know"] if not has["open"] else [f"not_{name}" for name in apart]
                if not has["filed"]:
                    reasons.append("not_filed")
                reasons = reasons or ["role"]
            body = {"person": str(person.id), "reasons": reasons}
            self._log.note(session, identity, "right.explain", record=record.id, body=body)
            work.commit()
            return Why(record.id, person.name, record.level_rank, tuple(reasons))
