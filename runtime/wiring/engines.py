"""The search engine that the settings name. A server's library comes with the extra ``house``."""

from pathlib import Path

from archive.clock import Clock
from archive.database import Database
from archive.errors import BrokenSetting
from indexer.engine import SearchEngine
from indexer.rebuild import begun
from indexer.tantivy.engine import TantivyEngine
from runtime.settings import Settings


def search_engine(settings: Settings, db: Database, clock: Clock) -> SearchEngine:
    """Return the engine; a server is connected to at the first request.

    Raises:
        BrokenSetting: a server is named, but the extra is not installed.
    """
    if not settings.search_url.startswith("http"):
        return TantivyEngine(settings.home / "index", prefix=settings.search_prefix)
    try:
        from indexer.elastic.client import Access, connect  # noqa: PLC0415  (loads what few houses have)
        from indexer.elastic.engine import ElasticEngine  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise BrokenSetting(variable="JUANKU_SEARCH_URL", reason="driver_missing") from error
    ca = Path(settings.search_ca) if settings.search_ca else None
    access = Access(settings.search_user, settings.search_password, settings.search_api_key, ca)
    client = connect(settings.search_url, access)
    return ElasticEngine(client, prefix=settings.search_prefix, begun=lambda: begun(db), clock=clock)
