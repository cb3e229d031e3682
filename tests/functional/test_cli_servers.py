"""The commands of a house on servers, where none is there: what they say, and that nothing is written over."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from runtime.cli.main import cli


@pytest.fixture
def juanku(tmp_path: Path) -> Any:
    """Run a command on an empty folder; return its exit code and its document."""
    here = {"JUANKU_HOME": str(tmp_path / "home"), "JUANKU_KEYS": str(tmp_path / "keys")}

    def run(*words: str) -> tuple[int, Any]:
        answer = CliRunner(env=here).invoke(cli, [*words, "--json"])
        return answer.exit_code, json.loads(answer.stdout)

    return run


def test_set_up_without_servers_makes_the_archive_once(juanku: Any) -> None:
    assert juanku("house", "set-up", "--name", "和园") == (0, {"made": True, "servers": []})
    assert juanku("house", "set-up", "--name", "别的") == (0, {"made": False, "servers": []})
    code, house = juanku("house", "show")
    assert (code, house["names"]["zh_CN"]) == (0, "和园")
    assert juanku("upgrade")[0] == 0


def test_secrets_are_made_once(juanku: Any, tmp_path: Path) -> None:
    code, made = juanku("house", "secrets", "--in", str(tmp_path / "there"))
    assert code == 0
    assert "secrets/redis.conf" in made["files"]
    code, refused = juanku("house", "secrets", "--in", str(tmp_path / "there"))
    assert (code, refused["error"]) == (1, "stands_already")
    told = (tmp_path / "there/secrets/redis.conf").read_text()
    assert not any(told.split()[1] in text for text in (json.dumps(made), json.dumps(refused)))


@pytest.mark.parametrize("command", ["web", "upgrade"])
def test_where_there_is_no_archive_it_says_so(juanku: Any, command: str) -> None:
    code, refused = juanku(command)
    assert (code, refused["facts"]["state"]) == (1, "no_archive")
