"""Which handler does which kind of job. Imported with the first job: many commands run none."""

from collections.abc import Sequence

from archive.jobs.runner import Handler
from archive.jobs.stepwise import Stepwise
from archive.model import JobKind
from archive.reminding.delivering import Deliver, Item
from archive.scheme.following import FollowScheme
from indexer.comparing import CompareTexts
from indexer.ocr.job import ReadScans
from indexer.rendition import MakeRenditions
from retention.answers import ForgetAnswers
from retention.bin import EmptyBin
from retention.calendar import FollowCalendar
from retention.checks import PlanChecks
from retention.due import TellWhatIsDue
from retention.loans import CareForLoans
from retention.transferring.packing import PackBags
from retention.transferring.receiving import TakeBagsIn
from runtime.jobs.backing_up import MakeBackups
from runtime.jobs.checking_fixity import CheckFixity
from runtime.jobs.checkpointing import MakeCheckpoints
from runtime.jobs.rebuilding import index_care
from runtime.wiring.services import ServiceParts
from storage.locks import LockObjects
from storage.sweep import SweepOrphans


def handlers_of(parts: ServiceParts) -> list[Handler]:
    """Return a handler for each kind of job, over the parts of an archive."""
    return [
        parts.extraction,
        parts.unpacking,
        ReadScans(
            parts.db,
            parts.vault,
            parts.store,
            parts.outbox,
            parts.page_reader,
            parts.clock,
            parts.guard.day,
            parts.ending.is_set,
        ),
        CompareTexts(parts.db, parts.vault),
        MakeRenditions(parts.db, parts.vault, parts.store, parts.log, parts.outbox, parts.clock, parts.extractor),
        parts.indexing,
        Stepwise(JobKind.BRING_IN, parts.db, parts.bringing.bring),
        Stepwise(JobKind.FILE_MANY, parts.db, parts.filing_many.go_on),
        Stepwise(JobKind.BULK_EDIT, parts.db, parts.bulk.run),
        Stepwise(JobKind.BULK_MOVE, parts.db, parts.bulk_moves.run),
        FollowScheme(parts.db, parts.outbox),
        parts.rereading,
        EmptyBin(
            parts.db,
            parts.imports,
            [parts.bringing, parts.drafts, parts.bulk, parts.bulk_moves, parts.filing_many],
            parts.log,
            parts.outbox,
            parts.clock,
        ),
        ForgetAnswers(parts.once.forget, parts.people.forget, parts.messages_kept.forget),
        PlanChecks(parts.checks),
        CareForLoans(parts.lending.care),
        TellWhatIsDue(parts.db, parts.guard, parts.telling.sweep),
        FollowCalendar(parts.telling.calendar_moves),
        Deliver(parts.db, parts.guard, parts.vault, parts.outbox, parts.telling.due, parts.ways, _letter),
        *parts.retention.handlers,
        PackBags(parts.db, parts.bags),
        TakeBagsIn(JobKind.TAKE_IN, parts.db, parts.receiving.go_on),
        parts.erasing,
        SweepOrphans(parts.db, parts.store, parts.clock),
        MakeBackups(parts.safekeeping, parts.ending.is_set),
        CheckFixity(parts.fixity, parts.mending, parts.ending.is_set),
        LockObjects(parts.db, parts.locks, parts.clock, parts.zone),
        MakeCheckpoints(parts.sealer, parts.checkpoints, parts.db, parts.witness_bucket),
        *index_care(parts.rebuilder, parts.engine),
    ]


def _letter(items: Sequence[Item], locale: str | None) -> tuple[str, str]:
    from web import letters  # noqa: PLC0415 (its words bring the pages' templates with them)

    return letters.write(items, locale)
