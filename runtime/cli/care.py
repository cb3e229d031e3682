"""Commands that look after an archive: doctor, fsck, log, index."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from archive.log.verify import Fault
from archive.model import JobKind
from indexer.rebuild import Difference
from indexer.search import REPAIR
from runtime.cli.common import command, opened, settings
from runtime.cli.out import Out
from runtime.doctor import Part, State, doctor
from runtime.doctor.words import told
from runtime.fsck import fsck
from runtime.jobs.checkpointing import tell
from runtime.processes.working import work_done
from runtime.verifying import verified
from web.words import mark


@command("doctor", "Look at every part of the system and say what to do.")
def doctor_command(out: Out) -> None:
    """Look at every part."""
    parts = doctor(settings())
    ok = all(part.state is not State.BROKEN for part in parts)
    document = {"ok": ok, "parts": [part.shown() | {"words": told(part, out.gettext)} for part in parts]}
    out.end(document, [_line(part, out) for part in parts], ok=ok)


def _line(part: Part, out: Out) -> str:
    sign = {State.OK: "✓", State.WARNING: "!", State.BROKEN: "✗"}[part.state]
    return f"{sign} {part.name:<10} {told(part, out.gettext)}"


@click.option("--quick", is_flag=True, help="Do not read the files' bytes, only their sizes.")
@command("fsck", "Check that everything that is kept agrees: files, index, log, numbers, levels.")
def fsck_command(out: Out, quick: bool) -> None:
    """Check the invariants."""
    with opened() as parts, work_done(parts, wait=True):
        pass
    with opened() as parts:
        finding = fsck(parts, bytes_too=not quick, told=out.progress)
    violations = [violation.shown() for violation in finding.violations]
    lines = [f"{v['invariant']} {v['what']}: {v['fault']}" for v in violations]
    lines.append(
        out.gettext(mark("All invariants hold.") if finding.ok else mark("Something does not agree; see above."))
    )
    out.end({"ok": finding.ok, "violations": violations, "counts": finding.counts}, lines, ok=finding.ok)


@click.group("log")
def log() -> None:
    """The log of all acts."""


@command("verify", "Check that the log was not touched; names the first bad entry.")
def log_verify(out: Out) -> None:
    """Verify the log."""
    with opened() as parts:
        found = verified(parts)
    bad: dict[str, Any] | None = None
    if found.first_bad:
        bad = {"seq": found.first_bad.seq, "entry": found.first_bad.entry and str(found.first_bad.entry)}
        bad |= {"fault": found.first_bad.fault.value, "after": found.first_bad.after}
    document = {
        "ok": found.ok, "entries": found.entries, "sealed": found.sealed, "waiting": found.waiting,
        "checkpoints": found.checkpoints, "witnessed": found.witnessed, "first_bad": bad,
    }  # fmt: skip
    good = mark("%(entries)s entries agree with the chain and %(checkpoints)s checkpoints, %(witnessed)s witnessed.")
    wrong = mark("The log was touched: first at place %(seq)s, entry %(entry)s (%(fault)s).")
    if found.first_bad and found.first_bad.fault is Fault.WITNESS_SHORT:
        wrong = mark("The witness has lost the checkpoint at place %(seq)s: its file is gone, cut or not mounted.")
    facts = {"entries": found.entries, "checkpoints": found.checkpoints, "witnessed": found.witnessed}
    line = out.gettext(wrong, **bad) if bad else out.gettext(good, **facts)
    out.end(document, [line], ok=found.ok)


@command("checkpoint", "State and sign how long the log is now.")
def log_checkpoint(out: Out) -> None:
    """Make a checkpoint."""
    with opened() as parts:
        parts.sealer.seal_all()
        made = parts.checkpoints.make()
        if parts.witness_bucket:
            tell(parts.db, parts.witness_bucket)
    size = made.size if made else None
    out.end({"size": size}, [out.gettext(mark("Signed at %(size)s entries."), size=size or "–")])


log.add_command(log_verify)
log.add_command(log_checkpoint)


@click.group("index")
def index() -> None:
    """The search index."""


@command("status", "Show the index: levels, counts, lag, versions.")
def index_status(out: Out) -> None:
    """Show the index's state."""
    with opened() as parts:
        about, lag = parts.engine.about(), parts.rebuilder.lag()
        rows = [asdict(row) for row in parts.rebuilder.status()]
    ok = not any(row["broken"] for row in rows)
    engine = mark("%(engine)s %(version)s, entries of schema %(schema)s, fold %(fold)s")
    said = mark("%(partition)s: %(rows)s records, %(entries)s in the index")
    lines = [out.gettext(engine, **about)]
    lines += [
        out.gettext(said, **row) + (f" – {out.gettext(mark('to be built anew'))}" if row["broken"] else "")
        for row in rows
    ]
    since = lag.since.isoformat() if lag.since else None
    lines.append(
        out.gettext(mark("%(count)s changes wait, the first since %(since)s"), count=lag.waiting, since=since or "–")
    )
    waiting = {"waiting": lag.waiting, "since": since}
    out.end({"ok": ok, "about": dict(about), "lag": waiting, "partitions": rows}, lines, ok=ok)


@command("compare", "Compare every record of the database with the index.")
def index_compare(out: Out) -> None:
    """Compare index and database."""
    with opened() as parts:
        broken = sorted(parts.rebuilder.broken())
        found = parts.rebuilder.compared()
    _end_compared(out, found, broken)


@command("repair", "Mend what differs between the database and the index, and nothing else.")
def index_repair(out: Out) -> None:
    """Repair the index."""
    with opened() as parts:
        before = parts.rebuilder.compared()
    with (
        opened() as parts,
        work_done(parts, wait=True, told=lambda waiting: out.progress(str(waiting))),
        parts.db.writing() as work,
    ):
        parts.outbox.add(work, JobKind.REBUILD, payload={REPAIR: True})
        work.commit()
    with opened() as parts:
        broken = sorted(parts.rebuilder.broken())
        left = parts.rebuilder.compared()
    out.remark(mark("%(count)s differences were mended."), count=len(before) - len(left))
    _end_compared(out, left, broken, mended=len(before) - len(left))


def _end_compared(out: Out, found: Sequence[Difference], broken: Sequence[str], **more: int) -> None:
    ok = not found and not broken
    shown = [difference.shown() for difference in found[:MOST_DIFFERENCES]]
    lines = [" ".join(difference.values()) for difference in shown]
    if broken:
        lines.append(out.gettext(mark("To be built anew: %(partitions)s"), partitions=", ".join(broken)))
    lines.append(
        out.gettext(mark("Index and database agree."))
        if ok
        else out.gettext(mark("%(count)s records differ."), count=len(found))
    )
    out.end({"ok": ok, "broken": broken, "count": len(found), "differences": shown, **more}, lines, ok=ok)


@command("rebuild", "Build the index anew from database and files, beside the old one, and switch.")
def index_rebuild(out: Out) -> None:
    """Rebuild the index."""
    with (
        opened() as parts,
        work_done(parts, wait=True, told=lambda waiting: out.progress(str(waiting))),
        parts.db.writing() as work,
    ):
        parts.outbox.add(work, JobKind.REBUILD)
        work.commit()
    with opened() as parts:
        count = sum(row.entries for row in parts.rebuilder.status())
    out.end({"records": count}, [out.gettext(mark("%(count)s records are in the new index."), count=count)])


index.add_command(index_status)
index.add_command(index_rebuild)
index.add_command(index_compare)
index.add_command(index_repair)


MOST_DIFFERENCES = 100

COMMANDS = (doctor_command, fsck_command, log, index)
