"""What jobs do, in words."""

from collections.abc import Mapping

from archive.model import JobKind
from web.words import mark, translator
from web.words.put_aside import REASONS

JOBS: Mapping[str, str] = {
    JobKind.EXTRACT: mark("read the text of files"),
    JobKind.UNPACK: mark("take files out of files"),
    JobKind.OCR: mark("read scans by OCR"),
    JobKind.COMPARE: mark("compare texts"),
    JobKind.RENDITION: mark("make searchable renditions"),
    JobKind.INDEX: mark("bring records into search"),
    JobKind.EMPTY_BIN: mark("empty the bin"),
    JobKind.SWEEP_ORPHANS: mark("sweep what uploads left behind"),
    JobKind.CHECKPOINT: mark("sign the log"),
    JobKind.EXPUNGE: mark("expunge the search index"),
    JobKind.REBUILD: mark("build the search index anew"),
    JobKind.FORGET_ANSWERS: mark("forget old answers to programs and sessions long ended"),
    JobKind.PLAN_CHECKS: mark("plan checks against papers"),
    JobKind.BRING_IN: mark("bring spreadsheets in"),
    JobKind.BACKUP: mark("make a backup"),
    JobKind.LOCK: mark("lock what is filed"),
    JobKind.FIXITY: mark("check stored files"),
    JobKind.FILE_MANY: mark("file many records"),
    JobKind.BULK_EDIT: mark("edit many records"),
    JobKind.CALENDAR: mark("reckon days anew by the changed calendar"),
    JobKind.BULK_MOVE: mark("move many papers"),
    JobKind.LOANS: mark("look after loans"),
    JobKind.DUE: mark("look for what falls due"),
    JobKind.DELIVER: mark("send messages"),
    JobKind.FIND_DUE: mark("find what falls due"),
    JobKind.RECKON: mark("reckon days of terms anew"),
    JobKind.HOLD: mark("place or release a hold"),
    JobKind.DESTROY: mark("carry a destruction out"),
    JobKind.SECRECY: mark("notice secrecy periods that end, do what a review decided"),
    JobKind.APPRAISE: mark("open or close an appraisal"),
    JobKind.SAY_ALL: mark("note one opinion of many items"),
    JobKind.PACK: mark("make the bag of a transfer"),
    JobKind.TAKE_IN: mark("take in the bag of another archive"),
    JobKind.FOLLOW_SCHEME: mark("bring the records of changed categories into search anew"),
    JobKind.REREAD: mark("have files read again"),
}
"""By kind; a newer version may have kinds that this one does not know."""

JOB_FAULTS: Mapping[str, str] = {
    "lease_lost": mark("another worker took it over"),
    "deadline": mark("it took longer than it may"),
    "no_outcome": mark("it ended without saying how"),
    "no_subject": mark("what it was for is not there any more"),
    "interrupted": mark("it was broken off"),
    "unavailable": mark("a part of the system did not answer"),
    "search": mark("the search engine did not answer"),
    "store": mark("the store of files did not answer"),
    "storage_full": mark("the disk or the store is full"),
    "damaged": mark("what is kept is not what was kept: look at the stored files"),
    "key_unavailable": mark("its key is destroyed, or the key ring cannot be read"),
    "not_found": mark("a record or a file of it is not there any more"),
    "wrong_state": mark("it no longer fits the state of what it is for"),
    "conflict": mark("something else changed the same meanwhile"),
}
"""Why a job failed, by its error code; files that cannot be read have the words of ``REASONS``."""


def job_fault(code: str, locale: str) -> str:
    """Return why a job failed, in words; what has none is a fault of this program, and is named for its makers."""
    gettext = translator(locale)
    words = JOB_FAULTS.get(code) or (REASONS[code][0] if code in REASONS else "")
    return gettext(words) if words else gettext(mark("a fault of the program (%(code)s)"), code=code)
