"""What jobs do, in words."""

from collections.abc import Mapping

from archive.model import JobKind
from web.words import mark

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
    JobKind.FORGET_ANSWERS: mark("forget old answers to programs"),
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
}
"""By kind; a newer version may have kinds that this one does not know."""
