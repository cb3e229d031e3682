"""No one gives themselves a right, no officer reads, and no one takes another's place."""

from collections.abc import Callable, Iterator
from itertools import combinations

import pytest

from archive.errors import ArchiveError, InvalidInput, NotAllowed
from archive.identity import OFFICERS, Role
from archive.model import RecordState
from archive.policy.rules import Act
from tests.factories.secrets_house import OPERATOR, SecretsHouse, a_secrets_house

Attack = Callable[[SecretsHouse, str], object]

ATTACKS: dict[str, Attack] = {
    "roles": lambda h, me: h.parts.people.set_roles(h.who(me), h.people[me], [Role.ARCHIVIST]),
    "clearance": lambda h, me: h.parts.people.set_clearance(h.who(me), h.people[me], 4),
    "grant": lambda h, me: h.rights.grant(h.who(me), h.people[me], fonds_id=h.fonds["WA"]),
    "custody": lambda h, me: h.rights.entrust(h.who(me), h.people[me], 4),
    "post": lambda h, me: h.parts.people.assign_post(
        h.who(me), h.people[me], h.categories["WAGC"], h.departments["OFFICE"]
    ),
    "own account": lambda h, me: h.parts.people.reactivate(h.who(me), h.people[me]),
    "token of another": lambda h, me: h.parts.people.issue_token(h.who(me), "reader", "stolen", 1),
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretsHouse]:
    """A house with one person of each role, cleared for everything where that may be."""
    with a_secrets_house(tmp_path_factory.mktemp("rights")) as made:
        made.add_person("reader", clearance=4, fonds="WA")
        for role in Role:
            made.add_person(role.value, [role], 0 if role in OFFICERS else 4, None if role in OFFICERS else "WA")
        made.add_records({1: made.draft(1, level_rank=4)}, RecordState.FILED)
        made.work()
        yield made


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("login", [role.value for role in Role])
def test_no_one_gives_themselves_a_right_or_takes_anothers_place(house: SecretsHouse, login: str, attack: str) -> None:
    before = house.who(login).roles, house.may(login, Act.SEE)
    with pytest.raises(NotAllowed):
        ATTACKS[attack](house, login)
    assert (house.who(login).roles, house.may(login, Act.SEE)) == before


@pytest.mark.parametrize("pair", list(combinations(Role, 2)))
def test_the_three_officers_exclude_each_other_and_every_reader(house: SecretsHouse, pair: tuple[Role, Role]) -> None:
    if not OFFICERS & set(pair):
        return
    with pytest.raises(InvalidInput):
        house.parts.people.set_roles(house.who("security_admin"), house.people["reader"], pair)
    with pytest.raises(InvalidInput):
        house.parts.people.add_person(
            house.who("security_admin"), login="two", name="两", password="一二三四五六七八九十甲乙", roles=pair
        )


@pytest.mark.parametrize("role", sorted(OFFICERS))
def test_no_officer_is_cleared_granted_or_reads(house: SecretsHouse, role: Role) -> None:
    for act in (
        lambda: house.parts.people.set_clearance(OPERATOR, house.people[role.value], 1),
        lambda: house.rights.grant(OPERATOR, house.people[role.value], fonds_id=house.fonds["WA"]),
        lambda: house.parts.people.set_roles(OPERATOR, house.people["reader"], [role]),  # cleared, so no officer
    ):
        with pytest.raises(InvalidInput):
            act()
    assert house.may(role.value) == set()
    assert house.parts.search.search(house.who(role.value), "").total == 0


def test_only_the_security_administrator_manages_people_and_rights(house: SecretsHouse) -> None:
    other = house.people["reader"]
    for role in set(Role) - {Role.SECURITY_ADMIN}:
        who = house.who(role.value)
        for act in (
            lambda who=who: house.parts.people.set_roles(who, other, [Role.STAFF]),
            lambda who=who: house.parts.people.set_clearance(who, other, 1),
            lambda who=who: house.parts.people.deactivate(who, other),
            lambda who=who: house.parts.people.set_password(who, other, "一二三四五六七八九十甲乙"),
            lambda who=who: house.rights.grant(who, other, fonds_id=house.fonds["WB"]),
            lambda who=who: house.parts.people.add_person(
                who, login="x", name="x", password="一二三四五六七八九十甲乙"
            ),
        ):
            with pytest.raises(ArchiveError) as refused:
                act()
            assert refused.value.code == "not_allowed", role
