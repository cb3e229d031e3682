"""People's pages: who is led there, each act with its log entry, and the link by which a password is chosen."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from archive.identity import Role
from archive.model import AccessGrant, Invitation, LogEntry, Person, PersonPost, PersonRole
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house, token_of, token_on
from tests.fakes.clock import FixedClock
from web.house import people

NEW = "三春花事好-2026"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def house(tmp_path: Path, clock: FixedClock) -> Iterator[WebHouse]:
    with a_web_house(tmp_path, clock=clock) as made:
        yield made


@pytest.fixture
def officer(house: WebHouse) -> FlaskClient:
    return house.browser("security")


def send(client: FlaskClient, path: str, **data: object) -> tuple[int, str]:
    reply = client.post(path, data={"csrf_token": token_of(client), **data}, follow_redirects=True)
    return reply.status_code, reply.text


def acts(house: WebHouse) -> list[str]:
    """Return the acts of the log, in no order of their own: an entry's id is random."""
    with house.services.db.reading() as session:
        return sorted(session.scalars(select(LogEntry.act)))


def link_on(page: str) -> str:
    found = re.search(r"/welcome/[\w-]+", page)
    assert found, page
    return found[0]


def invite(client: FlaskClient, login: str = "tan", **more: object) -> str:
    status, page = send(client, "/house/people/invite", login=login, name="谭立", roles=["staff"], **more)
    assert status == 200, page
    return link_on(page)


def open_link(house: WebHouse, path: str, password: str = NEW, again: str | None = None) -> tuple[int, str]:
    client = house.browser()
    token = token_on(client.get(path).text)
    data = {"csrf_token": token, "password": password, "again": password if again is None else again}
    reply = client.post(path, data=data)
    return reply.status_code, reply.text


def signs_in(house: WebHouse, login: str, password: str) -> bool:
    client = house.browser()
    data = {"login": login, "password": password, "csrf_token": token_on(client.get("/sign-in").text)}
    return client.post("/sign-in", data=data).status_code == 303


def key_of(house: WebHouse, login: str) -> UUID:
    with house.services.db.reading() as session:
        return session.scalars(select(Person.id).where(Person.login == login)).one()


@pytest.mark.parametrize("login", ["archivist", "clerk", "staff", "auditor", "system", "secrecy"])
def test_only_who_manages_people_is_led_there_and_let_in(house: WebHouse, login: str) -> None:
    client = house.browser(login)
    assert "/house/people" not in client.get("/").text
    other = key_of(house, "clerk")
    for path in ("", "/invite", f"/{other}", f"/{other}/roles", f"/{other}/grants/new", f"/{uuid4()}"):
        reply = client.get(f"/house/people{path}")
        assert reply.status_code == 403, path
        assert "clerk某" not in reply.text
    for path in ("/invite", f"/{other}/close", f"/{other}/link", f"/{other}/unlock", f"/{other}/sessions/end"):
        assert send(client, f"/house/people{path}", login="x", name="x", roles="staff")[0] == 403, path
    assert "person.manage" in acts(house)


def test_the_list_goes_on_behind_its_last_row(house: WebHouse, officer: FlaskClient) -> None:
    with house.services.db.writing() as work:
        now = house.clock.now()
        many = [f"many{number:03}" for number in range(230)]
        work.session.add_all(Person(login=login, name="众", password_hash="-", created_at=now) for login in many)
        work.commit()
    address, seen = "/house/people?q=many", []
    while address:
        page = officer.get(address).text
        seen += re.findall(r'class="number">(many\d+)<', page)
        assert "230" in page
        more = re.search(r'rel="next" href="([^"]+)"', page)
        address = unescape(more.group(1)) if more else ""
    assert seen == many


def test_the_list_is_narrowed_by_name_role_and_state(house: WebHouse, officer: FlaskClient) -> None:
    everyone = officer.get("/house/people").text
    assert all(login in everyone for login in house.people)
    found = officer.get("/house/people?q=CLERK&role=clerk&state=open").text
    assert "clerk某" in found
    assert "auditor某" not in found
    assert "没有符合的账户" in officer.get("/house/people?state=closed").text


def test_an_invited_person_comes_in_by_the_link_alone_and_once(house: WebHouse, officer: FlaskClient) -> None:
    path = invite(officer, clearance="1")
    assert not signs_in(house, "tan", NEW)
    assert "谭立" in house.browser().get(path).text
    assert open_link(house, path)[0] == 303
    assert signs_in(house, "tan", NEW)
    again = house.browser().get(path)
    assert again.status_code == 404
    assert "谭立" not in again.text
    assert [each for each in acts(house) if each.startswith("invitation.")] == ["invitation.make", "invitation.use"]
    with house.services.db.reading() as session:
        person = session.scalars(select(Person).where(Person.login == "tan")).one()
        assert person.clearance == 1
        assert path.rsplit("/", 1)[1] not in str(session.execute(select(Invitation.token_hash)).all())


