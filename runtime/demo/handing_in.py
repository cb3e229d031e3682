"""Batches of the demonstration: one that both have signed, one with a line that came back; and deadlines for filing."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from archive.handin.checking import Looked
from archive.handin.lines import LineFacts
from archive.handin.listing import NewBatch
from archive.identity import Identity, system
from archive.model import (
    Carrier,
    Category,
    CountedFrom,
    Department,
    Failing,
    Fonds,
    HandIn,
    LineState,
    SignedBy,
)
from runtime.wiring.parts import Parts

FONDS, CATEGORY = "H001", "WYX04"
DAYS = 90

FIRST = (
    LineFacts("SVC-2026-011", "住户来访登记簿（上半年）", "2026-06-30", 48),
    LineFacts("SVC-2026-012", "满意度调查问卷汇总", "2026-06-20", 16),
    LineFacts("SVC-2026-D01", "公共区域巡查照片（光盘一张）", "2026-06", None, 1, Carrier.DISC),
)
SECOND = (
    LineFacts("SVC-2026-021", "装修管理协议（三号楼）", "2026-08-12", 9),
    LineFacts("SVC-2026-022", "电梯困人事件处理记录", "2026-09-02", 6, 2),
    LineFacts("SVC-2026-023", "消防演练签到表与总结", "2026-09-18", 11),
    LineFacts("SVC-2026-D02", "业主大会录音（U盘）", "2026-09-26", None, 1, Carrier.DRIVE, "会议室录音"),
)


def hand_in(parts: Parts) -> None:
    """Have the clerk hand two batches in, and the archivist check them. Does nothing where there are batches."""
    clerk, archivist = parts.people.identity_of("clerk"), parts.people.identity_of("archivist")
    with parts.db.reading() as session:
        if session.scalar(select(func.count()).select_from(HandIn)):
            return
        fonds = session.scalars(select(Fonds.id).where(Fonds.code == FONDS)).one()
        own = select(Category.id).where(Category.fonds_id == fonds)
        category = session.scalars(own.where(Category.code == CATEGORY)).one()
        roots = session.scalars(own.where(Category.parent_id.is_(None))).all()
        office = session.scalars(select(Department.id).where(Department.code == "SVC")).one()
    for each in roots:
        parts.filing_deadlines.set(system("demo"), each, DAYS, CountedFrom.YEAR_END, 0)
    first = _handed(parts, clerk, NewBatch("客户服务部二〇二六年上半年文件", category, office, 1), FIRST)
    _check(parts, archivist, first, {})
    parts.hand_ins.signing.sign(clerk, first, SignedBy.HANDED)
    parts.hand_ins.signing.sign(archivist, first, SignedBy.RECEIVED)
    second = _handed(parts, clerk, NewBatch("客户服务部二〇二六年第三季度文件", category, office, 1), SECOND)
    pages = Looked(pages_agree=False, reason=Failing.PAGES_DIFFER, words="清点为 10 页，缺第 7 页")
    _check(parts, archivist, second, {3: pages})


def _handed(parts: Parts, clerk: Identity, new: NewBatch, lines: Sequence[LineFacts]) -> UUID:
    listing = parts.hand_ins.listing
    key = listing.open(clerk, new)
    listing.add_lines(clerk, key, lines, 1)
    listing.hand_in(clerk, key, parts.hand_ins.looks.show(clerk, key).row.version)
    return key


def _check(parts: Parts, archivist: Identity, key: UUID, wrong: dict[int, Looked]) -> None:
    for each in parts.hand_ins.looks.show(archivist, key).lines:
        if each.row.state is LineState.HANDED_IN:
            parts.hand_ins.checking.check(archivist, key, each.row.id, wrong.get(each.row.position, Looked()))
    parts.hand_ins.checking.finish(archivist, key)
