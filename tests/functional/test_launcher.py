"""The launcher ``./juanku``: from any folder, with any settings, it runs or says what is wrong."""

import ctypes
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.factories.archives import Archive

ROOT = Path(__file__).parents[2]
LAUNCHER = ROOT / "juanku"


ROOMS = ("archive", "storage", "indexer", "retention", "web", "runtime", "migrations")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose environment is made already (this one), so that no test needs a network."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copy(LAUNCHER, folder)
    for name in (*ROOMS, "requirements.lock", "requirements-dev.lock"):
        (folder / name).symlink_to(ROOT / name)
    venv = folder / ".venv"
    venv.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (venv / name).symlink_to(Path(sys.prefix) / name)
    digest = hashlib.sha256((ROOT / "requirements-dev.lock").read_bytes()).hexdigest()
    (venv / ".requirements-dev.sha256").write_text(digest)
    return folder


def juanku(house: Path, *words: object, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("JUANKU_", "PYTHON", "LC_", "LANG"))
    }
    command = [sys.executable, house / "juanku", *map(str, words)]
    environment = {**kept, "LC_ALL": "C.UTF-8", **variables}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=240, check=False)


def test_it_starts_from_another_folder(house: Path, tmp_path: Path) -> None:
    answer = juanku(house, "config", "--json", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    rows = {row["variable"]: row for row in json.loads(answer.stdout)["settings"]}
    assert rows["JUANKU_HOME"]["value"] == str(tmp_path / "data")
    assert rows["JUANKU_HOME"]["source"] == "default"
    assert rows["JUANKU_KEYS"]["value"] == str(tmp_path / "data.keys")
    assert not list(tmp_path.iterdir())


def test_it_starts_from_the_root_folder(house: Path) -> None:
    answer = juanku(house, "config", "--json", cwd=Path("/"))
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["settings"]


def test_it_starts_through_a_link(house: Path, tmp_path: Path) -> None:
    link = tmp_path / "juanku"
    link.symlink_to(house / "juanku")
    answer = subprocess.run(
        [sys.executable, link, "--help"], cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert "Juanku" in answer.stdout


def test_secrets_are_masked_and_sources_named(house: Path, tmp_path: Path) -> None:
    secret = tmp_path / "port"
    secret.write_text("8123\n")
    answer = juanku(
        house, "config", "--json", cwd=tmp_path,
        JUANKU_DATABASE_URL="postgresql+psycopg://house:hush-hush@db.example/juanku", JUANKU_PORT_FILE=str(secret),
    )  # fmt: skip
    assert "hush-hush" not in answer.stdout + answer.stderr
    rows = {row["variable"]: row for row in json.loads(answer.stdout)["settings"]}
    assert rows["JUANKU_DATABASE_URL"]["source"] == "environment"
    assert rows["JUANKU_PORT"] == rows["JUANKU_PORT"] | {"value": "8123", "source": f"file {secret}"}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("JUANKU_PORT", "eight thousand"),
        ("JUANKU_PORT", "70000"),
        ("JUANKU_WORKER_THREADS", "0"),
        ("JUANKU_DATABASE_URL", "oracle://house"),
        ("JUANKU_STORE_URL", "ftp://store"),
        ("JUANKU_SEARCH_URL", "nowhere:"),
        ("JUANKU_BROKER_URL", "pigeon:"),
        ("JUANKU_PORT_FILE", "/nonexistent/port"),
    ],
)
def test_a_broken_setting_is_named(house: Path, tmp_path: Path, variable: str, value: str) -> None:
    answer = juanku(house, "config", "--json", cwd=tmp_path, **{variable: value})
    assert answer.returncode == 1
    document = json.loads(answer.stdout)
    assert document["error"] == "broken_setting"
    assert document["facts"]["variable"] == variable
    assert variable in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_ring_inside_the_data_folder_is_refused(house: Path, tmp_path: Path) -> None:
    home = tmp_path / "house"
    answer = juanku(house, "init", "--json", cwd=tmp_path, JUANKU_HOME=str(home), JUANKU_KEYS=str(home / "keys"))
    assert answer.returncode == 1
    assert json.loads(answer.stdout)["facts"] == {"variable": "JUANKU_KEYS", "reason": "inside_home"}
    assert not home.exists()


def test_without_an_archive_it_says_so(house: Path, tmp_path: Path) -> None:
    answer = juanku(house, "serve", "--json", cwd=tmp_path, JUANKU_HOME=str(tmp_path / "none"))
    assert answer.returncode == 1
    assert answer.stderr.strip()
    assert "Traceback" not in answer.stderr
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "words", [("fsck",), ("log", "verify"), ("index", "status"), ("user", "token", "anna", "--name", "x")]
)
def test_so_does_every_command(tmp_path: Path, words: tuple[str, ...]) -> None:
    answer = Archive(tmp_path / "none").run(*words)
    assert answer.code == 1
    assert answer.err.strip()
    assert "Traceback" not in answer.err
    assert not (tmp_path / "none").exists()


def test_an_unknown_command_is_named(house: Path, tmp_path: Path) -> None:
    answer = juanku(house, "archve", cwd=tmp_path)
    assert answer.returncode == 2
    assert "archve" in answer.stderr


