"""The command that lists records that may be the same and wait for a decision: doubles."""

from typing import Any

import click

from archive.cataloguing.showing import number_of
from archive.model import Record
from runtime.cli.common import command, opened
from runtime.cli.finding import as_person
from runtime.cli.out import Out, locale
from runtime.processes.working import work_done
from web.words import mark
from web.words.doubles import reason_words


@click.option("--as", "login", required=True, help="Whose decisions to list (their login).")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, help="How many pairs to show.")
@command("doubles", "List pairs of records that may be the same and wait for a person's decision, the newest first.")
def doubles(out: Out, login: str, limit: int) -> None:
    """List pairs."""
    with opened() as parts, work_done(parts, wait=False):
        found = parts.doubles.waiting(as_person(parts, login), limit=limit + 1)
    shown = found[:limit]
    document = {
        "pairs": [
            {
                "record": _record(each.record),
                "other": _record(each.other),
                "reasons": [{"why": reason.why.value, "percent": reason.percent} for reason in each.reasons],
            }
            for each in shown
        ],
        "more": len(found) > limit,
    }
    lines = []
    for each in shown:
        why = " · ".join(reason_words(reason, locale()) for reason in each.reasons)
        lines += [f"{number_of(row)}  {row.title}" for row in (each.record, each.other)] + [f"    {why}"]
    lines.append(out.gettext(mark("Pairs shown: %(count)s."), count=len(shown)))
    if document["more"]:
        lines.append(out.gettext(mark("There are more; see --limit.")))
    out.end(document, lines)


def _record(row: Record) -> dict[str, Any]:
    return {"record": str(row.id), "number": number_of(row), "title": row.title, "level": row.level_rank}


COMMANDS = (doubles,)
