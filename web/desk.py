"""The desk: what waits for me, and where to begin."""

from datetime import datetime

from flask import Blueprint, render_template, request
from flask_babel import gettext as _
from sqlalchemy import func, select

from archive.errors import Unavailable
from archive.identity import Role
from archive.model import Content, ContentState, Record, RecordState
from archive.policy.rules import READERS, Act
from web import paging
from web.columns import shown as as_list
from web.drafts import unsent
from web.house.forms import may
from web.scans import count_doubtful
from web.services import identity, services

pages = Blueprint("desk", __name__)

PAGE = 50
NEWEST = 10


@pages.get("/")
def desk() -> str:
    """Show the records that wait to be filed, and counts of what the person may read."""
    after = paging.read(request.args.get("after", ""))
    state = RecordState.BINNED if request.args.get("state") == "binned" else RecordState.PROVISIONAL
    with services().db.reading() as session:
        guard = services().guard
        visible = guard.visible(session, identity())
        counts: dict[str, int | None] = {
            each.value: services().directory.count(session, visible.where(Record.state == each))
            for each in (RecordState.PROVISIONAL, RecordState.BINNED)
        }
        ids = visible.with_only_columns(Record.id)
        aside = select(func.count(Content.id)).where(
            Content.state == ContentState.QUARANTINED,
            ids.where(Record.id == Content.record_id).correlate(Content).exists(),
        )
        put_aside = session.scalar(aside)
        doubtful_scans = count_doubtful(session, ids)
        proposed = services().proposals.count(session, identity())
        corrections = services().corrections.count(session, identity())
        loans = services().lending.asked.count(session, identity())
        overdue_mine, asked_back = services().lending.looks.count_mine(session, identity())
        charged = Role.ARCHIVIST in identity().roles or bool(guard.reach(session, identity()).custody)
        to_move = services().shelving.placing.count_to_move(session, identity()) if charged else 0
        prepares = bool({Role.ARCHIVIST, Role.CLERK} & identity().roles)
        late = services().steps.late_count(session, identity()) if prepares else 0
        hand_ins = services().hand_ins.looks.count(session, identity()) if prepares else 0
        sent_back = services().sending_back.count(session, identity()) if prepares else 0
        overdue = services().lending.looks.count_overdue(session, identity()) if charged else 0
        vital_due = services().vital.due(session, identity())
        fallen = services().retention.board.fallen(session, identity())
        fallen_due = services().directory.count(session, fallen) if Role.ARCHIVIST in identity().roles else 0
        undecided = services().directory.count(session, services().doubles.undecided(session, identity()))
    counts["filed"] = _filed()
    records = services().reader.list(identity(), state=state, after=after, limit=PAGE + 1)
    newest = () if prepares else services().reader.list(identity(), state=RecordState.FILED, limit=NEWEST)
    return render_template(
        "desk.html",
        records=records[:PAGE],
        list=as_list("desk", records[:PAGE]),
        more=paging.told((records[PAGE - 1].created_at, records[PAGE - 1].id)) if len(records) > PAGE else None,
        counts=counts,
        put_aside=put_aside,
        doubtful_scans=doubtful_scans,
        proposed=proposed,
        undecided=undecided,
        corrections=corrections,
        to_move=to_move,
        loans=loans,
        overdue=overdue,
        overdue_mine=overdue_mine,
        asked_back=asked_back,
        charged=charged,
        vital_due=vital_due,
        late=late,
        hand_ins=hand_ins,
        sent_back=sent_back,
        fallen_due=fallen_due,
        state=state.value,
        unsent=unsent(),
        prepares=prepares,
        newest=newest,
        backups=_backups(),
        not_whole=services().house.fixity.alarm() if may(Act.SEE_STORE) else 0,
    )


def _backups() -> tuple[datetime | None, bool] | None:
    """Return when the last good backup was made and whether that is late, for those who run the system."""
    if not may(Act.RUN_SYSTEM):
        return None
    kept = services().house.safekeeping
    last = kept.last_good()
    return last, kept.is_late(last)


def _filed() -> int | None:
    """Return how many filed records the person may read (None: unknown): the index counts without a look at each."""
    if not identity().roles & READERS:
        return 0
    try:
        return services().search.count(identity(), [("state", RecordState.FILED.value)])
    except Unavailable:
        return None


@pages.get("/style")
def style() -> str:
    """Show every part that pages are made of, for whoever makes one."""
    return render_template("style.html", values={}, faults={"title": _("A title is needed.")})
