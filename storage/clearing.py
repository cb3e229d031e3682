"""Clearing a place of backups: what broken runs left, and what only sets name that are forgotten."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import chain
from uuid import UUID

from archive.ports import ObjectStore
from storage import set_lists
from storage.backup_set import BackupSet, LastRun
from storage.log_parts import unnamed
from storage.manifests import finished
from storage.ring import KeyRing
from storage.scratch import Scratch

KEPT_AT_LEAST = 3
_LEFT = timedelta(days=1)


def tidy(
    target: ObjectStore, ring: KeyRing, scratch: Scratch, before: Sequence[BackupSet], last: LastRun, now: datetime
) -> None:
    """Remove what runs that broke off a day ago left of their sets; objects stay, the next set names them.

    What is younger may be another run's, which is still at work. Of an object that two runs copied one copy stays.
    A damaged set that a person has taken away since the last run, which was to this very place, loses its key.
    """
    whole = finished(scratch.under("sets/"))
    if last.set_id in whole:
        for each in set(last.damaged) - whole:
            ring.destroy_generation(each)
    old = (now - _LEFT).timestamp()
    parts = [info for info in scratch.under("logs/") if info.modified < old]
    spare = set(unnamed((info.key for info in parts), (each.logs for each in before))) if before else set()
    for info in (each for each in parts if each.key in spare):
        ring.destroy_generation(UUID(info.key.removeprefix("logs/")))
        target.remove(info.key, info.version)
    for info in scratch.under("sets/"):
        set_id = UUID(info.key.split("/")[1])
        if set_id not in whole and info.modified < old:
            ring.destroy_generation(set_id)
            target.remove(info.key, info.version)
    for info in (each for each in scratch.twins("objects/") if each.modified < old):
        target.remove(info.key, info.version)
    for info in [each for each in target.uploads() if each.modified < old]:
        target.abort(info.key, info.version)


def forget(target: ObjectStore, ring: KeyRing, scratch: Scratch, every: Sequence[BackupSet], limit: datetime) -> int:
    """Remove the sets made before a moment, but never the last three: their keys first, then what only they name.

    ``every`` are all sets, the newest first; ``scratch`` knows what the place held before this run, and the
    list of the set that this run made. Returns how many went.
    """
    old = [each for each in every[KEPT_AT_LEAST:] if each.made_at < limit]
    if not old:
        return 0
    kept = [each for each in every if each not in old]
    scratch.spare("objects/")
    for each in kept:
        lying = scratch.found(set_lists.key_of(each))
        named = set_lists.listed(target, each, lying.version if lying else None)
        scratch.keep(f"objects/{item.key}" for item in named)
    still = {part.key for each in kept for part in each.logs}
    spare = {part.key for each in old for part in each.logs} - still
    for each in old:  # once all that stays was read: what is damaged forgets nothing
        ring.destroy_generation(each.id)
    for key in spare:
        ring.destroy_generation(UUID(key.removeprefix("logs/")))
    gone = [*spare, *(f"sets/{each.id}/" for each in old)]
    for info in chain(*(scratch.under(prefix) for prefix in gone), scratch.spared()):
        target.remove(info.key, info.version)
    return len(old)
