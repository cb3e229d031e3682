"""The command that has stored files read again: reprocess."""

from collections.abc import Sequence

import click

from archive.errors import Fault, InvalidInput
from archive.files.rereading import FILTERS, Change, changes_of
from runtime.cli.asked import OPERATOR
from runtime.cli.common import command, opened
from runtime.cli.out import Out, locale
from runtime.processes.working import work_done
from web.words import mark
from web.words.faults import explain_reason, state_words


@click.option("--where", multiple=True, metavar="NAME=VALUE", help=f"Which files: {', '.join(FILTERS)}; all must hold.")
@click.option("--all", "every", is_flag=True, help="All files.")
@click.option("--dry-run", is_flag=True, help="Only count them.")
@command("reprocess", "Read stored files again, when more can be read than when they came in; say what changed.")
def reprocess(out: Out, where: Sequence[str], every: bool, dry_run: bool) -> None:
    """Read files again. Stopped, it is gone on with by the worker, or by the same command."""
    if bool(where) == every:
        raise InvalidInput(Fault("filter", "exactly_one_of", {"choices": "--where, --all"}))
    chosen = dict(_pair(each) for each in where)
    with opened() as parts:
        count = parts.rereading.count(OPERATOR, chosen)
        if dry_run:
            out.end({"files": count, "changes": []}, [out.gettext(FILES, count=count)])
        with work_done(parts, wait=True, told=lambda waiting: out.progress(str(waiting))):
            key = parts.rereading.ask(OPERATOR, chosen)
        run = parts.rereading.show(OPERATOR, key)
        count, changes = run.total, changes_of(run)
    told = [_line(out, change) for change in changes if change.before != change.after]
    document = {"files": count, "changes": [vars(change) for change in changes]}
    out.end(document, [out.gettext(FILES, count=count), *(told or [out.gettext(mark("Nothing changed."))])])


FILES = mark("Files chosen: %(count)s.")


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise InvalidInput(Fault("filter", "not_a_pair", {"value": text[:100]}))
    return name.strip(), value.strip()


def _line(out: Out, change: Change) -> str:
    before, after = (_words(standing) for standing in (change.before, change.after))
    return out.gettext(mark("%(count)s: %(before)s → %(after)s"), count=change.count, before=before, after=after)


def _words(standing: str) -> str:
    state, _, reason = standing.partition(":")
    return explain_reason(reason, locale())[0] if reason else state_words(state, locale())


COMMANDS = (reprocess,)
