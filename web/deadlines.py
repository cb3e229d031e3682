"""What falls due: a board for whoever may see it, by kind, the earliest first."""

from flask import Blueprint, render_template, request

from archive.model import DeadlineKind
from web import paging
from web.services import identity, services
from web.words.deadlines import KINDS

pages = Blueprint("deadlines", __name__)

PAGE = 50


@pages.get("/deadlines")
def board() -> str:
    """List what falls due and is open to the person."""
    kind = kind_of(request.args.get("kind", ""))
    late = request.args.get("late") == "1"
    after = paging.read_day(request.args.get("after", ""))
    found = services().telling.due.list(identity(), kind=kind, late=late, after=after, limit=PAGE + 1)
    last = found[PAGE - 1].deadline if len(found) > PAGE else None
    return render_template(
        "deadlines.html", found=found[:PAGE], kind=kind, late=late, kinds=KINDS, day=services().guard.day(),
        more=paging.told_day((last.due, last.id)) if last else None,
    )  # fmt: skip


def kind_of(text: str) -> DeadlineKind | None:
    """Read a kind; None (all) where there is no such."""
    return DeadlineKind(text) if text in set(DeadlineKind) else None