def copied(tmp_path: Path) -> Path:
    """A checkout of the launcher alone, with two lock files."""
    house = tmp_path / "checkout"
    house.mkdir()
    shutil.copy(LAUNCHER, house)
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-ocr.lock", "requirements-house.lock"):
        (house / name).write_text(f"# {name}\n")
    return house


def fake_uv(house: Path, *, works: bool) -> None:
    """Put an installer where the launcher keeps it, that makes an environment of this Python without a network."""
    version = next(
        line.split('"')[1].split("==")[1]
        for line in LAUNCHER.read_text("utf-8").splitlines()
        if line.startswith("UV =")
    )
    tools = house / ".tools"
    (tools / f"uv-{version}.dist-info").mkdir(parents=True)
    (tools / "uv.py").write_text(
        "import sys, pathlib, os, shutil\n"
        f"works = {works}\n"
        "gate = pathlib.Path(__file__).parents[1] / 'gate'\n"
        "with open(pathlib.Path(__file__).parent / 'calls', 'a') as calls: print(*sys.argv[1:], file=calls)\n"
        "if 'sync' in sys.argv and not works: sys.exit('no route to host')\n"
        "if 'sync' in sys.argv and gate.exists(): gate.read_text()\n"
        "if 'venv' in sys.argv:\n"
        "    folder = pathlib.Path(sys.argv[-1]) / 'bin'\n"
        "    if '--clear' in sys.argv: shutil.rmtree(sys.argv[-1], ignore_errors=True)\n"
        "    folder.mkdir(parents=True)\n"
        "    (folder / 'python').symlink_to(os.path.realpath(sys.executable))\n"
    )


def say_hello(house: Path) -> None:
    (house / "runtime").mkdir()
    (house / "runtime" / "__main__.py").write_text("import sys; print('hello', *sys.argv[1:])\n")


def plain() -> dict[str, str]:
    """Return the environment without this test run's own paths."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def start(
    house: Path, *words: str, cwd: Path, first: Callable[[], object] | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, house / "juanku", *words]
    return subprocess.run(
        command, cwd=cwd, env=plain() | more, capture_output=True, text=True, timeout=240, check=False, preexec_fn=first
    )


def root_loses_its_way_past_permissions() -> None:
    if sys.platform == "linux" and os.geteuid() == 0:
        drop_from_bounding_set, may_override_permissions = 24, 1
        ctypes.CDLL(None).prctl(drop_from_bounding_set, may_override_permissions)


def test_the_first_start_makes_the_environment_and_the_second_does_not(tmp_path: Path) -> None:
    house = copied(tmp_path)
    fake_uv(house, works=True)
    say_hello(house)
    first = start(house, "demo", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert first.stdout == "hello demo\n"
    assert "requirements.lock" in first.stderr
    calls = (house / ".tools" / "calls").read_text()
    assert "--require-hashes" in calls
    second = start(house, "demo", cwd=tmp_path)
    assert (second.returncode, second.stdout, second.stderr) == (0, "hello demo\n", "")
    assert (house / ".tools" / "calls").read_text() == calls


def test_a_changed_lock_is_installed(tmp_path: Path) -> None:
    house = copied(tmp_path)
    fake_uv(house, works=True)
    say_hello(house)
    start(house, "demo", cwd=tmp_path)
    (house / "requirements.lock").write_text("# changed\n")
    assert "requirements.lock" in start(house, "demo", cwd=tmp_path).stderr


def test_tests_get_the_tools_and_later_commands_keep_them(tmp_path: Path) -> None:
    house = copied(tmp_path)
    fake_uv(house, works=True)
    say_hello(house)
    assert "requirements-dev.lock" in start(house, "test", cwd=tmp_path).stderr
    assert start(house, "config", cwd=tmp_path).stderr == ""


def installed(house: Path) -> list[str]:
    """Return the lock files that were installed, in order."""
    calls = (house / ".tools" / "calls").read_text().splitlines()
    return [Path(call.split()[-1]).name for call in calls if "sync" in call.split()]


def test_extras_that_were_chosen_survive_a_changed_lock_and_can_be_taken_back(tmp_path: Path) -> None:
    house = copied(tmp_path)
    fake_uv(house, works=True)
    say_hello(house)
    start(house, "demo", cwd=tmp_path)
    chosen = start(house, "extras", "ocr", cwd=tmp_path)
    assert (chosen.returncode, chosen.stdout) == (0, "")
    assert "extras chosen: ocr" in chosen.stderr
    assert start(house, "demo", cwd=tmp_path).stderr == "", "it is installed, and stays"
    for name in ("requirements.lock", "requirements-ocr.lock"):
        (house / name).write_text("# changed\n")
    assert start(house, "demo", cwd=tmp_path).stdout == "hello demo\n"
    start(house, "extras", "none", cwd=tmp_path)
    plain_lock, ocr = "requirements.lock", "requirements-ocr.lock"
    assert installed(house) == [plain_lock, ocr, ocr, plain_lock]


def test_extras_may_be_chosen_by_a_variable_and_are_remembered(tmp_path: Path) -> None:
    house = copied(tmp_path)
    fake_uv(house, works=True)
    say_hello(house)
    assert start(house, "demo", cwd=tmp_path, JUANKU_EXTRAS="ocr").stdout == "hello demo\n"
    assert start(house, "demo", cwd=tmp_path).stdout == "hello demo\n"
    assert installed(house) == ["requirements-ocr.lock"]


@pytest.mark.parametrize("words", [("extras",), ("extras", "orc"), ("extras", "ocr", "more")])
def test_extras_that_are_unknown_are_named_and_nothing_is_made(tmp_path: Path, words: tuple[str, ...]) -> None:
    house = copied(tmp_path)
    answer = start(house, *words, cwd=tmp_path)
    assert answer.returncode == 2
    assert "none, ocr, house" in answer.stderr
    assert not (house / ".venv").exists()


def test_a_failed_installation_is_not_taken_for_done(tmp_path: Path) -> None:
    house = copied(tmp_path)
    fake_uv(house, works=False)
    say_hello(house)
    for _ in range(2):
        answer = start(house, "demo", cwd=tmp_path)
        assert answer.returncode != 0
        assert "this failed" in answer.stderr
        assert "hello" not in answer.stdout


def test_tests_that_cannot_be_installed_leave_the_environment_that_was(tmp_path: Path) -> None:
    house = copied(tmp_path)
    fake_uv(house, works=True)
    say_hello(house)
    start(house, "demo", cwd=tmp_path)
    uv = house / ".tools" / "uv.py"
    uv.write_text(uv.read_text().replace("works = True", "works = False"))
    assert start(house, "test", cwd=tmp_path).returncode != 0
    assert start(house, "demo", cwd=tmp_path).stdout == "hello demo\n"


@contextmanager
def installing(house: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start the launcher and yield once it installs; it goes on when the yielded gate is closed."""
    os.mkfifo(house / "gate")
    with begun(house, *words) as first:
        gate = os.open(house / "gate", os.O_WRONLY)  # opens when the installer reads from it
        (house / "gate").unlink()
        yield first, gate


