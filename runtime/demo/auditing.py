"""An audit of the demonstration's destruction, half answered, and a transfer that waits for its decision."""

from datetime import timedelta

from sqlalchemy import func, select

from archive.model import Audit, Destruction, Record, RecordState, Transfer
from archive.model.auditing import AuditWord
from archive.terms import PERMANENT
from retention.auditing.findings import Found
from retention.auditing.planning import Wanted
from runtime.demo.destroying import LEAST
from runtime.wiring.parts import Parts

AUDITOR, ARCHIVIST, READER = "audit", "archivist", "director"
DAYS, TO_MEND = 14, 30
ANSWERS = {
    "schedule_kept": "抽查全部六件，期限与保管期限表一致",
    "appraised_first": "鉴定意见书在前，三名成员均有意见",
    "signed_after": "监销人二人、系统监督人一人事前事后均已签字",
    "proof_clean": "销毁验证无留存",
}
LACKING = "objections_heard"
HANDED_OVER = 4


def audit(parts: Parts) -> None:
    """Plan an audit of this year's destructions and begin to answer it, once one is closed; nobody audits twice."""
    with parts.db.reading() as session:
        there = session.scalar(select(func.count()).select_from(Audit))
        number = session.scalar(select(Destruction.number).where(Destruction.closed_at.is_not(None)))
    if there or number is None:
        return
    acts, who, today = parts.retention.audits, parts.people.identity_of(AUDITOR), parts.guard.day()
    wanted = Wanted("destruction", today.replace(month=1, day=1), today, today + timedelta(days=DAYS), again_months=12)
    key = acts.planning.plan(who, wanted)
    for point, words in ANSWERS.items():
        acts.planning.answer(who, key, point, AuditWord.MET, words, destruction=number)
    acts.planning.answer(who, key, LACKING, AuditWord.NOT_MET, "冷静期内未见向有关部门告知的记录", destruction=number)
    found = Found(
        "冷静期开始时没有书面告知形成部门", "今后在申请销毁的同时书面告知形成部门，并留存回执", ARCHIVIST,
        today + timedelta(days=TO_MEND), point=LACKING,
    )  # fmt: skip
    acts.findings.find(who, key, found)


def hand_over(parts: Parts) -> None:
    """List a few of the oldest records for another archive and ask for the approval; once."""
    who = parts.people.identity_of(ARCHIVIST)
    with parts.db.reading() as session:
        there, begun = (session.scalar(select(func.count()).select_from(each)) for each in (Record, Transfer))
        if begun or (there or 0) < LEAST:
            return
        oldest = parts.guard.visible(session, parts.people.identity_of(READER)).where(
            Record.state == RecordState.FILED, Record.term == PERMANENT, Record.level_rank == 1
        )
        ids = session.scalars(oldest.with_only_columns(Record.id).order_by(Record.drawn_from, Record.id)).all()
    if not ids:
        return
    transfers = parts.retention.transfers
    key = transfers.begin(who, "市城市建设档案馆", "永久保管的工程与制度档案，按约定移交", ids[:HANDED_OVER])
    transfers.ask(who, key, transfers.show(who, key).transfer.version)
