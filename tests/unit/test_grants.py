"""Rights given and taken: by whom, to whom, and that they hold at once."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from archive.errors import Conflict, InvalidInput, NotAllowed, NotFound
from archive.identity import Role
from archive.ids import new_id
from archive.policy.reach import Reach
from tests.factories import people, records
from tests.factories.accounts import an_office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[SimpleNamespace]:
    with an_office(tmp_path) as office:
        with office.db.writing() as work:
            office.fonds = records.a_fonds(work.session, "F1").id
            work.commit()
        yield office


def reach(office: SimpleNamespace, who: str = "wang") -> Reach:
    with office.db.reading() as session:
        return office.guard.reach(session, getattr(office, who))  # type: ignore[no-any-return]


def test_a_grant_holds_until_it_is_revoked(office: SimpleNamespace) -> None:
    grant = office.rights.grant(office.guardian, office.wang.person_id, fonds_id=office.fonds)
    assert reach(office).fonds == {office.fonds}
    office.rights.revoke(office.guardian, grant)
    assert reach(office).fonds == frozenset()
    added, removed = office.log.acts[-2:]
    assert (added[0], added[3]["after"]) == ("grant.add", {"fonds_id": str(office.fonds)})
    assert (removed[0], removed[3]["before"]) == ("grant.remove", {"fonds_id": str(office.fonds)})


def test_a_grant_is_on_exactly_one_thing_that_is_there(office: SimpleNamespace) -> None:
    person = office.wang.person_id
    for wrong in ({}, {"fonds_id": office.fonds, "place_id": new_id()}, {"category_id": new_id()}):
        with pytest.raises(InvalidInput):
            office.rights.grant(office.guardian, person, **wrong)
    with pytest.raises(InvalidInput):
        office.rights.grant(
            office.guardian, person, fonds_id=office.fonds, since=date(2026, 2, 1), until=date(2026, 1, 1)
        )


def test_an_officer_gets_no_grant(office: SimpleNamespace) -> None:
    auditor = office.people.add_person(
        office.guardian, login="audit", name="审计", password="一二三四五六七八", roles=[Role.AUDIT_ADMIN]
    )
    with pytest.raises(InvalidInput):
        office.rights.grant(office.guardian, auditor, fonds_id=office.fonds)


def test_only_the_security_administrator_grants(office: SimpleNamespace) -> None:
    with pytest.raises(NotAllowed):
        office.rights.grant(office.secrecy, office.wang.person_id, fonds_id=office.fonds)
    with pytest.raises(NotFound):
        office.rights.grant(office.guardian, new_id(), fonds_id=office.fonds)
    with pytest.raises(NotFound):
        office.rights.revoke(office.guardian, new_id())


def test_custody_is_given_and_taken_by_level(office: SimpleNamespace) -> None:
    for _ in range(2):
        office.rights.entrust(office.guardian, office.wang.person_id, 3)
    assert reach(office).custody == {3}
    with pytest.raises(InvalidInput):
        office.rights.entrust(office.guardian, office.wang.person_id, 9)
    for _ in range(2):
        office.rights.relieve(office.guardian, office.wang.person_id, 3)
    assert reach(office).custody == frozenset()
    assert [act for act, *_ in office.log.acts][-2:] == ["custody.add", "custody.remove"]


def test_a_level_is_distributed_and_taken_back_at_once(office: SimpleNamespace) -> None:
    row = office.rights.distribute(office.guardian, 2)
    assert reach(office).distributed == {1, 2}
    with pytest.raises(Conflict):
        office.rights.distribute(office.guardian, 2)
    office.rights.withdraw(office.guardian, row)
    assert reach(office).distributed == frozenset()


def test_the_secrecy_officer_distributes_to_others_and_never_to_themselves(office: SimpleNamespace) -> None:
    with office.db.writing() as work:
        own, other = people.a_post(work.session), people.a_post(work.session)
        holding = SimpleNamespace(id=office.secrecy.person_id)
        people.holds_post(work.session, holding, own, people.a_department(work.session))
        work.commit()
    assert office.rights.distribute(office.secrecy, 3, post_id=other.id)
    for wrong in ({"post_id": own.id}, {}):
        with pytest.raises(NotAllowed):
            office.rights.distribute(office.secrecy, 3, **wrong)
    assert reach(office, "secrecy").distributed == frozenset()
    with pytest.raises(InvalidInput):
        office.rights.distribute(office.secrecy, 3, post_id=new_id())
