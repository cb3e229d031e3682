"""What the proof of a destruction found, in words: on its page, in its forms, and at the command line."""

from collections.abc import Callable, Mapping, Sequence

from archive.scrubbing import DONE
from retention.gone.looks import Findings, Outlasting, Progress
from web.words import mark, minute, translator

NOTHING = mark("Nothing of it was found in %(tables)s tables, %(partitions)s parts of the index, the store and caches.")
FOUND = mark("Found in %(where)s: %(count)s")
CONFIRMED = mark("Every registered copy of the key ring (%(count)s) has confirmed: no backup opens it any more.")
NO_COPY = mark("No copy of the key ring is registered: one that was made all the same still opens older backups.")
UNCONFIRMED = mark("This copy of the key ring has not confirmed: %(name)s")
NOT_WIPED = mark("Not all was wiped (%(steps)s): words of it may stand in the files until their room is used again.")
OUTLASTS = mark("Backup %(name)s of %(made_at)s is kept until %(ends)s; files in it cannot be read any more.")
STAYS = mark(
    "A copy of the database of %(made_at)s, from before an upgrade, stays in the data folder (%(name)s) until somebody "
    "removes it; titles in it can be read."
)
NO_BACKUP = mark("No backup outlasts it.")
REHEARSED = mark("Rehearsed on a scratch archive (%(on)s), down to raw bytes, on %(when)s.")
UNREAD = mark("The files of these servers themselves could not be read at it: %(names)s.")
EMBEDDED = mark("embedded")
PROGRESS = mark("%(gone)s of %(every)s records are gone, %(pulled)s were taken out.")
WIPES = mark(
    "Tables are written anew from %(when)s on: the house has set this hour, as who needs a table waits meanwhile."
)
HELD = mark("Somebody held a table; it is written anew at %(when)s.")

STEPS: Mapping[str, str] = {
    "rows": mark("records and files go"),
    "keys": mark("what stays gets other keys, then the old ones go"),
    "database": mark("the database is wiped"),
    "search": mark("the search index forgets"),
    "proof": mark("it is looked for what is left"),
    "done": mark("done"),
}


def progress_line(far: Progress, locale: str, zone: str) -> str:
    """Return how far a destruction is, and until when it waits."""
    say = translator(locale)
    told = say(PROGRESS) % {"gone": far.gone, "every": far.every, "pulled": far.pulled}
    if far.wipes_at:
        told = f"{told} {say(HELD if far.held else WIPES) % {'when': minute(far.wipes_at, zone)}}"
    return f"{say(STEPS[far.step.value])} – {told}" if far.step else told


def online_lines(found: Findings, locale: str) -> Sequence[str]:
    """Return what was found in the house's own store, tables, index and caches."""
    say = translator(locale)
    lines = [say(FOUND) % {"where": where, "count": count} for where, count in found.found.items()]
    lines = lines or [say(NOTHING) % {"tables": found.tables, "partitions": found.partitions}]
    if steps := not_wiped(found.database, found.expunge):
        lines.append(say(NOT_WIPED) % {"steps": steps})
    return lines


def not_wiped(database: Mapping[str, str], expunge: str | None) -> str:
    """Return the steps of wiping that did not end well, each with how it ended; "": all did."""
    ends = {**database, **({"expunge": expunge} if expunge else {})}
    return ", ".join(f"{step}: {end}" for step, end in ends.items() if end != DONE)


def outside_lines(found: Findings, locale: str, zone: str) -> Sequence[str]:
    """Return which copies of the ring have not confirmed, and which backups outlast it."""
    say = translator(locale)
    lines = [say(UNCONFIRMED) % {"name": name} for name in found.unconfirmed]
    if not lines:
        lines = [say(CONFIRMED) % {"count": found.copies} if found.copies else say(NO_COPY)]
    outlasting = [_outlasting(each, say, zone) for each in found.media]
    return [*lines, *(outlasting or [say(NO_BACKUP)])]


def _outlasting(each: Outlasting, say: Callable[[str], str], zone: str) -> str:
    facts = {"name": each.name, "made_at": minute(each.made_at, zone)}
    if each.ends is None:
        return say(STAYS) % facts
    return say(OUTLASTS) % (facts | {"ends": minute(each.ends, zone)})


def proof_lines(found: Findings, locale: str, zone: str) -> Sequence[str]:
    """Return all that a proof says."""
    lines = [*online_lines(found, locale), *outside_lines(found, locale, zone)]
    if found.rehearsed:
        say = translator(locale)
        on = ", ".join(say(EMBEDDED) if each == EMBEDDED else each for each in found.rehearsed_on or [EMBEDDED])
        lines.append(say(REHEARSED) % {"on": on, "when": minute(found.rehearsed, zone)})
        if found.rehearsed_unread:
            lines.append(say(UNREAD) % {"names": ", ".join(found.rehearsed_unread)})
    return lines
