"""Loans of the demonstration: in each state, one overdue, one in the queue, requests that wait for its people."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select

from archive.clock import Clock
from archive.errors import InvalidInput
from archive.identity import Identity
from archive.loans.asking import Wish
from archive.loans.counter import Seen
from archive.loans.whole import Lending
from archive.log.writer import Log
from archive.model import Loan, LoanForm, Medium, Record, RecordState
from archive.policy.guard import Guard
from archive.policy.rules import Act
from runtime.wiring.parts import Parts


@dataclass
class Ago:
    """A clock that is behind another by some days, which may grow fewer."""

    clock: Clock
    days: int

    def now(self) -> datetime:
        """Return the moment so many days ago."""
        return self.clock.now() - timedelta(days=self.days)


def lend(parts: Parts) -> None:
    """Have people borrow, each act through its service; nothing happens where something was lent already."""
    with parts.db.reading() as session:
        if session.scalar(select(func.count()).select_from(Loan)):
            return
    who = {login: parts.people.identity_of(login) for login in ("archivist", "staff", "clerk", "manager", "director")}
    low = _papers(parts, who["staff"], 1, 7)
    secret = _papers(parts, who["clerk"], 2, 1)
    now, before, long_ago = (_lending(parts, days) for days in (0, 9, 20))
    with suppress(InvalidInput, IndexError):
        _lent(long_ago, who, "staff", low[0], "核对供应商报价")
        long_ago.counter.take_back(who["archivist"], low[0], Seen(effect="据此与供应商重新议价，节约三千元"))
        _lent(before, who, "manager", low[1], "复核电梯改造的签证")
        _lent(now, who, "staff", low[2], "答复业主的咨询")
        _approved(now, who, "director", low[2], "看一下合同的付款条款")
        _approved(now, who, "staff", low[3], "整理年度台账")
        now.requests.ask(who["staff"], low[4], _wish("向业主出示验收结论"))
        for key in low[5:6]:
            _approved(now, who, "staff", key, "在线核对设备编号", LoanForm.SCREEN)
        for key in secret:
            now.requests.ask(who["clerk"], key, _wish("核对合同金额", LoanForm.ROOM))
    sought = "去年二号楼地下室积水的处理材料，可能在工程部"
    now.requests.describe(who["staff"], sought, _wish("业主要求说明处理经过", LoanForm.ROOM))


def _lending(parts: Parts, days: int) -> Lending:
    """Return the acts on loans as they were so many days ago."""
    clock = Ago(parts.clock, days)
    log = Log(parts.vault, clock)
    return Lending(parts.db, Guard(parts.db, log, clock, parts.zone), parts.vault, log, clock, parts.zone)


def _papers(parts: Parts, borrower: Identity, level: int, count: int) -> Sequence[UUID]:
    """Return filed records on paper of a level that someone may borrow."""
    with parts.db.reading() as session:
        query = parts.guard.visible(session, borrower, Act.ASK_LOAN).where(
            Record.level_rank == level, Record.medium == Medium.BOTH, Record.state == RecordState.FILED
        )
        return session.scalars(query.with_only_columns(Record.id).order_by(Record.id).limit(count)).all()


def _wish(words: str, form: LoanForm = LoanForm.OUT) -> Wish:
    return Wish(form=form, purpose="work", words=words)


def _approved(
    lending: Lending, who: dict[str, Identity], login: str, record: UUID, words: str, form: LoanForm = LoanForm.OUT
) -> None:
    loan = lending.requests.ask(who[login], record, _wish(words, form))
    asked = lending.asked_loan(who[login], loan).loan
    lending.requests.decide(who["archivist"], asked.approval_id, "同意", approve=True)


def _lent(lending: Lending, who: dict[str, Identity], login: str, record: UUID, words: str) -> None:
    _approved(lending, who, login, record, words)
    key = who[login].person_id
    if key is not None:
        lending.counter.issue(who["archivist"], key, record)
