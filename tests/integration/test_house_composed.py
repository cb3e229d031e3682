"""The services of ``docker-compose.yml`` as plain processes on the real servers, so that the file cannot rot.

Their commands, variables, secrets, order and health checks are the file's. Only hosts, ports, folders and the names of
database, buckets and index are others. Redis is started by the file's command; the other servers stand already, and
Elasticsearch there asks for no password, so the step that gives its user rights is left out.
"""

import contextlib
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, make_url, text

from runtime.celery_app import answers
from runtime.cli.main import cli
from runtime.settings import load
from tests.factories import minio_server
from tests.factories.archives import alive, children_of, free_port, wait_for
from tests.factories.composed import Plain, composed
from tests.factories.elastic import VARIABLE, sweep
from tests.factories.programs import brought_in, wait_until_found

DATABASE = "JUANKU_TEST_POSTGRES"


@dataclass
class House:
    """The file's services here."""

    services: Plain
    name: str
    redis: int
    url: str

    def start_redis(self) -> None:
        self.services.start("redis", "--port", str(self.redis), "--bind", "127.0.0.1")

    def juanku(self, *words: str) -> Any:
        """Give a command in the web service, as an operator does; in this process, for each start costs seconds."""
        answer = CliRunner(env=self.services.variables("web")).invoke(cli, [*words, "--json"])
        assert answer.exit_code == 0, answer.output
        return json.loads(answer.stdout)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    search = os.environ.get(VARIABLE, "")
    database = os.environ.get(DATABASE, "")
    if not (search and database and shutil.which("redis-server")):
        pytest.skip(f"needs {DATABASE}, {VARIABLE} and the program redis-server")
    made = a_house(tmp_path, database, search, minio_server.needed().endpoint)
    try:
        yield made
    finally:
        running = made.services.running.values()
        left = {pid for process in running for pid in children_of(process.pid)}
        made.services.kill()
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        sweep(made.name)
        take_away(database, made.name)


def take_away(database: str, name: str) -> None:
    engine = create_engine(database, isolation_level="AUTOCOMMIT")
    with engine.connect() as server:
        server.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        for role in (name, f"{name}_owner"):
            server.execute(text(f"DROP ROLE IF EXISTS {role}"))
    engine.dispose()


def a_house(folder: Path, database: str, search: str, store: str) -> House:
    """Take the first-run step by its command, and bring its secrets to the servers that are here."""
    own, there = f"t{secrets.token_hex(6)}", make_url(database)
    redis, web = free_port(), free_port()
    places = {
        "@postgres:5432": f"@{there.host}:{there.port}",
        "@redis:6379": f"@127.0.0.1:{redis}",
        "//minio:9000": f"//{store}",
        "http://elasticsearch:9200": search,
        "/juanku": f"/{own}",
        "//juanku:": f"//{own}:",
        "//juanku_owner:": f"//{own}_owner:",
        "/run/secrets": str(folder / "secrets"),
        "redis-cli ping": f"redis-cli -p {redis} ping",
    }
    places |= {f"juanku-{name}": f"{own}-{name}" for name in ("everyday", "sweep", "destroy", "witness")}
    for volume in composed()["services"]["web"]["volumes"]:
        places[volume["target"]] = str(folder / volume["source"])
    instead = {
        "JUANKU_HOST": "127.0.0.1",
        "JUANKU_PORT": str(web),
        "JUANKU_STORE_ADMIN_KEY": minio_server.KEY,
        "JUANKU_SEARCH_PREFIX": own,
        "JUANKU_SEARCH_ADMIN_PASSWORD_FILE": None,
    }
    services = Plain(folder, {"JUANKU_OCR": "none", "JUANKU_PROXIES": "1", "JUANKU_HTTPS": "on"}, places, instead)
    services.run("first-run", "house", "secrets", "--in", str(folder))
    for file in (folder / "secrets").iterdir():
        file.write_text(services.put(file.read_text()))
    for secret, told in composed()["secrets"].items():
        if told["file"] == "./deploy/none":  # a way out that this house has not
            (folder / "secrets" / secret).touch()
    (folder / "secrets/database-admin-url").write_text(database)
    (folder / "secrets/store-admin").write_text(minio_server.SECRET)
    return House(services, own, redis, f"http://127.0.0.1:{web}")


def test_the_file_s_services_take_a_record_in_find_it_and_end_in_order(house: House) -> None:
    # some 15 s: seven starts of the product, which only processes can show
    services = house.services
    house.start_redis()
    wait_for(lambda: services.healthy("redis"), 60)
    wait_for(lambda: answers(load(services.variables("worker"))), 60)  # it takes the password that was made
    assert json.loads(services.run("set-up", *services.command("set-up")[3:], "--json"))["made"] is True
    for name in ("web", "worker", "beat"):
        services.start(name)
    house.juanku("fonds", "add", "H001", "--name", "和园物业", "--scheme", "property")
    house.juanku("user", "add", "lin", "--role", "archivist", "--clearance", "4")
    house.juanku("user", "grant", "lin", "--fonds", "H001")
    house.juanku("level", "distribute", "4")
    token = house.juanku("user", "token", "lin", "--name", "script", "--write")["token"]
    for name in ("web", "worker", "beat"):
        wait_for(lambda name=name: signs(services, name) and services.healthy(name), 120)
    assert "parts" in ready(house.url)
    assert "parts" not in ready(house.url, "203.0.113.9")  # as the proxy says, and the web server passes on
    number = brought_in(house.url, token)
    found = wait_until_found(house.url, token)
    assert [hit["number"] for hit in found["hits"]] == [number]
    assert sum(counted(house).values()) >= 5, "each process that serves pages counts, and one tells the sum"
    processes = {pid for each in services.running.values() for pid in {each.pid} | children_of(each.pid)}
    assert len(processes) >= 6
    assert dict(services.ends()) == dict.fromkeys(services.running, 0), [services.log(n) for n in services.running]
    wait_for(lambda: not [pid for pid in processes if alive(pid)])


def signs(services: Plain, name: str) -> bool:
    """Whether it is worth while to run a service's check, which costs as much as a start of Python."""
    if name != "web":
        return any((services.folder / "tmp" / name).iterdir())
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(services.variables("web")["JUANKU_PORT"]))) == 0


def ready(url: str, forwarded: str = "127.0.0.1") -> Any:
    """Ask how the parts are; which they are is told to this machine alone."""
    asked = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
    asked.request("GET", "/health/ready", headers={"X-Forwarded-For": forwarded})
    answer = json.load(asked.getresponse())
    asked.close()
    return answer


def counted(house: House) -> dict[str, float]:
    """Ask for the figures with the token that the first run made; return the requests by what they were."""
    token = Path(house.services.variables("web")["JUANKU_METRICS_TOKEN_FILE"]).read_text().strip()
    request = urllib.request.Request(f"{house.url}/metrics", headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=120) as reply:  # noqa: S310 (our own address)
        lines = [line.rsplit(" ", 1) for line in reply.read().decode().splitlines()]
    return {line[0]: float(line[1]) for line in lines if line[0].startswith("juanku_requests_total{")}
