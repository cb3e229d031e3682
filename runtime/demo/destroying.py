"""A destruction of the demonstration, from its appraisal to the signed certificate, some weeks ago."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, select

from archive.clock import SystemClock
from archive.errors import InvalidInput
from archive.identity import Identity
from archive.model import Copy, Destruction, DestructionMethod, DestructionState, Duty, Medium, Record, Verdict
from retention.appraising.judging import Filter
from retention.appraising.listing import Chosen
from retention.appraising.verdicts import Said
from retention.destroying.listing import Chosen as Listed
from retention.destroying.listing import How
from retention.destroying.means import listed, needs_neutral
from runtime.demo.appraising import CHAIR, PANEL
from runtime.demo.lending import Ago
from runtime.processes.working import LocalWaker, work_done
from runtime.settings import Settings
from runtime.wiring.parts import Parts, build

LEAST, MOST = 200, 6
"""Of so many records at least, so many at most are destroyed."""

LEVEL = 1
"""Of this level; those of another are left to be tried."""

BEGAN, CLOSED, CONFIRMED = 40, 34, 24
"""Days ago."""

DUTIES = ((Duty.EXECUTOR, "clerk"), (Duty.WITNESS, "staff"), (Duty.WITNESS, "resident"), (Duty.SUPERVISOR, "system"))
DECIDERS = ("deputy", "vice", "director")


def destroy_some(settings: Settings) -> None:
    """Destroy a few electronic records that are due. Does nothing where one was begun, or nothing fits."""
    clock = Ago(SystemClock(), BEGAN)
    parts = build(settings, LocalWaker(), clock)
    parts.page_reader = None
    try:
        with parts.db.reading() as session:
            there, begun = (session.scalar(select(func.count()).select_from(each)) for each in (Record, Destruction))
            if begun or (there or 0) < LEAST:
                return
        who = {login: parts.people.identity_of(login) for login in (*PANEL, *DECIDERS, "security", "clerk")}
        who |= {login: parts.people.identity_of(login) for _, login in DUTIES}
        appraisal = _given_up(parts, who, clock)
        if appraisal:
            _destroyed(parts, who, clock, appraisal)
    finally:
        parts.close()


def _given_up(parts: Parts, who: Mapping[str, Identity], clock: Ago) -> UUID | None:
    """Have a panel say of a few records that they may go; return its appraisal."""
    acts, archivist = parts.retention.appraisals, who["archivist"]
    try:
        key = acts.listing.begin(archivist, "上一年度到期电子文件鉴定", PANEL, CHAIR, Chosen())
    except InvalidInput:
        return None
    listed = [each.row.record_id for each in acts.looks.items(archivist, key, Filter(), limit=1000)]
    going = _fitting(parts, listed)
    if not going:
        acts.listing.withdraw(archivist, key, 1, "无可鉴定的电子文件")
        return None
    acts.listing.leave_out(archivist, key, [each for each in listed if each not in going])
    with work_done(parts, wait=True):
        acts.listing.open(archivist, key, acts.looks.show(archivist, key).row.version)
    for login in PANEL:
        acts.judging.say(who[login], key, going, Said(Verdict.DESTROY), "保管期满，已无凭证和参考价值")
    clock.days = CLOSED
    with work_done(parts, wait=True):
        acts.listing.close(who[CHAIR], key, acts.looks.show(who[CHAIR], key).row.version)
    return key


def _fitting(parts: Parts, listed: Sequence[UUID]) -> Sequence[UUID]:
    with parts.db.reading() as session:
        fit = select(Record.id).where(
            Record.id.in_(listed), Record.level_rank == LEVEL, Record.dossier_id.is_(None),
            Record.id.not_in(select(Copy.record_id)), Record.medium == Medium.ELECTRONIC,
        )  # fmt: skip
        return session.scalars(fit.order_by(Record.id).limit(MOST)).all()


def _destroyed(parts: Parts, who: Mapping[str, Identity], clock: Ago, appraisal: UUID) -> None:
    """Ask, decide, wait, confirm, count, run, sign: each by its own person."""
    acts, archivist = parts.retention.destructions, who["archivist"]
    how = How("上一年度到期电子文件销毁", DestructionMethod.DELETION, place="信息中心机房")
    key = acts.listing.begin(archivist, how, Listed(appraisal))
    for duty, login in DUTIES:
        acts.counting.appoint(archivist, key, duty, login)
    with parts.db.reading() as session:
        named = needs_neutral(session, [each.record_id for each in listed(session, key)])
    acts.listing.name(archivist, key, {each: f"已销毁电子文件第{at}件" for at, each in enumerate(sorted(named), 1)})
    acts.deciding.ask(archivist, key, "保管期满，经鉴定小组一致同意销毁")
    for login in DECIDERS:
        if _state(parts, key) is DestructionState.ASKED:
            acts.deciding.decide(who[login], key, "同意", approve=True)
    clock.days = CONFIRMED
    acts.deciding.confirm(who["security"], key)
    for login in ("staff", "resident", "system"):
        acts.counting.sign(who[login], key)
    with work_done(parts, wait=True):
        acts.running.run(who["clerk"], key, _number(parts, key))
    for login in ("staff", "resident", "system", "clerk"):
        acts.counting.sign(who[login], key)


def _state(parts: Parts, key: UUID) -> DestructionState:
    with parts.db.reading() as session:
        return session.get_one(Destruction, key).state


def _number(parts: Parts, key: UUID) -> str:
    with parts.db.reading() as session:
        return session.get_one(Destruction, key).number
