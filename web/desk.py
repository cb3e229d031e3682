"""The desk: what waits for me, and where to begin."""

from datetime import datetime

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from archive.errors import Unavailable
from archive.identity import Role
from archive.model import Record, RecordState
from archive.policy.rules import READERS, Act
from web import paging
from web.asking import may
from web.columns import shown as as_list
from web.describing.drafts import unsent
from web.services import identity, services
from web.waiting import PREPARERS, waiting

pages = Blueprint("desk", __name__)

PAGE = 50
NEWEST = 10


@pages.get("/")
def desk() -> str:
    """Show the records that wait to be filed, and counts of what the person may read: all of one snapshot."""
    with services().db.one_snapshot():
        return _desk()


def _desk() -> str:
    after = paging.read(request.args.get("after", ""))
    state = RecordState.BINNED if request.args.get("state") == "binned" else RecordState.PROVISIONAL
    with services().db.reading() as session:
        guard = services().guard
        visible = guard.visible(session, identity())
        counts: dict[str, int | None] = {
            each.value: services().directory.count(session, visible.where(Record.state == each))
            for each in (RecordState.PROVISIONAL, RecordState.BINNED)
        }
        charged = Role.ARCHIVIST in identity().roles or bool(guard.reach(session, identity()).custody)
        waits = waiting(session, charged=charged)
    prepares = bool(PREPARERS & identity().roles)
    counts["filed"] = _filed()
    records = services().reader.list(identity(), state=state, after=after, limit=PAGE + 1)
    newest = () if prepares else services().reader.list(identity(), state=RecordState.FILED, limit=NEWEST)
    return render_template(
        "desk.html",
        records=records[:PAGE],
        list=as_list("desk", records[:PAGE]),
        more=paging.told((records[PAGE - 1].created_at, records[PAGE - 1].id)) if len(records) > PAGE else None,
        counts=counts,
        waits=waits,
        charged=charged,
        state=state.value,
        unsent=unsent(),
        prepares=prepares,
        newest=newest,
        invites=may(Act.MANAGE_PEOPLE),
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
