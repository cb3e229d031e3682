"""Which documents LibreOffice is asked for, because our own parser found no word in them."""

from archive.model import TextState
from indexer import kinds
from indexer.extract.answer import Reason
from indexer.sandbox.office import converts
from indexer.settling import Result

_OLD = {kinds.DOC, kinds.XLS, kinds.PPT, kinds.RTF}
_MENDED = {None, Reason.UNSUPPORTED, Reason.TIME, Reason.MEMORY, Reason.CRASHED}


def may_be_printed(result: Result) -> bool:
    """Whether LibreOffice may find words that our own parser did not."""
    if result.state is TextState.TEXT or result.scans or result.inside or not converts(result.media_type):
        return False
    if result.reason == Reason.BROKEN:  # a damaged package it would mend by asking; what is no package it reads
        return result.media_type in _OLD
    return result.reason in _MENDED
