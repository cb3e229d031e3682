"""Where bytes and hints go is refused when it would go in plain over a network, or with half a credential."""

from pathlib import Path

import pytest

from archive.errors import BrokenSetting
from runtime.setting_up.servers import set_up
from runtime.settings import load, place_of, shown, store_in

BUCKET = {"JUANKU_STORE_URL": "s3+https://minio.example:9000/juanku", "JUANKU_STORE_KEY": "everyday"}
WHOLE = BUCKET | {"JUANKU_STORE_SECRET": "hush-hush"}


def test_a_bucket_with_its_credential_is_taken_and_its_secret_masked(tmp_path: Path) -> None:
    secret = tmp_path / "sweep"
    secret.write_text("silent\n")
    more = {"JUANKU_STORE_SWEEP_KEY": "sweeper", "JUANKU_STORE_SWEEP_SECRET_FILE": str(secret)}
    settings = load(WHOLE | more)
    assert (settings.store_key, settings.store_secret, settings.store_sweep_secret) == (
        "everyday",
        "hush-hush",
        "silent",
    )
    rows = {row["variable"]: row["value"] for row in shown(settings)}
    assert "hush-hush" not in str(rows)
    assert "silent" not in str(rows)
    assert rows["JUANKU_STORE_URL"] == BUCKET["JUANKU_STORE_URL"]
    assert rows["JUANKU_STORE_DESTROY_SECRET"] == ""


@pytest.mark.parametrize(
    ("given", "variable", "reason"),
    [
        (BUCKET, "JUANKU_STORE_SECRET", "missing"),
        ({"JUANKU_STORE_URL": "s3+https://minio.example/juanku"}, "JUANKU_STORE_KEY", "missing"),
        (WHOLE | {"JUANKU_STORE_SWEEP_KEY": "sweeper"}, "JUANKU_STORE_SWEEP_SECRET", "missing"),
        (WHOLE | {"JUANKU_STORE_URL": "s3+http://minio.example:9000/juanku"}, "JUANKU_STORE_URL", "needs_tls"),
        (WHOLE | {"JUANKU_STORE_URL": "s3+http://10.0.0.5:9000/juanku"}, "JUANKU_STORE_URL", "needs_tls"),
        (WHOLE | {"JUANKU_STORE_URL": "s3+https://k:s@minio.example/juanku"}, "JUANKU_STORE_URL", "secret_in_address"),
        (WHOLE | {"JUANKU_STORE_URL": "s3+https://minio.example/"}, "JUANKU_STORE_URL", "not_a_bucket"),
        (WHOLE | {"JUANKU_STORE_URL": "s3+https://minio.example/Juanku"}, "JUANKU_STORE_URL", "not_a_bucket"),
        (WHOLE | {"JUANKU_STORE_WITNESS_BUCKET": "witness"}, "JUANKU_STORE_WITNESS_KEY", "missing"),
        ({"JUANKU_STORE_WITNESS_BUCKET": "witness"}, "JUANKU_STORE_WITNESS_BUCKET", "store_is_a_folder"),
        ({"JUANKU_BACKUP_URL": "s3+https://off.example/backups/one"}, "JUANKU_BACKUP_KEY", "missing"),
        ({"JUANKU_BACKUP_URL": "s3+http://off.example/backups/one"}, "JUANKU_BACKUP_URL", "needs_tls"),
        ({"JUANKU_BROKER_URL": "redis://redis.example:6379/0"}, "JUANKU_BROKER_URL", "needs_tls"),
        ({"JUANKU_BROKER_URL": "amqp://10.1.2.3//"}, "JUANKU_BROKER_URL", "needs_tls"),
        ({"JUANKU_BROKER_URL": "rediss://r.example/0?ssl_cert_reqs=none"}, "JUANKU_BROKER_URL", "not_an_address"),
        ({"JUANKU_BROKER_CA": "/nowhere/ca.pem"}, "JUANKU_BROKER_CA", "no_such_file"),
        (WHOLE | {"JUANKU_STORE_CA": "/nowhere/ca.pem"}, "JUANKU_STORE_CA", "no_such_file"),
    ],
)
def test_what_is_not_whole_or_not_safe_is_named(given: dict[str, str], variable: str, reason: str) -> None:
    with pytest.raises(BrokenSetting) as broken:
        load(given)
    assert (broken.value.facts["variable"], broken.value.facts["reason"]) == (variable, reason)


@pytest.mark.parametrize("url", ["redis://127.0.0.1:6379/0", "redis://redis:6379/0", "rediss://redis.example/0"])
def test_a_broker_on_this_machine_needs_no_tls(url: str) -> None:
    assert load({"JUANKU_BROKER_URL": url}).broker_url == url


def test_administrators_of_servers_that_the_archive_does_not_lie_on_set_nothing_up(tmp_path: Path) -> None:
    administrators = {
        "JUANKU_DATABASE_ADMIN_URL": "postgresql+psycopg://archive@127.0.0.1:1/postgres",
        "JUANKU_STORE_ADMIN_KEY": "root",
        "JUANKU_STORE_ADMIN_SECRET": "hush-hush",
        "JUANKU_SEARCH_ADMIN_PASSWORD": "hush-hush",
    }
    assert set_up(load({"JUANKU_HOME": str(tmp_path)} | administrators)) == []


@pytest.mark.parametrize("name", ["archive", "old · new", "馆藏 · file: · 2024"])
@pytest.mark.parametrize("given", [{}, WHOLE], ids=["folder", "bucket"])
def test_the_store_is_told_out_of_the_name_of_a_place(tmp_path: Path, name: str, given: dict[str, str]) -> None:
    settings = load(given | {"JUANKU_HOME": str(tmp_path / name)})
    assert store_in(place_of(settings)) == settings.store_url
    assert store_in("as earlier versions named it") == ""
