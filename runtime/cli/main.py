"""The command line: all that an administrator or the machine's operator does without the pages.

A command's module is imported when the command is used, so that each answers as quickly as it can.
"""

import gc
import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
sys.stderr.reconfigure(encoding="utf-8")  # type: ignore[union-attr]

MODULES: Mapping[str, tuple[str, ...]] = {
    "house": ("config", "init", "demo", "serve"),
    "working": ("worker", "web"),
    "household": ("house",),
    "upgrading": ("upgrade",),
    "fonds": ("fonds", "scheme"),
    "places": ("department", "post", "place"),
    "levels": ("level",),
    "groups": ("group",),
    "rights": ("user",),
    "numbers": ("number",),
    "files": ("import",),
    "finding": ("search",),
    "doubles": ("doubles",),
    "keeping": ("record",),
    "subjects": ("subject",),
    "care": ("doctor", "fsck", "log", "index"),
    "keys": ("keys",),
    "backups": ("backup", "backups", "restore"),
    "destroying": ("destruction", "rehearse"),
    "fixity": ("fixity",),
    "transfers": ("pack", "verify-bag", "receive"),
    "move": ("move",),
    "store": ("store",),
    "rereading": ("reprocess",),
    "renditions": ("rendition",),
    "marks": ("trace",),
    "checks": ("check", "test", "bench", "pictures"),
    "interface": ("openapi",),
}
"""Which module of ``runtime.cli`` holds which commands, in the order that help shows them."""


class _Commands(click.Group):
    """The commands of ``MODULES``."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """Name every command."""
        return [name for names in MODULES.values() for name in names]

    def get_command(self, _context: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command and return it."""
        for module, names in MODULES.items():
            if cmd_name in names:
                gc.disable()  # nothing that is imported is garbage: looking for it takes a tenth of the start
                commands: tuple[click.Command, ...] = import_module(f"runtime.cli.{module}").COMMANDS
                gc.enable()
                return next(command for command in commands if command.name == cmd_name)
        return None

    def make_context(self, *words: Any, **options: Any) -> click.Context:
        """Read the first words; see ``invoke``."""
        with _usage_told():
            return super().make_context(*words, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command. Who asked for JSON gets it for a mistyped command line too."""
        with _usage_told():
            return super().invoke(ctx)


@contextmanager
def _usage_told() -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        if "--json" in sys.argv:
            told = {"error": "usage", "facts": {}, "words": [error.format_message()]}
            click.echo(json.dumps(told, ensure_ascii=False))
        raise


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def cli() -> None:
    """Juanku 卷库: a document archive. Each command takes --json and --help."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)


def main() -> None:
    """Run the command line."""
    cli(prog_name="juanku")
