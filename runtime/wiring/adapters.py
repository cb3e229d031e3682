"""What the settings choose: database, ring, store, engine and programs. Nothing else knows which adapter is used."""

from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import select

from archive.clock import Clock
from archive.closing import ZONE
from archive.database import Database
from archive.log.sealer import Sealer
from archive.model import House
from archive.ports import Vault, Waker
from indexer.engine import SearchEngine
from indexer.ocr.client import PageReader
from indexer.ocr.engines import chosen
from indexer.sandbox.client import Extractor
from indexer.sandbox.confinement import Limits
from indexer.sandbox.office import Office, found
from indexer.scanner import ClamAV
from runtime.stores import StoreParts
from runtime.telemetry import INDEX_CALLS, watched_calls
from runtime.wiring.engines import search_engine
from storage.pictures import PictureCache
from storage.ring import KeyRing
from storage.vault import RingVault


@dataclass
class Adapters(StoreParts):
    """What lies outside, each part opened when it is first asked for."""

    waker: Waker
    clock: Clock

    @cached_property
    def db(self) -> Database:
        """The database."""
        return Database(
            self.settings.database_url,
            seal=lambda entry: self.sealer.wait_sealed(entry),  # noqa: PLW0108  (made later)
            place=self.settings.store_url,
        )

    @cached_property
    def zone(self) -> str:
        """The house's time zone."""
        with self.db.reading() as session:
            return session.scalar(select(House.zone)) or ZONE

    @cached_property
    def ring(self) -> KeyRing:
        """The key ring."""
        return KeyRing.open(self.settings.keys)

    @cached_property
    def vault(self) -> Vault:
        """Seals and opens under the owners' keys."""
        return RingVault(self.ring)

    @cached_property
    def engine(self) -> SearchEngine:
        """The search engine."""
        return watched_calls("index", search_engine(self.settings, self.db, self.clock), INDEX_CALLS)

    @cached_property
    def extractor(self) -> Extractor:
        """The fork server's client."""
        return Extractor()

    @cached_property
    def drawer(self) -> Extractor:
        """Another fork server, which draws pictures of pages for the web process, one at a time."""
        return Extractor(parallel=1, limits=Limits(memory=512 * 1024 * 1024, cpu=10, wall=20.0))

    @cached_property
    def page_reader(self) -> PageReader | None:
        """OCR; None where no engine is there or wanted."""
        engine = chosen(self.settings.ocr)
        return PageReader(engine) if engine else None

    @cached_property
    def scanner(self) -> ClamAV | None:
        """The virus scanner; None where the house has named none."""
        return ClamAV(self.settings.clamav) if self.settings.clamav else None

    @cached_property
    def pictures(self) -> PictureCache:
        """Pictures of pages that were drawn before."""
        return PictureCache(self.settings.home / "pictures", self.settings.pictures_mb * 1024 * 1024)

    @cached_property
    def office(self) -> Office | None:
        """LibreOffice; None where it is not there or not to be used."""
        program = found(self.settings.soffice)
        return Office(program) if program else None

    @cached_property
    def sealer(self) -> Sealer:
        """Chains the log."""
        return Sealer(self.db, self.clock)
