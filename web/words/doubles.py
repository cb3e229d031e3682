"""Why two records may be the same, in words."""

from archive.files.pairing import Reason, Why
from web.words import mark, translator

REASONS = {
    Why.SAME_BYTES: mark("the same file"),
    Why.SAME_TEXT: mark("the same text"),
    Why.DOCUMENT_NUMBER: mark("the same document number"),
    Why.TITLE_AND_DATE: mark("the same title and date"),
}


def reason_words(reason: Reason, locale: str) -> str:
    """Return a reason in words, with the share that two near texts have in common."""
    if reason.why is Why.NEAR_TEXT:
        return translator(locale)(mark("nearly the same text (%(percent)s%%)"), percent=reason.percent)
    return translator(locale)(REASONS[reason.why])
