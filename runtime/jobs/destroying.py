"""What carries destructions out, over what the settings choose."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from archive.clock import Clock
from archive.database import Database
from archive.errors import Damaged, StandsAlready, Unavailable
from archive.identity import system
from archive.ids import time_of
from archive.jobs.outbox import Outbox
from archive.log.writer import Log
from archive.policy.guard import Guard
from archive.ports import ObjectErasing
from archive.scrubbing import scrub
from retention.gone.batches import Batches, Means
from retention.gone.erasing import Erasing
from retention.gone.proof import Proofs
from runtime.settings import Settings
from runtime.stores import StoreParts, folder
from runtime.upgrading import copies
from storage.erasing import FileErasing
from storage.objects import FileStore
from storage.safekeeping import AT_WORK, Safekeeping


@dataclass(frozen=True)
class House:
    """The parts that a destruction needs."""

    settings: Settings
    db: Database
    guard: Guard
    log: Log
    outbox: Outbox
    clock: Clock
    means: Means
    safekeeping: Safekeeping
    ending: Callable[[], bool]


class KeyBackups:
    """``ports.WrappedKeyBackups``: a set, whose key pack is that of now, where the house has named a place for sets.

    ``copies`` returns the copies of the database that upgrades left; ``ending`` says whether this process is about to
    end.
    """

    def __init__(
        self,
        safekeeping: Safekeeping,
        clock: Clock,
        keep: timedelta,
        copies: Callable[[], Sequence[tuple[Path, datetime]]] = tuple,
        ending: Callable[[], bool] = lambda: False,
    ) -> None:
        self._safekeeping = safekeeping
        self._clock = clock
        self._keep = keep
        self._copies = copies
        self._ending = ending

    def renew(self, going_on: Callable[[], bool] = lambda: True) -> datetime | None:
        """Make a set. Raises ``Unavailable``, too, while another process makes one: it may lack the newest keys."""
        if not self._safekeeping.configured:
            return None
        at = self._clock.now()
        try:
            self._safekeeping.make(system("destruction"), going_on=lambda: not self._ending() and going_on())
        except StandsAlready as error:
            raise Unavailable(part=AT_WORK) from error
        except Damaged:  # the set stands; what of it could not be copied its run tells
            pass
        return at

    def older(self, than: datetime) -> Sequence[tuple[str, datetime, datetime | None]]:
        """Return the sets made before a moment, each with the day on which it may be forgotten, and such copies."""
        left = [(path.name, at, None) for path, at in self._copies() if at <= than]
        return [*self._sets(than), *left]

    def _sets(self, than: datetime) -> Sequence[tuple[str, datetime, datetime]]:
        if not self._safekeeping.configured:
            return ()
        backups = self._safekeeping.backups()
        told = {each.id: each.made_at for each in backups.good()}  # of a damaged set its id tells
        made = ((each, told.get(each) or time_of(each)) for each in backups.ids())
        return [(str(each), at, at + self._keep) for each, at in made if at <= than]


def object_erasing(stores: StoreParts) -> ObjectErasing:
    """Return what removes objects for good: in a bucket under the credential of destruction, if the house gave one."""
    if stores.minios is None:
        return FileErasing(FileStore(folder(stores.settings)))
    from storage.minio.erasing import MinioErasing  # noqa: PLC0415 (who keeps objects in a folder does not need it)

    return MinioErasing(stores.minios.destroyer or stores.minios.everyday, stores.minios.bucket)


def erasing(house: House) -> Erasing:
    """Return what carries destructions out."""
    hour = house.settings.wipe_hour
    backups = KeyBackups(
        house.safekeeping,
        house.clock,
        timedelta(days=house.settings.backup_days),
        partial(copies, house.settings),
        house.ending,
    )
    batches = Batches(house.db, house.guard, house.log, house.outbox, house.means)
    proofs = Proofs(house.db, house.means, backups, house.clock)
    return Erasing(
        house.db, house.log, house.outbox, house.clock, batches, house.means, backups, proofs,
        partial(scrub, house.db, house.settings.database_owner_url),
        lambda: None if hour is None else house.guard.next_hour(hour),
    )  # fmt: skip
