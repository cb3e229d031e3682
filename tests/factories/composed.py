"""``docker-compose.yml`` read without a container engine, and its services started as plain processes."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
ONE_SHOT = {"set-up", "first-run"}
OURS = {"web", "worker", "beat", "set-up", "first-run"}


def interpolated(text: str, environment: Mapping[str, str]) -> str:
    """Put variables in their places as compose does: ``${NAME}``, ``${NAME:-default}``, and ``$$`` for a dollar."""

    def value(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        return environment.get(found[1]) or found[2] or ""

    return re.sub(r"\$\$|\$\{(\w+)(?::-([^}]*))?\}", value, text)


def _through(part: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(part, str):
        return interpolated(part, environment)
    if isinstance(part, list):
        return [_through(each, environment) for each in part]
    if isinstance(part, dict):
        return {name: _through(each, environment) for name, each in part.items()}
    return part


def composed(environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the file with its variables put in."""
    read = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    whole: dict[str, Any] = _through(read, environment or {})
    return whole


def words(said: Any) -> list[str]:
    """Return a command or an entry point as words."""
    return [str(word) for word in ([said] if isinstance(said, str) else said or [])]


def check_words(service: Mapping[str, Any]) -> list[str]:
    """Return the command of a service's health check."""
    how, *said = service["healthcheck"]["test"]
    return ["sh", "-c", *said] if how == "CMD-SHELL" else said


@dataclass
class Plain:
    """A house of the file's services as plain processes.

    What the file says is kept, but for ``places`` (what stands for what in addresses, names and paths, the longest
    first) and ``instead`` (values of variables; None takes one away).
    """

    folder: Path
    environment: Mapping[str, str]
    places: Mapping[str, str]
    instead: Mapping[str, str | None]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.services: dict[str, Any] = composed(self.environment)["services"]

    def put(self, text: str) -> str:
        """Return a text of the file with what stands here for its places."""
        if not self.places:
            return text
        found = "|".join(re.escape(place) for place in sorted(self.places, key=len, reverse=True))
        return re.sub(found, lambda one: self.places[one[0]], text)

    def variables(self, name: str) -> dict[str, str]:
        """Return the environment of a service."""
        own = {key: self.put(str(value)) for key, value in self.services[name].get("environment", {}).items()}
        own |= {key: value for key, value in self.instead.items() if key in own and value is not None}
        own = {key: value for key, value in own.items() if self.instead.get(key, "") is not None}
        temporary = self.folder / "tmp" / name
        temporary.mkdir(parents=True, exist_ok=True)
        kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        rest = {"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", "TMPDIR": str(temporary)}
        return kept | rest | own

    def command(self, name: str) -> list[str]:
        """Return what a service runs."""
        said = words(self.services[name].get("command"))
        first = [sys.executable, "-m", "runtime"] if name in OURS else []
        return [*first, *(self.put(word) for word in said)]

    def start(self, name: str, *more: str) -> None:
        """Start a service; ``more`` is added to its command."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [*self.command(name), *more], env=self.variables(name), cwd=self.folder, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def run(self, name: str, *instead: str) -> str:
        """Run a service of one act to its end, or another command in its place; return what it says."""
        command = [sys.executable, "-m", "runtime", *instead] if instead else self.command(name)
        done = subprocess.run(
            command, env=self.variables(name), cwd=self.folder, capture_output=True, timeout=240, check=False
        )
        assert done.returncode == 0, (name, done.stdout.decode(), done.stderr.decode())
        return done.stdout.decode()

    def healthy(self, name: str) -> bool:
        """Run a service's health check."""
        process = self.running[name]
        assert process.poll() is None, (name, process.returncode, self.log(name))
        said = [self.put(word) for word in check_words(self.services[name])]
        said = [sys.executable, *said[1:]] if said[0] == "python" else said
        return subprocess.run(said, env=self.variables(name), capture_output=True, check=False).returncode == 0

    def log(self, name: str) -> str:
        """Return what a service said."""
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")

    def ends(self) -> Iterator[tuple[str, int]]:
        """Tell all that runs to end, as an engine does; yield each with its exit code."""
        for process in self.running.values():
            process.terminate()
        for name, process in self.running.items():
            yield name, process.wait(120)

    def kill(self) -> None:
        """End what is left."""
        for process in self.running.values():
            if process.poll() is None:
                process.kill()
                process.wait()
