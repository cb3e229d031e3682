"""``juanku house set-up`` at the real servers: accounts with no more rights than they need, made as often as wanted."""

import json
import os
import secrets
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from archive.errors import StandsAlready
from archive.identity import system
from runtime.doctor import doctor
from runtime.ready import RESTORING
from runtime.restoring import restore
from runtime.setting_up.making import create
from runtime.setting_up.servers import set_up
from runtime.settings import Settings, load, place_of
from runtime.wiring.parts import NoWaker, build
from storage.minio.client import Access, client, translated
from storage.minio.setup import may_delete, state
from tests.factories import minio_server

VARIABLE = "JUANKU_TEST_POSTGRES"


def run(url: str, statement: str) -> Any:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            answer = connection.execute(text(statement))
            return answer.scalar() if answer.returns_rows else None
    finally:
        engine.dispose()


@pytest.fixture
def names() -> Iterator[tuple[str, str]]:
    administrator = os.environ.get(VARIABLE, "")
    if not administrator:
        pytest.skip(f"no PostgreSQL server: {VARIABLE} names none")
    own = f"t{secrets.token_hex(6)}"
    yield own, administrator
    run(administrator, f"DROP DATABASE IF EXISTS {own} WITH (FORCE)")
    for role in (own, f"{own}_owner"):
        run(administrator, f"DROP ROLE IF EXISTS {role}")


def addresses(names: tuple[str, str], password: str) -> dict[str, str]:
    """Return the settings of a database, of the role that owns it, and of the server's administrator."""
    own, administrator = names

    def address(role: str, secret: str) -> str:
        url = make_url(administrator).set(username=role, password=secret, database=own)
        return url.render_as_string(hide_password=False)

    return {
        "JUANKU_DATABASE_URL": address(own, password),
        "JUANKU_DATABASE_OWNER_URL": address(f"{own}_owner", "first'o"),
        "JUANKU_DATABASE_ADMIN_URL": administrator,
    }


def test_a_restore_sets_empty_servers_up_and_begins_anew_where_it_broke_off(
    names: tuple[str, str], tmp_path: Path
) -> None:
    def settings(home: str, more: dict[str, str]) -> Settings:
        given = {"JUANKU_HOME": str(tmp_path / home), "JUANKU_KEYS": str(tmp_path / "keys"), "JUANKU_OCR": "none"}
        return load(given | more)

    place = (tmp_path / "backup").as_uri()
    here = settings("here", {"JUANKU_BACKUP_URL": place})
    create(here, {"en": "One"}, "grades", "Asia/Shanghai")
    parts = build(here, NoWaker())
    parts.safekeeping.make(system("backup"), lambda *_: None)
    parts.close()
    there = settings("there", addresses(names, "one"))
    assert restore(there, place, None, lambda *_: None).ok
    (there.home / RESTORING).write_text(json.dumps({"into": place_of(here)}))  # one that was killed went elsewhere
    with pytest.raises(StandsAlready, match="restore_elsewhere"):
        restore(there, place, None, lambda *_: None)
    assert run(addresses(names, "one")["JUANKU_DATABASE_URL"], "SELECT count(*) FROM house") == 1
    (there.home / RESTORING).write_text(json.dumps({"into": place_of(there)}))
    assert restore(there, place, None, lambda *_: None).ok
    assert run(addresses(names, "one")["JUANKU_DATABASE_URL"], "SELECT count(*) FROM house") == 1


def test_roles_and_database_are_made_once_and_a_changed_password_reaches_the_server(
    names: tuple[str, str], tmp_path: Path
) -> None:
    own = names[0]

    def settings(password: str) -> Settings:
        return load(addresses(names, password) | {"JUANKU_HOME": str(tmp_path / "home"), "JUANKU_OCR": "none"})

    def everyday(password: str) -> str:
        return addresses(names, password)["JUANKU_DATABASE_URL"]

    owner = addresses(names, "")["JUANKU_DATABASE_OWNER_URL"]
    assert set_up(settings("one'")) == ["database"]
    assert run(everyday("one'"), "SELECT current_user") == own
    assert run(everyday("one'"), "SHOW server_encoding") == "UTF8"
    with pytest.raises(ProgrammingError):
        run(everyday("one'"), "CREATE TABLE mine (id int)")
    run(owner, "CREATE TABLE theirs (id int)")
    set_up(settings("two"))
    assert run(everyday("two"), "SELECT current_user") == own
    with pytest.raises(OperationalError):
        run(everyday("one'"), "SELECT 1")
    (told,) = (part for part in doctor(settings("one'")) if part.facts.get("part") == "database")
    assert (told.name, told.message) == ("database", "unavailable")
    assert own in told.facts["reason"], "the driver says whom the server lets in not"
    assert run(owner, "SELECT count(*) FROM theirs") == 0


def test_each_credential_of_the_store_may_do_its_own_and_no_more() -> None:
    there = minio_server.needed()
    own = f"test-{secrets.token_hex(6)}"
    accounts = {name: f"{own}-{name}" for name in ("everyday", "sweep", "destroy", "witness")}
    given = {
        "JUANKU_STORE_URL": f"s3+http://{there.endpoint}/{own}",
        "JUANKU_STORE_KEY": accounts["everyday"],
        "JUANKU_STORE_SECRET": "everyday-secret",
        "JUANKU_STORE_WITNESS_BUCKET": f"{own}-witness",
        "JUANKU_STORE_ADMIN_KEY": there.key,
        "JUANKU_STORE_ADMIN_SECRET": there.secret,
    }
    for name in ("sweep", "destroy", "witness"):
        given[f"JUANKU_STORE_{name.upper()}_KEY"] = accounts[name]
        given[f"JUANKU_STORE_{name.upper()}_SECRET"] = f"{name}-secret"
    set_up(load(given))
    assert set_up(load(given)) == ["store"]

    def as_(name: str) -> Any:
        return client(Access(there.endpoint, accounts[name], f"{name}-secret", secure=False))

    found = state(as_("everyday"), own)
    assert (found.exists, found.versioned, found.locks, found.incoming) == (True, True, True, True)
    rights = {name: may_delete(as_(name), own) for name in ("everyday", "sweep", "destroy")}
    assert rights == {"everyday": False, "sweep": True, "destroy": True}
    assert not may_delete(as_("witness"), f"{own}-witness")
    with translated():
        assert as_("witness").bucket_exists(f"{own}-witness")


def test_the_user_of_the_search_engine_gets_the_house_s_indices_alone(tmp_path: Path) -> None:
    heard: list[tuple[str, Any]] = []

    class Server(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            heard.append((self.path, body))
            assert self.headers["Authorization"].startswith("Basic ")
            self.send_response(200)
            self.send_header("X-Elastic-Product", "Elasticsearch")
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever).start()
        settings = {"JUANKU_SEARCH_URL": f"http://127.0.0.1:{server.server_port}", "JUANKU_SEARCH_PREFIX": "house"}
        settings |= {"JUANKU_SEARCH_USER": "juanku", "JUANKU_SEARCH_PASSWORD": "p", "JUANKU_HOME": str(tmp_path)}
        assert set_up(load(settings | {"JUANKU_SEARCH_ADMIN_PASSWORD": "a"})) == ["search"]
        server.shutdown()
    assert heard == [
        (
            "/_security/role/juanku",
            {"cluster": ["monitor"], "indices": [{"names": ["house-*"], "privileges": ["all"]}]},
        ),
        ("/_security/user/juanku", {"password": "p", "roles": ["juanku"]}),
    ]


def test_who_names_no_administrator_has_nothing_changed() -> None:
    assert set_up(load({})) == []
