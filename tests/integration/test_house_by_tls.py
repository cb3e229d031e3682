"""A house whose four servers take TLS alone, with certificates of an authority that the house names."""

import json
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks import _own_servers as own
from runtime.celery_app import answers
from runtime.cli.main import cli
from runtime.settings import load
from tests.factories.archives import Archive, wait_for
from tests.factories.certificates import certificates
from tests.factories.programs import brought_in, wait_until_found

pytestmark = pytest.mark.timeout(1800)  # the start of an Elasticsearch takes minutes where others work beside it
PASSWORD = secrets.token_hex(12)


@dataclass
class House:
    """Its folder, and the settings by which it reaches its servers."""

    archive: Archive
    settings: Mapping[str, str]
    stranger: Path
    """The certificate of an authority that signed none of theirs."""

    def juanku(self, *words: str) -> Any:
        """Give a command; return what it answers."""
        answer = self.answer(*words)
        assert answer.exit_code == 0, answer.output
        return json.loads(answer.stdout)

    def answer(self, *words: str, **instead: str) -> Any:
        """Give a command, with other settings instead of the house's."""
        environment = self.archive.environment | self.settings | instead
        runner = CliRunner(env={name: environment.get(name) for name in {*os.environ, *environment}})
        return runner.invoke(cli, [*words, "--json"])

    def parts(self, **instead: str) -> dict[str, set[str]]:
        """Ask the doctor; return the states of each part."""
        states: dict[str, set[str]] = {}
        for part in json.loads(self.answer("doctor", **instead).stdout)["parts"]:
            states.setdefault(part["name"], set()).add(part["state"])
        return states


def missing() -> list[str]:
    programs: dict[str, Callable[[], object]] = {
        "PostgreSQL": own.postgres_programs,
        "Redis": own.redis_program,
        "MinIO": own.minio_program,
        "Elasticsearch": own.elastic_folder,
    }
    return [name for name, found in programs.items() if not found()]


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    if absent := missing():
        pytest.skip(f"not there: {', '.join(absent)}")
    with ExitStack() as stack:
        # not below pytest's own folder: two of the servers run as someone else, who may not go there
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="juanku-tls-")))
        folder.chmod(0o755)
        shown, stranger = certificates(folder / "certificates"), certificates(folder / "strange")
        for name in ("search", "archive"):
            (folder / name).mkdir()
        with ThreadPoolExecutor() as pool:
            started = [
                pool.submit(own.postgres, folder / "database", sealed=shown),
                pool.submit(own.redis, folder / "broker", sealed=shown, password=PASSWORD),
                pool.submit(own.minio, folder / "store", sealed=shown),
                pool.submit(own.elastic, folder / "search", sealed=shown, password=PASSWORD),
            ]
        for each in started:
            if not each.exception():
                stack.callback(each.result().kill)
        database, broker, store, search = (each.result().address for each in started)
        verified = f"sslmode=verify-full&sslrootcert={shown.authority}"
        settings = {
            "JUANKU_DATABASE_ADMIN_URL": f"postgresql+psycopg://archive@{database}/postgres?{verified}",
            "JUANKU_DATABASE_URL": f"postgresql+psycopg://juanku:{PASSWORD}@{database}/juanku?{verified}",
            "JUANKU_DATABASE_OWNER_URL": f"postgresql+psycopg://owner:{PASSWORD}@{database}/juanku?{verified}",
            "JUANKU_BROKER_URL": f"rediss://:{PASSWORD}@{broker}/0",
            "JUANKU_BROKER_CA": str(shown.authority),
            "JUANKU_STORE_URL": f"s3+https://{store}/juanku",
            "JUANKU_STORE_CA": str(shown.authority),
            "JUANKU_STORE_KEY": "everyday",
            "JUANKU_STORE_SECRET": PASSWORD,
            "JUANKU_STORE_ADMIN_KEY": own.MINIO_KEY,
            "JUANKU_STORE_ADMIN_SECRET": own.MINIO_SECRET,
            "JUANKU_SEARCH_URL": f"https://{search}",
            "JUANKU_SEARCH_CA": str(shown.authority),
            "JUANKU_SEARCH_USER": "juanku",
            "JUANKU_SEARCH_PASSWORD": PASSWORD,
            "JUANKU_SEARCH_ADMIN_PASSWORD": PASSWORD,
        }
        made = House(Archive(folder / "archive"), settings, stranger.authority)
        assert made.juanku("house", "set-up")["made"] is True
        yield made


def test_a_record_goes_in_and_is_found(house: House) -> None:
    house.juanku("fonds", "add", "H001", "--name", "和园物业", "--scheme", "property")
    house.juanku("user", "add", "lin", "--role", "archivist", "--clearance", "4")
    house.juanku("user", "grant", "lin", "--fonds", "H001")
    house.juanku("level", "distribute", "4")
    token = house.juanku("user", "token", "lin", "--name", "script", "--write")["token"]
    with house.archive.served(house.settings) as served:
        number = brought_in(served.url, token)
        assert [hit["number"] for hit in wait_until_found(served.url, token)["hits"]] == [number]
    assert [name for name, states in house.parts().items() if "broken" in states] == []


def test_a_broker_whose_certificate_nobody_vouches_for_is_not_spoken_to(house: House) -> None:
    given = house.archive.environment | house.settings
    wait_for(lambda: answers(load(given)))
    assert not answers(load(given | {"JUANKU_BROKER_CA": str(house.stranger)}))
    assert not answers(load(given | {"JUANKU_BROKER_CA": ""}))


@pytest.mark.parametrize(("part", "setting"), [("store", "JUANKU_STORE_CA"), ("search", "JUANKU_SEARCH_CA")])
def test_nor_a_store_or_a_search_engine(house: House, part: str, setting: str) -> None:
    states = house.parts(**{setting: str(house.stranger)})
    assert [name for name, each in states.items() if "broken" in each] == [part]


def test_nor_a_database(house: House) -> None:
    strange = {
        name: url.replace("certificates/", "strange/") for name, url in house.settings.items() if "DATABASE" in name
    }
    states = house.parts(**strange)
    assert "broken" in states["database"]
