"""What pages need of the rest of the house, named in one place; ``runtime`` wires it."""

from dataclasses import dataclass
from functools import cached_property
from typing import cast

from flask import current_app, g

from archive.bringing_in import BringingIn
from archive.clock import Clock
from archive.confirming import ProposalService
from archive.database import Database
from archive.files import FileService
from archive.filing import FilingService
from archive.identity import Identity
from archive.intake import IntakeService
from archive.log.browse import LogView
from archive.log.readings import Readings
from archive.moving import Moving
from archive.people import People
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import ObjectStore, Vault
from archive.records import RecordService
from archive.showing import RecordReader
from archive.why import WhyService
from indexer.sandbox.client import Extractor
from indexer.search import SearchService
from indexer.unlocking import Unlocking
from storage.pictures import PictureCache
from web.directory import Directory


@dataclass(frozen=True)
class Services:
    """The services behind the pages.

    ``secret`` signs the form cookie; it is the same in every process and is kept nowhere beside the ring.
    ``https`` is set when browsers reach the house by TLS.
    """

    db: Database
    clock: Clock
    guard: Guard
    people: People
    records: RecordService
    reader: RecordReader
    filing: FilingService
    intake: IntakeService
    files: FileService
    proposals: ProposalService
    bringing: BringingIn
    moving: Moving
    why: WhyService
    unlocking: Unlocking
    search: SearchService
    log_view: LogView[Act]
    readings: Readings
    vault: Vault
    store: ObjectStore
    drawer: Extractor
    pictures: PictureCache
    secret: bytes
    https: bool = False

    @cached_property
    def directory(self) -> Directory:
        """Names for pages."""
        return Directory(self.db, self.guard.day)

    def zone(self) -> str:
        """Return the house's zone."""
        return self.directory.zone()


def services() -> Services:
    """Return the services of the running application."""
    return cast("Services", current_app.extensions["juanku"])


def identity() -> Identity:
    """Return who asks; a page that needs nobody signed in does not call this."""
    return cast("Identity", g.identity)
