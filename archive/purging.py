"""Removing the rows of records for good: of those whose bin time is over, and of those that were destroyed."""

import re
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from archive.files.attachments import forget_attachments
from archive.files.likeness import forget, forget_decisions
from archive.model import (
    ApiAnswer,
    AppraisalOpinion,
    Approval,
    ApprovalDecider,
    ApprovalStep,
    ApprovalWord,
    AttachedTo,
    Attachment,
    BasketItem,
    Block,
    BulkEditRow,
    Circulation,
    CirculationStop,
    Content,
    CopyMark,
    CustodyEntry,
    Deadline,
    Delivery,
    Excerpt,
    File,
    FilingRunRow,
    FixityFinding,
    FormDraft,
    HandInLine,
    Hold,
    HoldKind,
    HoldRecord,
    ImportEntry,
    Job,
    JobState,
    Loan,
    LoanReport,
    Message,
    OutsideUse,
    OwnerKey,
    PageText,
    Proposal,
    ReadingRight,
    Record,
    RecordCheck,
    RecordDue,
    RecordExtension,
    RecordOpening,
    RecordPerson,
    RecordRelation,
    RecordSchedule,
    RecordSecrecy,
    RecordSubject,
    RetentionEvent,
    ScannedPage,
    ScheduleDraft,
    SecrecyReview,
    SecrecyReviewItem,
    SentBack,
    SheetRow,
    StandingCustody,
    TransferItem,
    UnsettledMatter,
)
from archive.model.bulk import BulkMoveRow
from archive.model.handin import BagDraft, BagIntake
from archive.model.leaving import AppraisalAdvice, TransferPart
from archive.model.retention import RenewalItem
from archive.model.uses import OutsideUseRecord
from archive.required.rows import forget_papers
from archive.shelving.rules import forget_copies

_IDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def remove_records(session: Session, ids: Sequence[UUID]) -> None:
    """Remove records with all their rows and keys. Objects are left to the sweeper, index and log to the caller."""
    contents = select(Content.id).where(Content.record_id.in_(ids))
    freed = update(Record).where(Record.dossier_id.in_(ids))
    session.execute(freed.values(dossier_id=None, position=None, volume=None))
    for pages in (PageText, ScannedPage, Proposal):
        session.execute(delete(pages).where(pages.content_id.in_(contents)))
    forget(session, contents)
    forget_decisions(session, ids)
    session.execute(update(TransferItem).where(TransferItem.record_id.in_(ids)).values(told=""))
    related = or_(RecordRelation.record_id.in_(ids), RecordRelation.other_id.in_(ids))
    session.execute(delete(RecordRelation).where(related))
    _forget_requests(session, ids)
    _forget_with_people(session, ids)
    _forget_visits(session, ids)
    forget_attachments(session, ids)
    for own in (Block, RecordCheck, AppraisalAdvice, AppraisalOpinion, BulkMoveRow):
        session.execute(delete(own).where(own.record_id.in_(ids)))
    forget_copies(session, ids)
    bags = select(BagIntake.id).where(BagIntake.record_id.in_(ids))
    session.execute(delete(BagDraft).where(or_(BagDraft.record_id.in_(ids), BagDraft.bag_id.in_(bags))))
    messages = select(Message.id).where(Message.record_id.in_(ids))
    session.execute(delete(Delivery).where(Delivery.message_id.in_(messages)))
    session.execute(update(HandInLine).where(HandInLine.record_id.in_(ids)).values(record_id=None))
    forget_papers(session, ids)
    _forget_places(session, ids)
    for table in (
        RecordPerson, RecordSubject, ReadingRight, Approval, Deadline, Message, SentBack, FilingRunRow, ImportEntry,
        SheetRow, BulkEditRow, Content, File, RecordDue, RecordSchedule, RetentionEvent, HoldRecord, RecordSecrecy,
        RecordOpening, UnsettledMatter, TransferPart, BagIntake,
    ):  # fmt: skip
        session.execute(delete(table).where(table.record_id.in_(ids)))
    session.execute(delete(Record).where(Record.id.in_(ids)))
    session.execute(delete(OwnerKey).where(OwnerKey.owner_id.in_(ids)))


