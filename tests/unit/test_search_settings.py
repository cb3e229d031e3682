"""Which engine the settings name, what they refuse, and that no secret is shown."""

from pathlib import Path

import pytest

from archive.errors import BrokenSetting
from runtime.settings import load, shown
from runtime.wiring.parts import NoWaker, build


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("URL", "http://search.example:9200", "needs_tls"),
        ("URL", "https://juanku:secret@search.example:9200", "secret_in_address"),
        ("URL", "https://", "not_an_address"),
        ("URL", "solr://search.example", "unknown_scheme"),
        ("PREFIX", "Juanku,*", "not_a_name"),
        ("CA", "/nowhere/ca.pem", "no_such_file"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path, name: str, value: str, reason: str) -> None:
    with pytest.raises(BrokenSetting) as refused:
        load({"JUANKU_HOME": str(tmp_path), f"JUANKU_SEARCH_{name}": value})
    assert refused.value.facts == {"variable": f"JUANKU_SEARCH_{name}", "reason": reason}


def test_passwords_come_from_files_and_are_never_shown(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("tr0mbone\n")
    settings = load(
        {
            "JUANKU_HOME": str(tmp_path / "home"), "JUANKU_SEARCH_URL": "https://search.example:9200",
            "JUANKU_SEARCH_PASSWORD_FILE": str(secret), "JUANKU_SEARCH_API_KEY": "tr0mbone",
        }
    )  # fmt: skip
    assert settings.search_password == "tr0mbone"
    rows = {row["variable"]: row for row in shown(settings)}
    assert "tr0mbone" not in str(rows)
    assert (rows["JUANKU_SEARCH_PASSWORD"]["value"], rows["JUANKU_SEARCH_USER"]["value"]) == ("•••", "")


def test_the_settings_choose_the_engine(tmp_path: Path) -> None:
    pytest.importorskip("elasticsearch", reason="the extra house is not installed")
    home = {"JUANKU_HOME": str(tmp_path / "home")}
    assert type(build(load(home), NoWaker()).engine).__name__ == "TantivyEngine"
    parts = build(load(home | {"JUANKU_SEARCH_URL": "http://127.0.0.1:1", "JUANKU_SEARCH_PREFIX": "vols"}), NoWaker())
    assert type(parts.engine).__name__ == "ElasticEngine"
    parts.engine.close()