def test_an_invitation_gives_role_clearance_post_and_what_may_be_read_at_once(
    house: WebHouse, officer: FlaskClient
) -> None:
    form = officer.get("/house/people/invite").text
    post, department, category = (
        re.search(pattern, form, re.DOTALL)[1]  # type: ignore[index]  # a page without it fails here
        for pattern in (
            r'name="post".*?value="([0-9a-f-]{36})"', r'name="department".*?value="([0-9a-f-]{36})"',
            r'name="categories" value="([0-9a-f-]{36})"',
        )
    )  # fmt: skip
    page = send(
        officer, "/house/people/invite", login="tan", name="谭立", roles=["staff", "clerk"], clearance="2", post=post,
        department=department, categories=[category],
    )[1]  # fmt: skip
    open_link(house, link_on(page))
    assert "同时可查阅" in page
    with house.services.db.reading() as session:
        person = session.scalars(select(Person).where(Person.login == "tan")).one()
        granted = session.scalars(select(AccessGrant).where(AccessGrant.person_id == person.id)).all()
        held = session.scalars(select(PersonPost).where(PersonPost.person_id == person.id)).one()
        assert [str(each.category_id) for each in granted] == [category]
        assert (str(held.post_id), str(held.department_id)) == (post, department)
    assert {"person.add", "post.assign", "grant.add", "invitation.make"} <= set(acts(house))
    assert "没有涉密资格" not in page
    assert "目前只能看" in send(officer, "/house/people/invite", login="he", name="何", roles=["staff"])[1]
    uncleared = {"login": "xu", "name": "徐", "roles": ["staff"], "categories": [category]}
    assert "没有涉密资格，还什么都查阅不到" in send(officer, "/house/people/invite", **uncleared)[1]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"roles": ["audit_admin"], "fonds": "{fonds}"}, "fonds"),
        ({"roles": ["staff"], "fonds": str(uuid4())}, "fonds"),
        ({"roles": ["staff"], "post": "{post}"}, "department"),
    ],
)
def test_an_invitation_that_cannot_be_gives_nothing_and_names_the_field(
    house: WebHouse, officer: FlaskClient, more: dict[str, object], field: str
) -> None:
    form = officer.get("/house/people/invite").text
    known = {
        name: re.findall(rf'name="{name}".*?value="([0-9a-f-]{{36}})"', form, re.DOTALL)[0]
        for name in ("fonds", "post")
    }
    before = acts(house)
    typed = {name: value.format(**known) if isinstance(value, str) else value for name, value in more.items()}
    status, page = send(officer, "/house/people/invite", login="tan", name="谭立", **typed)
    assert status == 422
    assert f'id="fault-{field}"' in page
    assert ("岗位和部门要一起选" in page) == (field == "department")
    assert 'value="谭立"' in page
    assert acts(house) == before


def test_a_link_that_was_never_one_used_ended_or_replaced_answers_alike(
    house: WebHouse, officer: FlaskClient, clock: FixedClock
) -> None:
    used, replaced, ended, late = (invite(officer, f"p{n}") for n in range(4))
    open_link(house, used)
    send(officer, f"/house/people/{key_of(house, 'p1')}/link")
    send(officer, f"/house/people/{key_of(house, 'p2')}/link/end")
    clock.move(days=7)
    answers = {house.browser().get(path).data for path in (used, replaced, ended, late, "/welcome/never")}
    told = {re.sub(rb"/welcome/[\w-]+|value=\"[^\"]+\"", b"", answer) for answer in answers}
    assert len(told) == 1
    client = house.browser()
    token = token_on(client.get(late).text)
    data = {"csrf_token": token, "password": NEW, "again": NEW}
    assert {client.post(path, data=data).status_code for path in (replaced, ended, late, "/welcome/never")} == {404}
    assert not signs_in(house, "p3", NEW)


def test_the_newer_link_of_an_invited_person_works(house: WebHouse, officer: FlaskClient) -> None:
    older = invite(officer)
    status, page = send(officer, f"/house/people/{key_of(house, 'tan')}/link")
    assert status == 200
    assert open_link(house, link_on(page))[0] == 303
    assert house.browser().get(older).status_code == 404


def test_a_reset_lets_the_old_password_work_until_a_new_one_is_chosen(house: WebHouse, officer: FlaskClient) -> None:
    signed_in = house.browser("staff")
    path = link_on(send(officer, f"/house/people/{key_of(house, 'staff')}/link")[1])
    assert signs_in(house, "staff", PASSWORD)
    assert open_link(house, path)[0] == 303
    assert not signs_in(house, "staff", PASSWORD)
    assert signs_in(house, "staff", NEW)
    assert signed_in.get("/").status_code == 302, "every session ended"


