"""The set-up pages: closed to strangers, with a code that opens once."""

import re
from collections.abc import Sequence

import pytest
from flask.testing import FlaskClient

from archive.house.founding import Plan
from web.setup import MOST_TRIES, Setup, create_setup

CODE = "ABCDE-FGHJK-MNPQR"


class House:
    """A set-up whose house is only remembered."""

    def __init__(self) -> None:
        self.plans: list[Plan] = []
        self.spent = 0
        self.app = create_setup(Setup(CODE, self.plans.append, self._spend, "/data", "/ring"))

    def _spend(self) -> None:
        self.spent += 1


def _token(page: str) -> str:
    [token, *_] = re.findall(r'name="csrf_token" value="([^"]+)"', page)
    return token


def _try(client: FlaskClient, code: str) -> int:
    page = client.get("/set-up").text
    if 'id="field-code"' not in page:
        return 0
    return client.post("/set-up", data={"csrf_token": _token(page), "code": code}).status_code


@pytest.fixture
def house() -> House:
    return House()


@pytest.mark.parametrize("path", ["/", "/set-up/house", "/set-up/ring", "/records/new"])
def test_a_stranger_is_asked_for_the_code_whatever_they_open(house: House, path: str) -> None:
    assert house.app.test_client().get(path).headers["Location"] == "/set-up"


def test_the_code_opens_once_however_it_is_written(house: House) -> None:
    assert _try(house.app.test_client(), "abcde fghjk mnpqr") == 303
    assert house.spent == 1
    assert _try(house.app.test_client(), CODE) == 0


def test_the_code_is_dead_after_too_many_wrong_ones(house: House) -> None:
    client = house.app.test_client()
    answers: Sequence[int] = [_try(client, "AAAAA") for _ in range(MOST_TRIES)]
    assert set(answers) == {403}
    assert _try(client, CODE) == 0
    assert house.spent == 0


def test_steps_are_not_skipped_and_nothing_is_made_before_the_last(house: House) -> None:
    client = house.app.test_client()
    assert _try(client, CODE) == 303
    assert client.get("/set-up/ring").headers["Location"] == "/set-up/language"
    token = _token(client.get("/set-up/language").text)
    reply = client.post("/set-up/ring", data={"csrf_token": token, "read": "yes"})
    assert reply.headers["Location"] == "/set-up/language"
    assert house.plans == []


def test_what_is_typed_before_going_back_stays_but_is_checked_before_the_house_is_made(house: House) -> None:
    client = house.app.test_client()
    _try(client, CODE)

    def send(step: str, **typed: str) -> str:
        token = _token(client.get(f"/set-up/{step}").text)
        return client.post(f"/set-up/{step}", data={"csrf_token": token, **typed}).headers.get("Location", "")

    send("language", locale="zh_CN")
    send("house", name="和园物业", zone="Asia/Shanghai")
    send("levels", naming="numbered")
    assert send("fonds", code="HY", name="和园", scheme="") == "/set-up/people"
    assert send("fonds", code="HY", name="和园", scheme="", go="back") == "/set-up/levels"
    assert client.get("/set-up/people").status_code == 200, "what was checked before still is"
    assert send("fonds", code="不 行", name="和园", scheme="", go="back") == "/set-up/levels"
    assert "不 行" in client.get("/set-up/fonds").text
    assert client.get("/set-up/people").headers["Location"] == "/set-up/fonds"


def test_a_field_of_the_set_up_says_what_it_wants_and_takes_digits_and_letters_of_any_width(house: House) -> None:
    client = house.app.test_client()
    _try(client, CODE)

    def send(step: str, **typed: str) -> tuple[str, str]:
        token = _token(client.get(f"/set-up/{step}").text)
        reply = client.post(f"/set-up/{step}", data={"csrf_token": token, **typed})
        return reply.headers.get("Location", ""), reply.text

    send("language", locale="zh_CN")
    assert "时区</a>：必须填写" in send("house", name="和园物业", zone="")[1]
    assert "时区</a>：不是能识别的时区" in send("house", name="和园物业", zone="上海")[1]
    send("house", name="和园物业", zone="Asia/Shanghai")
    send("levels", naming="numbered")
    assert "全宗号</a>：须为一到八个字母或数字" in send("fonds", code="和园", name="和园", scheme="")[1]
    assert send("fonds", code="ＨＹ０１", name="和园", scheme="")[0] == "/set-up/people"
    assert 'value="HY01"' in client.get("/set-up/fonds").text
