"""A change of levels or rights has its place in the chain when it returns, whatever else waits to be sealed."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import func, select

from archive.identity import Role
from archive.log.verify import verify
from archive.model import Distribution, Fonds
from archive.model.log import LogEntry, LogUnsealed
from archive.people.grants import Rights
from runtime.wiring.parts import Parts
from tests.factories.archives import Archive
from tests.factories.secrets_house import OPERATOR
from tests.integration.test_plain_bytes import a_record

pytestmark = pytest.mark.postgres


@pytest.fixture
def parts(archive: Archive) -> Parts:
    return archive.parts()


def waiting(parts: Parts) -> list[str]:
    query = select(LogEntry.act).join(LogUnsealed, LogUnsealed.entry_id == LogEntry.id)
    with parts.db.reading() as session:
        return list(session.scalars(query))


def acts(parts: Parts, person: UUID, record: UUID) -> dict[str, Callable[[], object]]:
    rights: Rights = parts.rights
    return {
        "custody.add": lambda: rights.entrust(OPERATOR, person, 1),
        "person.clearance": lambda: parts.people.set_clearance(OPERATOR, person, 2),
        "person.role": lambda: parts.people.set_roles(OPERATOR, person, [Role.STAFF, Role.ARCHIVIST]),
        "person.active": lambda: parts.people.deactivate(OPERATOR, person),
        "record.set_level": lambda: parts.records.set_level(
            parts.people.identity_of("archivist"), record, 2, "商业秘密", version_of(parts, record)
        ),
        "group.add": lambda: parts.groups.add(OPERATOR, fonds_of(parts), "QA", {"zh_CN": "专案"}),
        "record.name_people": lambda: parts.records.name_people(
            parts.people.identity_of("archivist"), record, [archivist_of(parts)], version_of(parts, record)
        ),
        "record.set_group": lambda: parts.records.set_group(
            parts.people.identity_of("archivist"), record, "QA", "专案审查", version_of(parts, record)
        ),
        "setting.operator_acts": lambda: parts.organisation.let_operator_act(OPERATOR, allowed=False),
        "distribution.remove": lambda: rights.withdraw(OPERATOR, a_distribution(parts)),
    }


def fonds_of(parts: Parts) -> UUID:
    with parts.db.reading() as session:
        return session.scalars(select(Fonds.id).where(Fonds.code == "H001")).one()


def archivist_of(parts: Parts) -> UUID:
    return parts.people.identity_of("archivist").person_id or UUID(int=0)


def a_distribution(parts: Parts) -> UUID:
    with parts.db.reading() as session:
        return session.scalars(select(Distribution.id)).first() or UUID(int=0)


def version_of(parts: Parts, record: UUID) -> int:
    return parts.reader.show(parts.people.identity_of("archivist"), record).record.version


def test_level_and_rights_changes_are_sealed_when_they_return(archive: Archive, parts: Parts) -> None:
    record = a_record(archive)
    person = parts.people.add_person(OPERATOR, login="new", name="新来的", password="一个很长的密码 17", clearance=1)
    assert "person.add" not in waiting(parts)
    parts.search.search(parts.people.identity_of("archivist"), "电梯")
    assert waiting(parts), "what is no change of rights waits for the sealer as ever"
    for act, do in acts(parts, person, record).items():
        do()
        assert act not in waiting(parts), act
        with parts.db.reading() as session:
            assert session.scalar(select(func.count()).select_from(LogEntry).where(LogEntry.act == act))
    assert verify(parts.db, parts.ring, parts.witness).ok