@contextmanager
def begun(house: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, house / "juanku", *words], cwd=house, env=plain(), text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with process:
        yield process


def calls_of(house: Path) -> list[str]:
    return [line.split()[0] for line in (house / ".tools" / "calls").read_text().splitlines()]


@pytest.mark.parametrize(("word", "made"), [("serve", ["venv", "pip"]), ("test", ["venv", "pip", "pip"])])
def test_of_two_first_starts_at_once_one_waits_and_both_run(tmp_path: Path, word: str, made: list[str]) -> None:
    house = copied(tmp_path)
    fake_uv(house, works=True)
    say_hello(house)
    with installing(house, "demo") as (first, gate), begun(house, word) as second:
        assert second.stderr
        assert "waiting" in second.stderr.readline()
        os.close(gate)
        assert first.communicate(timeout=240)[0] == "hello demo\n"
        assert second.communicate(timeout=240)[0] == f"hello {word}\n"
    assert calls_of(house) == made


def test_a_start_killed_while_it_installs_is_mended_by_the_next(tmp_path: Path) -> None:
    house = copied(tmp_path)
    fake_uv(house, works=True)
    say_hello(house)
    with installing(house, "demo") as (first, gate):
        os.killpg(first.pid, signal.SIGKILL)
        os.close(gate)
    answer = start(house, "demo", cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (0, "hello demo\n")
    assert calls_of(house) == ["venv", "pip", "venv", "pip"]


def test_an_installer_that_outlives_its_killed_start_is_waited_for(tmp_path: Path) -> None:
    house = copied(tmp_path)
    fake_uv(house, works=True)
    say_hello(house)
    with installing(house, "demo") as (first, gate):
        first.kill()
        with begun(house, "demo") as second:
            assert second.stderr
            assert "waiting" in second.stderr.readline()
            os.close(gate)
            assert second.communicate(timeout=240)[0] == "hello demo\n"


def test_a_checkout_that_only_others_may_write_keeps_its_environment_in_the_users_cache(tmp_path: Path) -> None:
    house = copied(tmp_path)
    say_hello(house)
    cache = tmp_path / "cache"
    folder = cache / "juanku" / hashlib.sha256(str(house).encode()).hexdigest()[:12]
    folder.mkdir(parents=True)
    fake_uv(folder, works=True)
    house.chmod(0o555)
    try:
        answer = start(
            house, "demo", cwd=tmp_path, first=root_loses_its_way_past_permissions, XDG_CACHE_HOME=str(cache)
        )
    finally:
        house.chmod(0o755)
    assert answer.stdout == "hello demo\n", answer.stderr
    assert (folder / ".venv").is_dir()
    assert not (house / ".venv").exists()


def test_a_folder_that_holds_python_files_does_not_change_what_runs(house: Path, tmp_path: Path) -> None:
    for name in ("click.py", "web.py", "runtime.py", "json.py"):
        (tmp_path / name).write_text("raise SystemExit('a file of the folder was run')\n")
    answer = juanku(house, "config", "--json", cwd=tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
