"""Commands for backups: backup, backups, restore."""

from pathlib import Path
from uuid import UUID

import click

from archive.errors import NotFound
from archive.identity import system
from runtime.cli.common import command, opened, settings
from runtime.cli.out import Out
from runtime.restoring import PAST_THE_SET, Report, rehearse
from runtime.restoring import restore as bring_back
from storage.backup_set import BackupSet
from storage.copying import Told
from storage.safekeeping import Safekeeping
from web.words import mark

SET = click.option("--set", "set_id", type=click.UUID, help="Which set; without it the newest.")


@command("backup", "Make a backup now: what is new since the last, all rows, and the key pack.")
def backup(out: Out) -> None:
    """Make a set."""
    with opened() as parts:
        made = _named(parts.safekeeping).make(system("backup"), _progress(out))
        parts.sealer.seal_all()
    said = mark("Set %(set)s: %(records)s records, %(objects)s files; %(copied)s files were new.")
    line = out.gettext(said, set=made.id, records=made.records, objects=made.objects, copied=made.copied)
    out.end(made.plain(), [line])


@SET
@click.option("--check", is_flag=True, help="Hash all of a set; no key is needed.")
@click.option("--rehearse", "trial", is_flag=True, help="Restore a set into an empty folder, check it, and report.")
@click.option("--in", "folder", type=click.Path(path_type=Path), help="The rehearsal's folder; it is removed again.")
@command("backups", "List the backups, or check or rehearse one.")
def backups(out: Out, set_id: UUID | None, check: bool, trial: bool, folder: Path | None) -> None:
    """Look after the sets."""
    with opened() as parts:
        kept = _named(parts.safekeeping)
        if check:
            bad = kept.check(system("backup"), set_id, _progress(out))
            line = mark("Missing or changed in the backup: %(key)s") if bad else mark("The set is whole.")
            out.end({"ok": not bad, "bad": bad}, [out.gettext(line, key=key) for key in bad or [""]], ok=not bad)
        if trial:
            report = rehearse(parts, system("backup"), set_id, folder, _progress(out))
            _tell(out, report)
        sets, ids = kept.backups().good(), kept.backups().ids()
    damaged = sorted(set(ids) - {each.id for each in sets})
    lines = [_line(out, each) for each in sets] + [out.gettext(DAMAGED, set=each) for each in damaged]
    document = {"sets": [each.plain() for each in sets], "damaged": [str(each) for each in damaged]}
    out.end(document, lines or [out.gettext(NONE)])


@SET
@click.option("--from", "source", help="The backups' folder or address; else JUANKU_BACKUP_URL.")
@command("restore", "Bring a backup back into an empty archive; the ring must be there.")
def restore(out: Out, set_id: UUID | None, source: str | None) -> None:
    """Restore a set."""
    chosen = settings()
    url = chosen.backup_url
    if source:
        url = source if "://" in source else Path(source).absolute().as_uri()
    if not url:
        raise NotFound
    _tell(out, bring_back(chosen, url, set_id, _progress(out)))


def _tell(out: Out, report: Report) -> None:
    facts = report.facts()
    said = [
        out.gettext(mark("Set %(set)s of %(made_at)s: %(records)s records and %(contents)s files came back."), **facts),
        out.gettext(mark("It took %(seconds)s s; the set was %(age_seconds)s s old."), **facts),
    ]
    if report.restored.gone:
        said.append(out.gettext(mark("%(destroyed_since)s records were destroyed since and stay so."), **facts))
    if report.log_lost:
        said.append(
            out.gettext(
                mark("%(log_entries_lost)s entries of the log were made after the set and are not in it."), **facts
            )
        )
    said += [out.gettext(mark("Not whole in the backup: %(key)s"), key=key) for key in report.restored.lost[:100]]
    said += [f"{each.invariant} {each.what or '–'}: {each.fault}" for each in report.violations[:100]]
    if any(each.fault in PAST_THE_SET for each in report.violations):
        said.append(out.gettext(OTHER_WITNESS))
    said.append(
        out.gettext(mark("All invariants hold.") if report.ok else mark("Something does not agree; see above."))
    )
    out.end({"ok": report.ok} | facts, said, ok=report.ok)


def _named(kept: Safekeeping) -> Safekeeping:
    if not kept.configured:
        raise NotFound
    return kept


def _progress(out: Out) -> Told:
    return lambda step, done, every: out.progress(f"{step} {done}/{every}" if every else step)


def _line(out: Out, each: BackupSet) -> str:
    said = mark("%(set)s  %(made_at)s  %(records)s records, %(objects)s files, %(bytes)s bytes")
    facts = {"set": each.id, "made_at": f"{each.made_at:%Y-%m-%d %H:%M}"}
    return out.gettext(said, **facts, records=each.records, objects=each.objects, bytes=each.bytes)


OTHER_WITNESS = mark(
    "The witness bucket knows a log that went on after the set. Keep it as evidence, name a new one in "
    "JUANKU_STORE_WITNESS_BUCKET, make it by juanku store set-up, and run juanku fsck."
)
DAMAGED = mark("%(set)s  damaged: its manifest does not verify")
NONE = mark("There is no backup yet. Run: juanku backup")
COMMANDS = (backup, backups, restore)
