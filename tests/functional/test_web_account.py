"""A person keeps their own account: password, sessions, tokens; nobody else's."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from archive.model import ApiToken, LogEntry, TokenScope
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house, token_of, token_on


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def send(client: object, path: str, **form: str) -> object:
    page = client.get("/account").text  # type: ignore[attr-defined]
    return client.post(path, data=form | {"csrf_token": token_on(page)}, follow_redirects=True)  # type: ignore[attr-defined]


def acts(house: WebHouse) -> list[str]:
    with house.services.db.reading() as session:
        return list(session.scalars(select(LogEntry.act)))


def test_a_token_is_shown_once_opens_what_was_chosen_and_ends(house: WebHouse) -> None:
    me = house.browser("archivist")
    assert 'href="/account"' in me.get("/").text
    made = send(me, "/account/tokens", name="扫描站", days="30", scope="write", proof=PASSWORD)
    token = made.text.split(">juanku_", 1)[1].split("<", 1)[0]
    assert token not in me.get("/account").text
    assert "扫描站" in me.get("/account").text
    headers = {"Authorization": f"Bearer juanku_{token}"}
    api = house.app.test_client()
    assert api.get("/api/v1/me", headers=headers).json["login"] == "archivist"
    with house.services.db.reading() as session:
        assert session.scalars(select(ApiToken.scope).where(ApiToken.name == "扫描站")).one() is TokenScope.WRITE
    other = house.browser("clerk")
    assert send(other, "/account/tokens/end", name="扫描站").status_code == 404
    assert "扫描站" not in other.get("/account").text
    send(me, "/account/tokens/end", name="扫描站")
    assert api.get("/api/v1/me", headers=headers).status_code == 401
    assert {"token.issue", "token.end"} <= set(acts(house))


@pytest.mark.parametrize(
    "form", [{"name": "", "days": "30"}, {"name": "x", "days": "367"}, {"name": "x", "days": "-1"}]
)
def test_a_token_needs_a_name_and_an_end(house: WebHouse, form: dict[str, str]) -> None:
    reply = send(house.browser("clerk"), "/account/tokens", proof=PASSWORD, **form)
    assert reply.status_code == 422
    assert ">juanku_" not in reply.text


def test_a_token_reads_only_unless_chosen_otherwise(house: WebHouse) -> None:
    send(house.browser("staff"), "/account/tokens", name="read", days="1", scope="all", proof=PASSWORD)
    with house.services.db.reading() as session:
        assert session.scalars(select(ApiToken.scope).where(ApiToken.name == "read")).one() is TokenScope.READ


def test_a_token_is_made_with_the_present_password_alone_and_wrong_ones_are_counted(house: WebHouse) -> None:
    me, form = house.browser("staff"), {"name": "read", "days": "1"}
    for proof in ({}, {"proof": "wrong"}):
        refused = send(me, "/account/tokens", **form, **proof)
        assert refused.status_code == 401
        assert 'id="fault-proof"' in refused.text
        assert "juanku_" not in refused.text
    statuses = [send(me, "/account/tokens", **form, proof="wrong").status_code for _ in range(12)]
    assert statuses[-1] == 429, "guessing at an open browser is slowed as at the sign-in page"
    with house.services.db.reading() as session:
        assert not session.scalars(select(ApiToken)).all()


def test_a_new_password_ends_tokens_and_the_log_names_the_token_of_an_act(house: WebHouse) -> None:
    me = house.browser("archivist")
    made = send(me, "/account/tokens", name="扫描站", days="30", scope="write", proof=PASSWORD).text
    headers = {"Authorization": f"Bearer juanku_{made.split('>juanku_', 1)[1].split('<', 1)[0]}"}
    api = house.app.test_client()
    new = {"fonds": "WY01", "category": "WYH", "title": "合同", "level": 1}
    assert api.post("/api/v1/records", json=new, headers=headers).status_code == 201
    with house.services.db.reading() as session:
        entry = session.scalars(select(LogEntry).where(LogEntry.act == "record.create")).one()
    assert (entry.actor, entry.operator) == ("archivist", "token:扫描站")
    assert "由程序（令牌 扫描站）" in house.browser("auditor").get("/log?act=record.create").text
    assert send(me, "/account/password", present=PASSWORD, password="春江花月夜-2027-夏").status_code == 200
    assert api.get("/api/v1/me", headers=headers).status_code == 401


def test_sessions_are_listed_and_ended(house: WebHouse) -> None:
    one, two, three, stranger = (house.browser(login) for login in ("system", "system", "system", "clerk"))
    page = one.get("/account").text
    assert page.count('/end"') == 2
    other = page.split('action="/account/sessions/', 1)[1].split("/end", 1)[0]
    assert send(stranger, f"/account/sessions/{other}/end").status_code == 404
    assert send(one, f"/account/sessions/{uuid4()}/end").status_code == 404
    send(one, f"/account/sessions/{other}/end")
    assert sorted(each.get("/account").status_code for each in (two, three)) == [200, 302]
    send(one, "/account/sessions/end-others")
    assert [each.get("/account").status_code for each in (one, two, three)] == [200, 302, 302]
    assert stranger.get("/account").status_code == 200
    assert acts(house).count("session.end") >= 2


def test_the_password_changes_with_the_present_one_alone(house: WebHouse) -> None:
    me, elsewhere = house.browser("archivist"), house.browser("archivist")
    assert send(me, "/account/password", present="wrong", password="春江花月夜-2027-夏").status_code == 401
    assert send(me, "/account/password", present=PASSWORD, password="short").status_code == 422
    assert elsewhere.get("/account").status_code == 200
    assert send(me, "/account/password", present=PASSWORD, password="春江花月夜-2027-夏").status_code == 200
    assert (me.get("/account").status_code, elsewhere.get("/account").status_code) == (200, 302)
    assert "person.password" in acts(house)


def test_the_present_password_is_not_guessed_without_end(house: WebHouse) -> None:
    me = house.browser("archivist")
    tried = [send(me, "/account/password", present=f"guess {n}", password="春江花月夜-2027-夏") for n in range(7)]
    assert [each.status_code for each in tried] == [401] * 5 + [429] * 2
    assert send(me, "/account/password", present=PASSWORD, password="春江花月夜-2027-夏").status_code == 429
    assert acts(house).count("session.refused") == 8


@pytest.mark.parametrize("locale", ["zh_CN", "zh_TW", "en"])
def test_the_page_is_there_in_each_language(house: WebHouse, locale: str) -> None:
    me = house.browser("clerk")
    me.post("/language", data={"locale": locale, "csrf_token": token_of(me)})
    words = {"zh_CN": "程序用的令牌", "zh_TW": "程式用的權杖", "en": "Tokens for programs"}
    assert words[locale] in me.get("/account").text
