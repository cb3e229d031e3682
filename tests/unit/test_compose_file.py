"""The compose file keeps its promises: no default secret, nobody is root, nothing is written where it should not be."""

import re
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest

from archive import failpoints
from archive.errors import StandsAlready
from runtime.setting_up import secrets as house_secrets
from runtime.settings import SPECS, load
from tests.factories.composed import ONE_SHOT, OURS, ROOT, check_words, composed, words

WHOLE = composed()
SERVICES: dict[str, Any] = WHOLE["services"]
INSIDE = {"worker", "set-up", "postgres", "redis", "minio", "elasticsearch", "clamav"}


WAYS_OUT = {name for name, told in WHOLE["secrets"].items() if told["file"] == "./deploy/none"}


def test_what_opens_a_way_out_of_the_house_is_taken_from_the_file_that_the_environment_names(tmp_path: Path) -> None:
    secret = tmp_path / "mail-password"
    secret.write_text("opens sesame")
    given = {"JUANKU_MAIL_URL": "smtps://mail.example", "JUANKU_MAIL_FROM": "archive@example.com"}
    whole = composed(given | {"JUANKU_MAIL_PASSWORD_FILE": str(secret)})
    assert whole["secrets"]["mail-password"] == {"file": str(secret)}
    service = whole["services"]["beat"]
    said = {variable: value for variable, value in service["environment"].items() if "_MAIL_" in variable and value}
    said["JUANKU_MAIL_PASSWORD_FILE"] = whole["secrets"]["mail-password"]["file"]
    settings = load(said | {"JUANKU_HOME": str(tmp_path)})
    assert (settings.mail_url, settings.mail_password) == ("smtps://mail.example", "opens sesame")
    assert set(service["secrets"]) >= WAYS_OUT


def test_who_sends_no_messages_cannot_open_a_way_out() -> None:
    for name in set(SERVICES) - {"beat"}:
        assert not set(SERVICES[name].get("secrets", ())) & WAYS_OUT, name
        assert not set(SERVICES[name].get("environment", {})) & set(WHOLE["x-ways"]), name


def test_every_server_and_every_process_of_a_house_is_there() -> None:
    assert set(SERVICES) == INSIDE | {"web", "beat", "first-run", "signatures"}
    assert {name for name, service in SERVICES.items() if "profiles" in service} == {
        "first-run",
        "clamav",
        "signatures",
    }


