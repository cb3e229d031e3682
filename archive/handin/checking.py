"""The archives' side of a batch: each line counted and checked, those that pass made drafts, the others returned."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from archive.cataloguing.describing import Draft, definitions
from archive.cataloguing.records import RecordService
from archive.database import Work
from archive.errors import Fault, InvalidInput, NotFound, WrongState
from archive.handin.lines import LineFacts, open_lines, seal_lines
from archive.handin.looking import Means, act_for, check_context, lines_of, required, standing_of
from archive.identity import Identity
from archive.ids import new_id
from archive.model import (
    Category,
    Failing,
    HandIn,
    HandInCheck,
    HandInLine,
    HandInState,
    LineState,
    Record,
    RecordState,
    SignedBy,
)
from archive.policy.rules import Act
from archive.shelving.copies import CopyFacts, add_copy

LONGEST_WORDS = 500


@dataclass(frozen=True)
class Looked:
    """What was found of a line. It passes when all four hold; else ``reason`` says why it does not."""

    arrived: bool = True
    pages_agree: bool = True
    readable: bool = True
    labelled: bool = True
    reason: Failing | None = None
    words: str = ""

    @property
    def passes(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.arrived and self.pages_agree and self.readable and self.labelled and self.reason is None


class HandInChecking:
    """What an archivist does with a batch that was handed in."""

    def __init__(self, means: Means, records: RecordService) -> None:
        self._means = means
        self._records = records

    def check(self, identity: Identity, batch_id: UUID, line_id: UUID, looked: Looked) -> LineState:
        """Note what was found of a line and return its state; one that passes is a draft from then on.

        A line that was failed may be looked at again until the batch is sent back.

        Raises:
            InvalidInput: no reason for one that does not pass, too many words; the draft cannot be made as it is said.
            OwnRequest: the person has handed it in themselves, in this round or an earlier one.
            WrongState: the batch is not with the archives, or the line has passed.
        """
        means = self._means
        if not looked.passes and looked.reason is None:
            raise InvalidInput(Fault("reason", "required"))
        if len(looked.words) > LONGEST_WORDS:
            raise InvalidInput(Fault("words", "too_long", {"limit": LONGEST_WORDS, "length": len(looked.words)}))
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row = self._handed(session, identity, batch_id, "handin.check")
            line = session.get(HandInLine, line_id)
            if line is None or line.batch_id != row.id:
                raise NotFound
            if line.state not in {LineState.HANDED_IN, LineState.FAILED}:
                raise WrongState(state=line.state.value, act="handin.check")
            self._keep(session, identity, row, line, looked)
            line.state = LineState.PASSED if looked.passes else LineState.FAILED
            if looked.passes:
                self._link(work, identity, row, line)
            body = {"batch": str(row.id), "line": line.position, "round": row.round, "passed": looked.passes}
            body |= {"reason": looked.reason.value} if looked.reason else {}
            means.log.note(session, identity, "handin.check", record=line.record_id, body=body)
            work.commit()
            return line.state

    def finish(self, identity: Identity, batch_id: UUID) -> HandInState:
        """End the check of a round: what failed goes back to the clerk; where nothing failed, both sides may sign.

        Raises:
            InvalidInput: lines wait to be checked.
            OwnRequest, WrongState: as ``check``.
        """
        means = self._means
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            row = self._handed(session, identity, batch_id, "handin.finish")
            if waiting := lines_of(session, row.id, LineState.HANDED_IN):
                raise InvalidInput(Fault("lines", "lines_wait", {"count": len(waiting)}))
            failed = lines_of(session, row.id, LineState.FAILED)
            for each in failed:
                each.state = LineState.RETURNED
            row.state = HandInState.RETURNED if failed else HandInState.CHECKED
            row.checked_by, row.checked_at = identity.person_id, means.clock.now()
            row.version += 1
            session.flush()
            body = {"batch": str(row.id), "round": row.round, "returned": len(failed)}
            means.log.note(session, identity, "handin.finish", body=body)
            work.commit()
            return row.state

    def _handed(self, session: Session, identity: Identity, batch_id: UUID, act: str) -> HandIn:
        row = required(self._means, session, identity, Act.FILE, batch_id, act)
        if row.state is not HandInState.HANDED_IN:
            raise WrongState(state=row.state.value, act=act)
        act_for(session, identity, row, SignedBy.RECEIVED, act)
        return row

    def _keep(self, session: Session, identity: Identity, row: HandIn, line: HandInLine, looked: Looked) -> None:
        key, words = new_id(), looked.words.strip()
        sealed = None
        if words:
            sealed = self._means.vault.seal(session, row.id, words.encode(), context=check_context(key))
        session.add(
            HandInCheck(
                id=key, batch_id=row.id, line_id=line.id, round=row.round, arrived=looked.arrived,
                pages_agree=looked.pages_agree, readable=looked.readable, labelled=looked.labelled,
                reason=looked.reason, sealed=sealed, checked_by=identity.person_id, checked_at=self._means.clock.now(),
            )
        )  # fmt: skip

    def _link(self, work: Work, identity: Identity, row: HandIn, line: HandInLine) -> None:
        """Make the draft that a line speaks of, with its copies.

        One that was filled from a draft has it, and says from now on what the draft says now: that is what is signed.
        """
        session = work.session
        facts = open_lines(session, self._means.vault, [line])[0]
        if line.record_id is not None:
            record = session.get(Record, line.record_id)
            if record is None or record.state is not RecordState.PROVISIONAL:
                raise InvalidInput(Fault("records", "no_draft"))
            said = standing_of(facts, record)
            line.pages = said.pages
            line.sealed = seal_lines(session, self._means.vault, row.id, [(line.id, said)])[line.id]
            return
        category = session.get_one(Category, row.category_id)
        line.record_id = self._records.insert(work, identity, [_draft(row, category, facts)])[0]
        if facts.carrier is not None:
            for _ in range(facts.copies):
                add_copy(session, line.record_id, CopyFacts(facts.carrier, pages=facts.pages), self._means.clock)


def _draft(row: HandIn, category: Category, facts: LineFacts) -> Draft:
    own = {each.name for each in definitions(category)}
    has_number = bool(facts.number) and "document_number" in own
    notes = [] if has_number or facts.number in {"", facts.title} else [facts.number]
    return Draft(
        fonds_id=row.fonds_id, category_id=row.category_id, title=facts.title or facts.number,
        drawn_up=facts.drawn_up or None, level_rank=row.level_rank, department_id=row.department_id,
        pages=facts.pages, medium=facts.medium, fields={"document_number": facts.number} if has_number else {},
        notes="\n".join([*notes, *([facts.remarks] if facts.remarks else [])]) or None,
    )  # fmt: skip
