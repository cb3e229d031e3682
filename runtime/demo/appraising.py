"""An appraisal of the demonstration: a panel of three has begun to judge what is due."""

from uuid import UUID

from sqlalchemy import func, select

from archive.errors import InvalidInput
from archive.model import Appraisal, AppraisalState, Verdict
from retention.appraising.judging import Filter
from retention.appraising.listing import Chosen
from retention.appraising.verdicts import Said
from runtime.wiring.parts import Parts

BEGINNER, CHAIR, PANEL = "archivist", "director", ("archivist", "manager", "director")
AT_ONCE = 3
"""Records that one member has judged already."""


def begin_appraisal(parts: Parts) -> None:
    """Draw up a list of what is due and have it opened. Does nothing where there is one, or nothing is due."""
    with parts.db.reading() as session:
        running = Appraisal.state.in_((AppraisalState.DRAFT, AppraisalState.OPEN))
        if session.scalar(select(func.count()).select_from(Appraisal).where(running)):
            return
    listing, who = parts.retention.appraisals.listing, parts.people.identity_of(BEGINNER)
    try:
        key = listing.begin(who, "到期文书与合同档案鉴定", PANEL, CHAIR, Chosen())
    except InvalidInput:
        return
    listing.open(who, key, 1)


def judge_some(parts: Parts) -> None:
    """Let one member have judged the first few, once the list is open; nobody judges twice."""
    with parts.db.reading() as session:
        key: UUID | None = session.scalar(select(Appraisal.id).where(Appraisal.state == AppraisalState.OPEN))
    if key is None:
        return
    who = parts.people.identity_of(BEGINNER)
    items = parts.retention.appraisals.looks.items(who, key, Filter(), limit=AT_ONCE)
    ids = [each.row.record_id for each in items if not each.opinions]
    if ids:
        parts.retention.appraisals.judging.say(who, key, ids, Said(Verdict.DESTROY), "保管期满，内容已由年度汇编覆盖")
