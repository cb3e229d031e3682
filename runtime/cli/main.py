"""The command line: all that an administrator or the machine's operator does without the pages."""

import logging
import sys

import click

from runtime.cli import care, checks, files, finding, house, interface, people

sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
sys.stderr.reconfigure(encoding="utf-8")  # type: ignore[union-attr]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def cli() -> None:
    """Juanku 卷库: a document archive. Each command takes --json and --help."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)


for _module in (house, files, finding, people, care, checks, interface):
    for _command in _module.COMMANDS:
        cli.add_command(_command)


def main() -> None:
    """Run the command line."""
    cli(prog_name="juanku")
