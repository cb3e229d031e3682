"""What else is there on this machine, for the words about a file."""

from indexer.ocr.engines import chosen
from indexer.sandbox.office import found
from runtime.settings import Settings
from web.aids import Aids


def aids_of(settings: Settings) -> Aids:
    """Return what stands beside the archive."""
    return Aids(chosen(settings.ocr) is not None, found(settings.soffice) is not None, bool(settings.clamav))
