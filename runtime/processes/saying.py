"""How the processes say what goes on: plain lines for a person, or one JSON object a line for a machine.

A line carries ids of request, job and person, never a name. What an exception says may hold a title or what someone
typed, so a line tells its kind and where it came from, not its words; secrets of the settings are blotted out.
"""

import json
import logging
import sys
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

from archive.errors import ArchiveError
from archive.trail import trail
from runtime.settings import MASK, SPECS, Settings
from runtime.telemetry import begin

PLAIN, JSON = "plain", "json"
SHORTEST_SECRET = 4
"""A shorter one would blot out half of every line."""


class _Safe(logging.Formatter):
    """Writes neither secrets nor the words of exceptions."""

    def __init__(self, secrets: Sequence[str]) -> None:
        super().__init__()
        self._secrets = sorted({each for each in secrets if len(each) >= SHORTEST_SECRET}, key=len, reverse=True)

    def blotted(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text

    def said(self, record: logging.LogRecord) -> str:
        return self.blotted(record.getMessage())


class PlainLines(_Safe):
    """``time LEVEL logger: message [request=… job=…]``, and below it where an exception came from."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = datetime.fromtimestamp(record.created).astimezone()
        ids = " ".join(f"{name}={value}" for name, value in _ids(record).items())
        line = f"{at:%Y-%m-%d %H:%M:%S} {record.levelname} {record.name}: {self.said(record)}"
        below = [f"  {each}" for each in told(record)]
        return "\n".join([f"{line} [{ids}]" if ids else line, *below])


class JsonLines(_Safe):
    """One JSON object a line: ``at`` (UTC), ``level``, ``logger``, ``message``, ``process``, ids, facts, ``error``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self.said(record),
            "process": record.process,
            **_ids(record),
        }
        if error := told(record):
            line["error"] = error
        return json.dumps(line, ensure_ascii=False, default=str)


def told(record: logging.LogRecord) -> list[str]:
    """Return the kind of a record's exception and where it came from, the last call first; without its words."""
    error = record.exc_info[1] if record.exc_info else None
    lines: list[str] = []
    while error is not None:
        code = f" ({error.code})" if isinstance(error, ArchiveError) else ""
        lines.append(f"{type(error).__module__}.{type(error).__qualname__}{code}")
        frames = traceback.extract_tb(error.__traceback__)
        lines += [f"at {frame.filename}:{frame.lineno} in {frame.name}" for frame in reversed(frames)]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return lines


def _ids(record: logging.LogRecord) -> dict[str, object]:
    facts = getattr(record, "facts", {})
    return {name: value for name, value in asdict(trail()).items() if value is not None} | facts


def secrets_of(settings: Settings) -> list[str]:
    """Return every secret that the settings hold."""
    found = []
    for name, spec in SPECS.items():
        value = str(getattr(settings, name))
        if spec.hidden:
            found.append(value)
        elif spec.secret and (password := urlsplit(value).password):
            found += [password, unquote(password)]
    return found


def speak(settings: Settings) -> None:
    """Have this process say what it says as the settings want it, on standard error, and what it does to a collector.

    Raises ``BrokenSetting`` when a collector is named and the extra ``telemetry`` is not installed.
    """
    hand = logging.StreamHandler(sys.stderr)
    secrets = secrets_of(settings)
    hand.setFormatter(JsonLines(secrets) if settings.log_format == JSON else PlainLines(secrets))
    root = logging.getLogger()
    root.handlers[:] = [hand]
    root.setLevel(settings.log_level)
    begin(settings)