def test_a_reset_is_valid_for_one_day(house: WebHouse, officer: FlaskClient, clock: FixedClock) -> None:
    path = link_on(send(officer, f"/house/people/{key_of(house, 'staff')}/link")[1])
    clock.move(days=1, seconds=-1)
    assert house.browser().get(path).status_code == 200
    clock.move(seconds=1)
    assert house.browser().get(path).status_code == 404


def test_a_closed_account_is_not_opened_by_its_link(house: WebHouse, officer: FlaskClient) -> None:
    key = key_of(house, "staff")
    path = link_on(send(officer, f"/house/people/{key}/link")[1])
    send(officer, f"/house/people/{key}/close")
    assert house.browser().get(path).status_code == 404
    status, page = send(officer, f"/house/people/{key}/link")
    assert status == 422
    assert "请先重新启用" in page


@pytest.mark.parametrize(
    ("password", "again", "told"),
    [("short", "short", "太短"), ("juanku123", "juanku123", "常见"), (NEW, NEW + "x", "和第一次不一样")],
)
def test_a_password_at_fault_keeps_the_link(
    house: WebHouse, officer: FlaskClient, password: str, again: str, told: str
) -> None:
    path = invite(officer)
    status, page = open_link(house, path, password, again)
    assert status == 422
    assert "fault-summary" in page
    assert told in page or "太常" in page or "最常" in page
    assert password not in page
    assert open_link(house, path)[0] == 303


def test_an_invitation_at_fault_keeps_what_was_typed(house: WebHouse, officer: FlaskClient) -> None:
    status, page = send(
        officer, "/house/people/invite", login="a b", name="谭立", roles=["security_admin", "staff"], clearance="2"
    )
    assert status == 422
    assert 'href="#field-login"' in page
    assert 'value="谭立"' in page
    assert 'value="security_admin" checked' in page
    status, page = send(officer, "/house/people/invite", login="CLERK", name="x", roles=["staff"])
    assert status == 409
    assert 'href="#field-login"' in page
    assert "invitation.make" not in acts(house)


def test_roles_clearance_and_custody_are_set(house: WebHouse, officer: FlaskClient) -> None:
    key = key_of(house, "staff")
    assert "角色已修改" in send(officer, f"/house/people/{key}/roles", roles=["staff", "approver"])[1]
    assert "涉密资格已修改" in send(officer, f"/house/people/{key}/clearance", clearance="3")[1]
    assert "保管已修改" in send(officer, f"/house/people/{key}/custody", levels=["3", "4"])[1]
    assert send(officer, f"/house/people/{key}/roles")[0] == 422
    assert send(officer, f"/house/people/{key}/clearance", clearance="99")[0] == 422
    with house.services.db.reading() as session:
        assert session.get_one(Person, key).clearance == 3
        roles = session.scalars(select(PersonRole.role).where(PersonRole.person_id == key))
        assert set(roles) == {Role.STAFF, Role.APPROVER}
    done = acts(house)
    assert done.count("custody.add") == 2
    assert {"person.role", "person.clearance"} <= set(done)


def test_every_form_shows_what_stands(house: WebHouse, officer: FlaskClient) -> None:
    key = key_of(house, "clerk")
    send(officer, f"/house/people/{key}/custody", levels=["2"])
    assert 'value="2" checked' in officer.get(f"/house/people/{key}/custody").text
    assert 'value="clerk" checked' in officer.get(f"/house/people/{key}/roles").text
    assert 'value="1" selected' in officer.get(f"/house/people/{key}/clearance").text
    with house.services.db.reading() as session:
        holding = session.scalars(select(PersonPost.id).where(PersonPost.person_id == key)).one()
    assert 'value="2026-03-05"' in officer.get(f"/house/people/{key}/posts/{holding}/end").text


def test_a_post_is_given_and_ended(house: WebHouse, officer: FlaskClient) -> None:
    key = key_of(house, "staff")
    page = officer.get(f"/house/people/{key}/posts/new").text
    post, department = (
        re.search(rf'id="field-{name}".*?<option value="([0-9a-f-]{{36}})"', page, re.DOTALL)[1]  # type: ignore[index]
        for name in ("post", "department")
    )
    status, page = send(officer, f"/house/people/{key}/posts/new", post=post, department=department, since="2026-13")
    assert status == 422
    assert 'href="#field-since"' in page
    status, page = send(officer, f"/house/people/{key}/posts/new", post=post, department=department, since="20260301")
    assert "已任职" in page
    with house.services.db.reading() as session:
        holding = session.scalars(select(PersonPost.id).where(PersonPost.person_id == key)).one()
    assert send(officer, f"/house/people/{key}/posts/{holding}/end", until="")[0] == 422
    assert "2026-03-31" in send(officer, f"/house/people/{key}/posts/{holding}/end", until="2026-3-31")[1]
    assert {"post.assign", "post.end"} <= set(acts(house))


