"""The engine of a larger house, as the settings name it. Its library comes with the extra ``house``."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path

from archive.clock import Clock
from archive.errors import BrokenSetting
from indexer.engine import SearchEngine
from runtime.settings import Settings


def elasticsearch(settings: Settings, begun: Callable[[], AbstractSet[str]], clock: Clock) -> SearchEngine:
    """Return the engine; it connects at its first request.

    Raises:
        BrokenSetting: the extra is not installed.
    """
    try:
        from indexer.elastic_client import Access, connect  # noqa: PLC0415
        from indexer.elastic_engine import ElasticEngine  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise BrokenSetting(variable="JUANKU_SEARCH_URL", reason="extra_house_not_installed") from error
    ca = Path(settings.search_ca) if settings.search_ca else None
    access = Access(settings.search_user, settings.search_password, settings.search_api_key, ca)
    client = connect(settings.search_url, access)
    return ElasticEngine(client, prefix=settings.search_prefix, begun=begun, clock=clock)