@pytest.mark.parametrize("name", SERVICES)
def test_nobody_is_root_writes_the_image_or_takes_the_whole_machine(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[1-9]\d*:\d+", service["user"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert set(service.get("cap_add", ())) <= ({"CHOWN"} if name == "first-run" else set())
    assert "no-new-privileges:true" in service["security_opt"]
    assert not {"privileged", "pid", "ipc", "devices"} & set(service)
    limits = service["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory", "pids"}


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_looked_after(name: str) -> None:
    service = SERVICES[name]
    if name in ONE_SHOT:
        assert service["restart"] == "no"
        assert service["healthcheck"] == {"disable": True}
    else:
        assert service["restart"] == "unless-stopped"
        assert check_words(service)
        assert service["healthcheck"]["timeout"]
    for before in service.get("depends_on", {}):
        assert before in SERVICES


@pytest.mark.parametrize("name", SERVICES)
def test_no_variable_holds_a_secret(name: str) -> None:
    for variable, value in SERVICES[name].get("environment", {}).items():
        told = str(value)
        if variable.endswith("_FILE"):
            assert told.removeprefix("/run/secrets/") in SERVICES[name]["secrets"], variable
            continue
        assert not re.search(r"PASSWORD|SECRET|TOKEN|API_KEY", variable), variable
        assert not re.search(r"://[^/]*@", told), variable
    for given in SERVICES[name].get("secrets", ()):
        assert given in WHOLE["secrets"]


def test_who_has_no_business_outside_cannot_get_there() -> None:
    assert WHOLE["networks"]["inside"] == {"internal": True}
    assert {name for name, each in SERVICES.items() if each.get("networks") == ["inside"]} == INSIDE
    assert SERVICES["first-run"]["network_mode"] == "none"
    [sender] = [name for name, each in SERVICES.items() if "deliver" in " ".join(words(each.get("command")))]
    assert "outside" in SERVICES[sender]["networks"], "a message has no way out of the house"
    assert set(WHOLE["x-ways"]) <= set(SERVICES[sender]["environment"]), "and knows none"
    published = {name: each["ports"] for name, each in SERVICES.items() if "ports" in each}
    assert published == {"web": ["127.0.0.1:8000:8000"]}


@pytest.mark.parametrize("name", sorted(OURS - {"first-run"}))
def test_settings_of_our_services_are_known_and_taken(name: str, tmp_path: Path) -> None:
    house_secrets.make(tmp_path)
    for way in WAYS_OUT:
        (tmp_path / "secrets" / way).write_bytes((ROOT / "deploy/none").read_bytes())
    given = {}
    for variable, value in SERVICES[name]["environment"].items():
        assert variable.removesuffix("_FILE") in {spec.variable for spec in SPECS.values()}, variable
        given[variable] = str(value).replace("/run/secrets", str(tmp_path / "secrets"))
    settings = load(given)
    assert settings.database_url.startswith("postgresql+psycopg://juanku:")
    assert settings.store_witness_secret
    assert bool(settings.database_admin_url) is (name == "set-up")
    assert bool(settings.store_destroy_key) is (name in {"set-up", "beat"})


def test_what_is_kept_lies_in_folders_that_the_first_run_makes(tmp_path: Path) -> None:
    house_secrets.make(tmp_path)
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            if isinstance(volume, dict):
                assert volume["bind"] == {"create_host_path": False}
                assert (tmp_path / volume["source"]).is_dir(), volume["source"]
            else:
                assert volume == ".:/house" or ((ROOT / volume.split(":")[0]).is_file() and volume.endswith(":ro"))


def test_the_first_run_makes_every_secret_for_its_owner_alone(tmp_path: Path) -> None:
    made = house_secrets.make(tmp_path)
    files = {each.name for each in (tmp_path / "secrets").iterdir()}
    assert files == set(WHOLE["secrets"]) - WAYS_OUT
    for name, told in WHOLE["secrets"].items():
        assert told == {"file": "./deploy/none" if name in WAYS_OUT else f"./secrets/{name}"}
    for name in made.files:
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600, name
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert made.owner[0] != 0
    assert f"JUANKU_UID={made.owner[0]}\n" in (tmp_path / ".env").read_text()
    taken = [line for line in (tmp_path / ".env").read_text().splitlines() if not line.startswith("#")]
    assert not [line for line in taken if "secrets/" in line]


def test_secrets_are_never_written_over_and_never_the_same(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    house_secrets.make(one)
    house_secrets.make(other)
    before = {path.name: path.read_text() for path in (one / "secrets").iterdir()}
    for name, text in before.items():
        assert text != (other / "secrets" / name).read_text()
    with pytest.raises(StandsAlready):
        house_secrets.make(one)
    (one / ".env").unlink()
    with pytest.raises(StandsAlready):
        house_secrets.make(one)
    assert {path.name: path.read_text() for path in (one / "secrets").iterdir()} == before


@pytest.mark.parametrize("step", ["secrets.written", "secrets.kept"])
def test_a_first_run_that_broke_off_is_done_once_more(tmp_path: Path, step: str) -> None:
    failpoints.arm(f"{step}:raise")
    with pytest.raises(failpoints.Injected):
        house_secrets.make(tmp_path)
    failpoints.arm("")
    made = house_secrets.make(tmp_path)
    assert {each.name for each in (tmp_path / "secrets").iterdir()} == set(WHOLE["secrets"]) - WAYS_OUT
    assert all((tmp_path / name).is_file() for name in made.files)
    assert not (tmp_path / "first-run.new").exists()
    (tmp_path / ".env").unlink()
    with pytest.raises(StandsAlready):
        house_secrets.make(tmp_path)


def test_the_image_is_made_from_the_lock_file_for_nobody_in_particular() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "pip install --require-hashes --only-binary :all: -r /requirements-house.lock" in text
    stages = {block.split()[-1]: block for block in re.findall(r"^FROM .+? AS \w[\w-]*", text, re.MULTILINE)}
    assert {"juanku", "minio"} <= set(stages)
    for stage in ("juanku", "minio"):
        body = text[text.index(stages[stage]) :].split("\nFROM ")[0]
        assert re.search(r"^USER 10001:10001$", body, re.MULTILINE)
        assert "HEALTHCHECK" in body
        assert "ENTRYPOINT" in body
    assert set(re.findall(r"^ARG (\w+)", text, re.MULTILINE)) == {"OFFICE", "MINIO"}
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        for each in source.split():
            assert (ROOT / each).exists(), each
            assert f"\n!{each}\n" in (ROOT / ".dockerignore").read_text(), each
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert SERVICES["web"]["image"] == f"juanku:{version}"


def test_the_search_engine_gets_its_password_from_the_file_alone() -> None:
    [said] = words(SERVICES["elasticsearch"]["command"])
    assert 'ELASTIC_PASSWORD="$(cat /run/secrets/search-admin)"' in said
