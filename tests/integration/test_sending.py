"""The ways out against servers that are really there: mail by SMTP, with and without TLS, and hooks by HTTP."""

import base64
import hashlib
import hmac
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from archive.errors import ArchiveError
from archive.model import Channel
from archive.reminding.delivering import Letter, NotSent, Unclear
from benchmarks._own_servers import Certificates
from runtime.sending.hooks import Sms, dingtalk, feishu, wecom
from runtime.sending.mail import Mail
from runtime.sending.ways import ways_of
from runtime.settings import load, shown
from tests.factories.archives import free_port
from tests.factories.certificates import certificates
from tests.factories.outside import a_hook, a_mail_server
from tests.fakes.clock import START, FixedClock

LETTER = Letter(
    UUID(int=7), "卷库：核心档案复核", "请核对它是否仍属核心档案。\nhttps://archive.example.cn/messages/1\n"
)
FROM = "juanku@example.cn"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("mail") / "certificates")


def test_a_letter_arrives_whole_in_any_script() -> None:
    many = replace(LETTER, text="\n\n".join([LETTER.text] * 50))
    with a_mail_server() as (server, port):
        for letter in (LETTER, many):
            Mail(f"smtp://127.0.0.1:{port}", FROM).send("a@example.cn", letter)
    assert server.taken[1][1].get_content().split() == many.text.split(), "a server counts lines that end as it asks"
    (to, message) = server.taken[0]
    assert to == ["a@example.cn"]
    assert (message["Subject"], message["From"], message["To"]) == (LETTER.subject, FROM, "a@example.cn")
    assert message["Message-ID"] == f"<{LETTER.key.hex}@example.cn>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().split() == LETTER.text.split()


@pytest.mark.parametrize("starttls", [False, True])
def test_by_tls_with_name_and_password_and_to_no_server_that_is_not_trusted(
    sealed: Certificates, *, starttls: bool
) -> None:
    scheme = "smtp+starttls" if starttls else "smtps"
    with a_mail_server((sealed.shown, sealed.key), starttls=starttls) as (server, port):
        url = f"{scheme}://127.0.0.1:{port}"
        Mail(url, FROM, "house", "secret", str(sealed.authority)).send("a@example.cn", LETTER)
        with pytest.raises(NotSent, match="mail_sign_in"):
            Mail(url, FROM, "house", "wrong", str(sealed.authority)).send("a@example.cn", LETTER)
        with pytest.raises(NotSent, match="mail_certificate"):
            Mail(url, FROM, "house", "secret").send("a@example.cn", LETTER)
    assert len(server.taken) == 1


def test_a_server_without_tls_gets_nothing_where_tls_is_asked_for() -> None:
    with a_mail_server() as (server, port), pytest.raises(NotSent, match="mail_no_tls"):
        Mail(f"smtp+starttls://127.0.0.1:{port}", FROM).send("a@example.cn", LETTER)
    assert server.taken == []


@pytest.mark.parametrize(
    ("where", "said", "reason", "again"),
    [
        ("rcpt", "550 no such person", "mail_refused_address", False),
        ("rcpt", "451 later", "mail_refused_address", True),
        ("data", "554 no", "mail_refused", False),
        ("data", "452 full", "mail_refused", True),
    ],
)
def test_what_a_mail_server_refuses_is_told_and_whether_it_may_work_later(
    where: str, said: str, reason: str, *, again: bool
) -> None:
    with a_mail_server() as (server, port):
        server.refuses[where] = said
        with pytest.raises(NotSent) as refused:
            Mail(f"smtp://127.0.0.1:{port}", FROM).send("a@example.cn", LETTER)
    assert (refused.value.reason, refused.value.again) == (reason, again)


def test_an_address_that_no_server_understands_is_told_and_not_tried_again() -> None:
    with a_mail_server() as (server, port), pytest.raises(NotSent) as refused:
        Mail(f"smtp://127.0.0.1:{port}", FROM).send("张三@example.cn", LETTER)
    assert (refused.value.reason, refused.value.again, server.taken) == ("mail_refused_address", False, [])


def test_a_server_that_took_it_and_said_nothing_leaves_it_unclear_and_one_that_is_away_does_not() -> None:
    with a_mail_server() as (server, port):
        server.breaks_off = True
        with pytest.raises(Unclear, match="mail_broke_off"):
            Mail(f"smtp://127.0.0.1:{port}", FROM).send("a@example.cn", LETTER)
    assert len(server.taken) == 1
    with pytest.raises(NotSent) as away:
        Mail(f"smtp://127.0.0.1:{free_port()}", FROM).check()
    assert (away.value.reason, away.value.again) == ("mail_away", True)


def test_the_gateway_gets_number_and_text_and_its_token() -> None:
    with a_hook() as (hook, url):
        Sms(f"{url}/sms", "gateway-token").send("+8613800138000", LETTER)
    [(path, headers, body)] = hook.asked
    assert (path, headers["Authorization"]) == ("/sms", "Bearer gateway-token")
    assert body == {"id": LETTER.key.hex, "to": "+8613800138000", "text": LETTER.text}


