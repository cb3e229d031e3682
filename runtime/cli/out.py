"""What a command says: one JSON document on standard output with ``--json``, plain words otherwise.

Progress and remarks go to standard error, so that standard output can be piped.
"""

import json
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import click

from archive.errors import ArchiveError, InvalidInput
from web.words import translator
from web.words.faults import explain


def locale() -> str:
    """Return the language of this terminal."""
    spoken = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    if spoken.startswith(("zh_TW", "zh_HK")):
        return "zh_TW"
    return "zh_CN" if spoken.startswith("zh") else "en"


@dataclass
class Out:
    """Speaks for one command."""

    as_json: bool = False
    gettext: Callable[..., str] = field(default_factory=lambda: translator(locale()))

    def remark(self, message: str, **facts: Any) -> None:
        """Say something on the way, to standard error."""
        click.echo(self.gettext(message, **facts), err=True)

    def progress(self, text: str) -> None:
        """Show how far the work is, on one line of a terminal; say nothing into a file."""
        if sys.stderr.isatty():
            click.echo(f"\r\033[K{text}", err=True, nl=False)

    def end(self, document: Mapping[str, Any], lines: Iterable[str], *, ok: bool = True) -> NoReturn:
        """Give the result and leave: exit code 0 only when all went well. With ``--json`` no line is asked for."""
        if sys.stderr.isatty():
            click.echo("\r\033[K", err=True, nl=False)
        if self.as_json:
            click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))
        else:
            for line in lines:
                click.echo(line)
        sys.exit(0 if ok else 1)

    def fail(self, error: ArchiveError) -> NoReturn:
        """Tell an error in words (or as JSON) and leave with exit code 1."""
        words = explain(error, locale())
        for line in words:
            click.echo(line, err=True)
        if self.as_json:
            document: dict[str, Any] = {"error": error.code, "facts": error.facts, "words": words}
            if isinstance(error, InvalidInput):
                document["faults"] = [{"field": f.field, "code": f.code, "facts": f.facts} for f in error.faults]
            click.echo(json.dumps(document, ensure_ascii=False, default=str))
        sys.exit(1)


def pointed(text: str, at: int) -> list[str]:
    """Return a text and, below it, a mark at one of its characters; Chinese takes two columns of a terminal each."""
    columns = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text[:at])
    return [text, f"{' ' * columns}^"]