def test_grants_are_given_on_a_fonds_a_branch_a_place_and_taken_away(house: WebHouse, officer: FlaskClient) -> None:
    key = key_of(house, "staff")
    fonds = str(house.category.fonds_id)
    path = f"/house/people/{key}/grants/new"
    assert "已授权" in send(officer, path, category=str(house.category.id))[1]
    assert "已授权" in send(officer, path, fonds=fonds, place="A01")[1]
    status, page = send(officer, path, fonds=fonds, place="Z99")
    assert status == 422
    assert 'value="Z99"' in page
    assert send(officer, path)[0] == 422
    assert send(officer, path, fonds=fonds, category=str(house.category.id))[0] == 422
    with house.services.db.reading() as session:
        rows = session.scalars(select(AccessGrant).where(AccessGrant.person_id == key)).all()
    assert len(rows) == 3
    for row in rows:
        asked = send(officer, f"/house/people/{key}/grants/{row.id}/revoke")
        assert "不再看得到" in asked[1]
        assert acts(house).count("grant.remove") == rows.index(row)
        assert "授权已收回" in send(officer, f"/house/people/{key}/grants/{row.id}/revoke", sure="1")[1]
    assert acts(house).count("grant.remove") == 3


def test_an_officer_gets_no_grant(house: WebHouse, officer: FlaskClient) -> None:
    key = key_of(house, "auditor")
    assert "/grants/new" not in officer.get(f"/house/people/{key}").text
    assert send(officer, f"/house/people/{key}/grants/new", fonds=str(house.category.fonds_id))[0] == 422


def test_sessions_end_failures_are_forgotten_accounts_are_closed_and_opened(
    house: WebHouse, officer: FlaskClient
) -> None:
    key = key_of(house, "staff")
    staff = house.browser("staff")
    for _ in range(6):
        signs_in(house, "staff", "wrong")
    assert "失败" in officer.get(f"/house/people/{key}").text
    assert "失败记录已清除" in send(officer, f"/house/people/{key}/unlock")[1]
    assert "清除失败记录" not in officer.get(f"/house/people/{key}").text
    people = house.services.people
    tokens = [people.issue_token(people.identity_of("staff"), "staff", name, 9) for name in ("扫描站", "门禁")]
    page = officer.get(f"/house/people/{key}").text
    assert "扫描站" in page
    [first, *_] = re.findall(rf'action="(/house/people/{key}/tokens/[0-9a-f-]+/end)"', page)
    assert send(staff, first)[0] == 403
    assert "令牌已失效" in send(officer, first)[1]
    assert [people.resume_token(each) is None for each in tokens].count(True) == 1
    assert "已结束 1 个会话" in send(officer, f"/house/people/{key}/sessions/end")[1]
    assert staff.get("/").status_code == 302
    assert [people.resume_token(each) for each in tokens] == [None, None]
    assert "账户已停用" in send(officer, f"/house/people/{key}/close")[1]
    assert not signs_in(house, "staff", PASSWORD)
    assert "重新启用" in send(officer, f"/house/people/{key}/reopen")[1]
    assert signs_in(house, "staff", PASSWORD)
    assert {"person.unlock", "session.end_all", "person.active"} <= set(acts(house))


def test_nobody_changes_their_own_account(house: WebHouse, officer: FlaskClient) -> None:
    own = key_of(house, "security")
    page = officer.get(f"/house/people/{own}").text
    assert f"/house/people/{own}/" not in page
    for act in ("roles", "clearance", "link", "close", "sessions/end", "unlock"):
        assert send(officer, f"/house/people/{own}/{act}", roles=["security_admin"], clearance="0")[0] == 403, act


def test_a_long_list_of_people_shows_each_once(
    house: WebHouse, officer: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "PAGE", 2)
    with house.services.db.reading() as session:
        everyone = session.scalars(select(Person.login).order_by(Person.login)).all()
    seen: list[str] = []
    address: str | None = "/house/people"
    while address:
        page = officer.get(address).text
        seen += re.findall(r'<td class="number">([a-z]+)</td>', page)
        further = re.search(r'rel="next" href="([^"]+)"', page)
        address = further and further[1].replace("&amp;", "&")
    assert len(everyone) > 2
    assert seen == list(everyone)


def test_the_desk_of_who_keeps_accounts_leads_to_the_invitation_and_nobody_elses_does(
    house: WebHouse, officer: FlaskClient
) -> None:
    assert 'href="/house/people/invite"' in officer.get("/").text
    assert 'href="/house/people/invite"' not in house.browser("archivist").get("/").text
