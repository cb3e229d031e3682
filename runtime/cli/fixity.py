"""Commands for stored files: fixity status, run, mend."""

from collections.abc import Sequence
from dataclasses import asdict

import click

from archive.errors import NotFound
from archive.identity import system
from archive.model import FixityFinding
from runtime.cli.common import command, opened
from runtime.cli.out import Out
from storage.fixity.care import Standing
from web.words import mark


@click.group("fixity")
def fixity() -> None:
    """Whether stored files are still what was stored."""


@command("status", "Say how stored files stand: checked when, found how, what is not whole.")
def status_command(out: Out) -> None:
    """Show how they stand."""
    with opened() as parts:
        standing = parts.fixity.standing()
        findings = parts.fixity.findings(system("fixity"))
    _tell(out, standing, findings, [])


@click.option("--all", "everything", is_flag=True, help="Check every file, not the day's share alone.")
@command("run", "Check the day's share of stored files now.")
def run_command(out: Out, everything: bool) -> None:
    """Check now."""
    with opened() as parts:
        run = parts.fixity.run(
            system("fixity"), everything=everything, told=lambda done, every: out.progress(f"{done}/{every}")
        )
        parts.sealer.seal_all()
        standing = parts.fixity.standing()
        findings = parts.fixity.findings(system("fixity"))
    said = mark("%(objects)s of %(total)s files were read (%(bytes)s bytes); %(bad)s are not whole.")
    facts = {"objects": run.objects, "total": run.total, "bytes": run.bytes, "bad": run.bad}
    _tell(out, standing, findings, [out.gettext(said, **facts)], run=facts)


@command("mend", "Mend what is not whole from the backup.")
def mend_command(out: Out) -> None:
    """Mend."""
    with opened() as parts:
        if not parts.mending.possible:
            raise NotFound
        done = parts.mending.mend(system("fixity"))
        parts.sealer.seal_all()
    lines = [out.gettext(mark("Mended from the backup: %(key)s"), key=key) for key in done.mended]
    lines += [out.gettext(mark("Whole after all: %(key)s"), key=key) for key in done.whole]
    lines += [out.gettext(mark("No backup has a good copy: %(key)s"), key=key) for key in done.left]
    out.end(asdict(done), lines or [out.gettext(mark("Every file that was checked is whole."))], ok=not done.left)


def _tell(out: Out, standing: Standing, findings: Sequence[FixityFinding], lines: list[str], **more: object) -> None:
    bad = [each for each in findings if each.ended is None]
    said = mark(
        "%(checked)s of %(objects)s files were checked within %(days)s days; the oldest check is of %(waiting)s."
    )
    waiting = f"{standing.waiting:%Y-%m-%d %H:%M}" if standing.waiting else "–"
    facts = asdict(standing)
    lines.append(out.gettext(said, **(facts | {"waiting": waiting})))
    if standing.late:
        lines.append(out.gettext(mark("The checks are behind. Let the worker run, or raise JUANKU_FIXITY_MB.")))
    told = mark("Not whole (%(found)s): %(key)s. Run: juanku fixity mend")
    lines += [out.gettext(told, found=each.found.value, key=each.object_key) for each in bad]
    if not bad:
        lines.append(out.gettext(mark("Every file that was checked is whole.")))
    shown = [{"key": each.object_key, "found": each.found.value, "found_at": each.found_at.isoformat()} for each in bad]
    document = {"ok": not standing.bad, **facts, "not_whole": shown, **more}
    out.end(document, lines, ok=not standing.bad)


for each_command in (status_command, run_command, mend_command):
    fixity.add_command(each_command)

COMMANDS = (fixity,)