def _forget_places(session: Session, ids: Sequence[UUID]) -> None:
    """Remove records from released holds on one of them, and from the places to which jobs that ended had come."""
    one = Hold.kind.in_((HoldKind.RECORD, HoldKind.DOSSIER)), Hold.covers["id"].as_string().in_(map(str, ids))
    session.execute(update(Hold).where(*one, Hold.released_at.is_not(None)).values(covers={}))
    for table, ended in ((Hold, Hold.swept_at), (ScheduleDraft, ScheduleDraft.applied_at)):
        session.execute(update(table).where(table.through.in_(ids), ended.is_not(None)).values(through=None))


def _forget_with_people(session: Session, ids: Sequence[UUID]) -> None:
    """Remove circulation slips, standing custody, and what lies in baskets."""
    slips = select(Circulation.id).where(Circulation.record_id.in_(ids))
    session.execute(delete(CirculationStop).where(CirculationStop.circulation_id.in_(slips)))
    kept = select(StandingCustody.id).where(StandingCustody.record_id.in_(ids))
    session.execute(delete(CustodyEntry).where(CustodyEntry.custody_id.in_(kept)))
    for table in (Circulation, StandingCustody, BasketItem):
        session.execute(delete(table).where(table.record_id.in_(ids)))


def _forget_visits(session: Session, ids: Sequence[UUID]) -> None:
    """Remove records from the visits of readers from outside, and visits of which no other record is left."""
    lines = delete(OutsideUseRecord).where(OutsideUseRecord.record_id.in_(ids)).returning(OutsideUseRecord.use_id)
    touched = set(session.scalars(lines))
    left = set(session.scalars(select(OutsideUseRecord.use_id).where(OutsideUseRecord.use_id.in_(touched))))
    empty = touched - left
    letters = (Attachment.about == AttachedTo.USE, Attachment.subject_id.in_(empty))
    session.execute(delete(Attachment).where(*letters))
    session.execute(delete(OutsideUse).where(OutsideUse.id.in_(empty)))
    session.execute(delete(OwnerKey).where(OwnerKey.owner_id.in_(empty)))


def _forget_requests(session: Session, ids: Sequence[UUID]) -> None:
    """Remove loans, reviews of nothing else, what was kept on, and what was decided step by step."""
    for table in (CopyMark, SecrecyReviewItem, RenewalItem, RecordExtension, LoanReport):
        session.execute(delete(table).where(table.record_id.in_(ids)))
    of_them = select(Approval.id).where(Approval.record_id.in_(ids))
    session.execute(delete(SecrecyReview).where(SecrecyReview.approval_id.in_(of_them)))
    session.execute(delete(Loan).where(Loan.record_id.in_(ids)))
    session.execute(delete(Excerpt).where(Excerpt.record_id.in_(ids)))
    asked = select(Approval.id).where(Approval.record_id.in_(ids))
    for step in (ApprovalWord, ApprovalDecider, ApprovalStep):
        session.execute(delete(step).where(step.approval_id.in_(asked)))


def forget_traces(session: Session, ids: Sequence[UUID], contents: Sequence[UUID]) -> None:
    """Remove what else names records that are destroyed: jobs that are not at work, answers, findings, drafts."""
    subjects = [*ids, *contents]
    session.execute(delete(Job).where(Job.subject_id.in_(subjects), Job.state != JobState.RUNNING))
    session.execute(delete(ApiAnswer).where(ApiAnswer.made.in_(subjects)))
    # others may name them in a list; that the acts were done stays known, so that none is done twice, and "" says all
    session.execute(update(ApiAnswer).where(ApiAnswer.answer != "").values(status=None, answer=None))
    session.execute(delete(FixityFinding).where(FixityFinding.content_id.in_(contents)))
    drafts = drafts_of(session, ids)
    session.execute(delete(FormDraft).where(FormDraft.id.in_(drafts)))
    session.execute(delete(OwnerKey).where(OwnerKey.owner_id.in_(drafts)))


def drafts_of(session: Session, ids: Sequence[UUID]) -> list[UUID]:
    """Return the unsent forms of records; each is the owner of its own key."""
    named = {str(key) for key in ids}
    rows = session.execute(select(FormDraft.id, FormDraft.form)).all()
    return [row.id for row in rows if not named.isdisjoint(_IDS.findall(row.form))]
