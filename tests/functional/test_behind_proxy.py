"""What proxies say of who asks is believed of as many as the house has; cookies go by TLS where the house says so."""

import http.client
import json

from flask.testing import FlaskClient

from runtime.processes.pages import make_app
from runtime.settings import load
from runtime.wiring.parts import NoWaker, build
from tests.factories.archives import Archive

STRANGER = "203.0.113.9"


def client(archive: Archive, **settings: str) -> FlaskClient:
    parts = build(load(archive.environment | settings), NoWaker())
    archive._open.append(parts)
    return make_app(parts).test_client()


def near(asked: FlaskClient, *forwarded: str) -> bool:
    """Whether the house takes who asks for this very machine: only then it tells of its parts."""
    headers = {"X-Forwarded-For": ", ".join(forwarded)} if forwarded else {}
    return "parts" in asked.get("/health/ready", headers=headers).get_json()


def test_only_as_many_proxies_as_there_are_are_believed(archive: Archive) -> None:
    none, one = client(archive), client(archive, JUANKU_PROXIES="1")
    assert near(none)
    assert near(none, STRANGER)
    assert near(one)
    assert not near(one, STRANGER)
    assert not near(one, "127.0.0.1", STRANGER)
    assert near(one, STRANGER, "127.0.0.1")


def test_the_web_server_passes_on_what_the_proxy_says(archive: Archive) -> None:
    with archive.served({"JUANKU_PROXIES": "1"}) as served:
        asked = http.client.HTTPConnection("127.0.0.1", served.port, timeout=120)
        asked.request("GET", "/health/ready", headers={"X-Forwarded-For": STRANGER})
        assert json.load(asked.getresponse()) == {"ready": True}
        asked.close()


def test_with_tls_cookies_are_bound_to_it(archive: Archive) -> None:
    plain, private = client(archive).get("/sign-in"), client(archive, JUANKU_HTTPS="on").get("/sign-in")
    assert plain.headers["Set-Cookie"].startswith("juanku_form=")
    assert "Strict-Transport-Security" not in plain.headers
    assert private.headers["Set-Cookie"].startswith("__Host-juanku_form=")
    assert "Secure" in private.headers["Set-Cookie"]
    assert private.headers["Strict-Transport-Security"]