def test_robots_are_spoken_to_as_their_services_ask_and_signed() -> None:
    clock, secret = FixedClock(), "SEC000"
    with a_hook() as (hook, url):
        hook.body = b'{"errcode": 0, "code": 0}'
        for robot in (
            wecom(f"{url}/send?key=k"), dingtalk(f"{url}/robot/send?access_token=t", secret, clock),
            feishu(f"{url}/hook/x", secret, clock),
        ):  # fmt: skip
            robot.send("", LETTER)
    (path, _headers, body), ding, fei = hook.asked
    assert (path, body) == ("/send?key=k", {"msgtype": "text", "text": {"content": LETTER.text}})
    asked = parse_qs(urlsplit(ding[0]).query)
    moment = str(round(START.timestamp() * 1000))
    expected = base64.b64encode(hmac.new(secret.encode(), f"{moment}\n{secret}".encode(), hashlib.sha256).digest())
    assert asked == {"access_token": ["t"], "timestamp": [moment], "sign": [expected.decode()]}
    assert ding[2] == {"msgtype": "text", "text": {"content": LETTER.text}}
    moment = str(int(START.timestamp()))
    expected = base64.b64encode(hmac.new(f"{moment}\n{secret}".encode(), b"", hashlib.sha256).digest())
    assert fei[2] == {
        "msg_type": "text", "content": {"text": LETTER.text}, "timestamp": moment, "sign": expected.decode(),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "body", "wanted", "reason", "again"),
    [
        (200, b'{"errcode": 45009}', NotSent, "hook_busy", True),
        (200, b'{"errcode": 93000, "errmsg": "invalid webhook url"}', NotSent, "hook_refused", False),
        (200, b"<html>", NotSent, "hook_refused", False),
        (302, b"", NotSent, "hook_redirects", False),
        (404, b"", NotSent, "hook_refused", False),
        (429, b"", NotSent, "hook_busy", True),
        (500, b"", Unclear, "hook_failed", None),
    ],
)
def test_what_a_robot_answers_is_told(
    status: int, body: bytes, wanted: type[Exception], reason: str, again: bool | None
) -> None:
    with a_hook() as (elsewhere, other), a_hook() as (hook, url):
        hook.status, hook.body, hook.headers = status, body, {"Location": other}
        with pytest.raises(wanted) as told:
            wecom(url).send("", LETTER)
    assert elsewhere.asked == []
    assert len(hook.asked) == 1
    assert (told.value.reason, getattr(told.value, "again", None)) == (reason, again)  # type: ignore[attr-defined]


def test_a_hook_that_took_it_and_said_nothing_leaves_it_unclear() -> None:
    with a_hook() as (hook, url):
        hook.silent = True
        with pytest.raises(Unclear, match="hook_broke_off"):
            wecom(url).send("", LETTER)
    with pytest.raises(NotSent, match="hook_away"):
        wecom(f"http://127.0.0.1:{free_port()}").send("", LETTER)


def settings(tmp_path: Path, **more: str) -> Any:
    return load({"JUANKU_HOME": str(tmp_path / "home"), **more})


def test_settings_open_the_ways_and_show_no_secret(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("SEC-in-a-file\n")
    given = settings(
        tmp_path, JUANKU_MAIL_URL="smtps://mail.example.cn", JUANKU_MAIL_FROM=FROM, JUANKU_MAIL_PASSWORD="pass-word-1",
        JUANKU_SMS_URL="https://sms.example.cn/?key=key-1", JUANKU_SMS_TOKEN="token-1",
        JUANKU_WECOM_URL="https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=key-2",
        JUANKU_DINGTALK_URL="https://oapi.dingtalk.com/robot/send?access_token=key-3",
        JUANKU_DINGTALK_SECRET_FILE=str(secret), JUANKU_FEISHU_URL="https://open.feishu.cn/open-apis/bot/v2/hook/key-4",
        JUANKU_ADDRESS="https://archive.example.cn/",
    )  # fmt: skip
    ways = ways_of(given, FixedClock())
    assert set(ways.senders) == set(Channel)
    assert ways.address == "https://archive.example.cn"
    told = repr(shown(given)) + repr(ways)
    for hidden in ("pass-word-1", "token-1", "key-1", "key-2", "key-3", "key-4", "SEC-in-a-file"):
        assert hidden not in told
    assert ways_of(settings(tmp_path), FixedClock()).senders == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"JUANKU_MAIL_URL": "smtp://mail.example.cn", "JUANKU_MAIL_FROM": FROM},
        {"JUANKU_MAIL_URL": "smtps://mail.example.cn"},
        {"JUANKU_MAIL_URL": "smtps://user:pass@mail.example.cn", "JUANKU_MAIL_FROM": FROM},
        {"JUANKU_MAIL_URL": "http://mail.example.cn", "JUANKU_MAIL_FROM": FROM},
        {"JUANKU_MAIL_FROM": "nobody"},
        {"JUANKU_MAIL_URL": "smtps://mail.example.cn", "JUANKU_MAIL_FROM": "档案@example.cn"},
        {"JUANKU_WECOM_URL": "http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k"},
        {"JUANKU_SMS_URL": "file:///etc/passwd"},
        {"JUANKU_ADDRESS": "archive.example.cn"},
    ],
)
def test_a_way_that_would_go_in_plain_or_nowhere_is_refused(tmp_path: Path, wrong: dict[str, str]) -> None:
    with pytest.raises(ArchiveError):
        settings(tmp_path, **wrong)
