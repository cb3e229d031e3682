"""Going to a new version: upgrade."""

import getpass

from archive.errors import ArchiveError
from archive.identity import system
from runtime.cli.common import command, opened, settings
from runtime.cli.out import Out
from web.words import mark


@command("upgrade", "Bring the tables of an archive up to this version, while nothing else works on it.")
def upgrade_command(out: Out) -> None:
    """Change the tables."""
    from runtime.ready import require_files  # noqa: PLC0415 (mistyped words are told at once)
    from runtime.upgrading import AtWork, upgrade  # noqa: PLC0415

    chosen = settings()
    require_files(chosen)
    try:
        done = upgrade(chosen)
    except AtWork:
        out.remark(mark("Web or workers run on this archive. End them on every machine, then start this again."))
        raise SystemExit(1) from None
    if done.before == done.after:
        lines = [out.gettext(mark("The tables are of this version already (%(after)s)."), after=done.after)]
    else:
        said = mark("The tables went from version %(before)s to %(after)s.")
        lines = [out.gettext(said, before=done.before, after=done.after)]
        if done.copy:
            kept = mark("The database as it was: %(copy)s. Remove it once all works.")
            lines.append(out.gettext(kept, copy=done.copy))
        lines.append(out.gettext(mark("Next: start again, then juanku doctor and juanku fsck --quick.")))
    if anew := _after(done.before, done.after):
        said = mark("The search index is of another form (%(partitions)s): the next worker makes it anew.")
        lines.append(out.gettext(said, partitions=", ".join(anew)))
    document = {
        "before": done.before, "after": done.after, "copy": str(done.copy) if done.copy else None, "index_anew": anew
    }  # fmt: skip
    out.end(document, lines)


def _after(before: str, after: str) -> list[str]:
    """Write of it in the log, and have those parts of the search index made anew, and return them, that are lacking.

    An index of another form has another name.
    """
    from archive.model import JobKind  # noqa: PLC0415 (as above)
    from indexer.search import REPAIR  # noqa: PLC0415
    from runtime.jobs.rebuilding import ANEW  # noqa: PLC0415

    with opened() as parts:
        if before != after:
            with parts.db.writing() as work:
                operator = system(f"operator:{getpass.getuser()}")
                parts.log.note(work.session, operator, "system.upgrade", body={"before": before, "after": after})
                work.commit()
        try:
            if partitions := sorted(parts.rebuilder.broken()):
                with parts.db.writing() as work:
                    parts.outbox.add(work, JobKind.REBUILD, payload={REPAIR: True, ANEW: partitions})
                    work.commit()
        except ArchiveError:  # the tables are changed all the same; what the index lacks, the doctor tells
            return []
    return partitions


COMMANDS = (upgrade_command,)
