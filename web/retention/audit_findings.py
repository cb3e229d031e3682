"""Findings of audits: who is to mend one sees it and says what was done; who audits looks, and closes it."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput, NotAllowed, NotFound
from archive.model.auditing import FindingState
from archive.policy.rules import Act
from web import paging
from web.asking import day_typed, may, whole_typed
from web.i18n import current_locale
from web.retention.audits import PAGE, said
from web.services import identity, services
from web.words.audits import FINDINGS, KINDS, LIKELIHOODS, STEPS
from web.words.faults import explain, status_of

pages = Blueprint("audit_findings", __name__, url_prefix="/audits/findings")


@pages.get("")
def every() -> str:
    """List the findings that this person sees, all or in one state: their own, or to who audits all of them."""
    asked = request.args.get("state", "")
    state = FindingState(asked) if asked in FINDINGS else None
    after = paging.read_day(request.args.get("after", ""))
    found = services().retention.audits.looks.findings(identity(), state, after=after, limit=PAGE + 1)
    rows, more = found[:PAGE], None
    if len(found) > PAGE:
        last = rows[-1].row
        more = url_for("audit_findings.every", state=asked or None, after=paging.told_day((last.due, last.id)))
    return render_template(
        "audits/findings.html", rows=rows, state=asked, more=more, day=services().guard.day(), words=said(FINDINGS),
        likelihoods=said(LIKELIHOODS), names=services().directory.people({each.row.responsible_id for each in rows}),
        audits=may(Act.AUDIT),
    )  # fmt: skip


@pages.get("/<uuid:finding_id>")
def show(finding_id: UUID) -> BaseResponse:
    """Show a finding with its follow-up."""
    return _page(finding_id)


@pages.post("/<uuid:finding_id>/<act>")
def do(finding_id: UUID, act: str) -> BaseResponse:
    """Do an act on one, and come back to it; what was refused is said there, and what was typed stays."""
    done = _ACTS.get(act)
    if done is None:
        abort(404)
    try:
        words = done(finding_id)
    except (NotFound, NotAllowed):
        raise
    except ArchiveError as error:
        return _page(finding_id, explain(error, current_locale()), status_of(error))
    flash(words)
    return redirect(url_for("audit_findings.show", finding_id=finding_id), 303)


def _page(finding_id: UUID, lines: list[str] | None = None, status: int = 200) -> BaseResponse:
    one, steps, acts = services().retention.audits.looks.finding(identity(), finding_id)
    row = one.row
    people = {row.responsible_id, row.made_by, row.mended_by, row.closed_by} | {each.row.person_id for each in steps}
    page = render_template(
        "audits/finding.html", one=one, row=row, steps=steps, acts=acts, lines=lines or [], typed=request.form,
        names=services().directory.people({each for each in people if each}), words=said(FINDINGS),
        likelihoods=said(LIKELIHOODS), step_words=said(STEPS), kinds=said(KINDS), audits=may(Act.AUDIT),
        day=services().guard.day(),
    )  # fmt: skip
    return make_response(page, status)


def _mend(key: UUID) -> Any:
    services().retention.audits.findings.mend(identity(), key, whole_typed("version"), request.form.get("words", ""))
    return _("Noted. Somebody else looks at it now.")


def _close(key: UUID) -> Any:
    services().retention.audits.findings.close(identity(), key, whole_typed("version"), request.form.get("words", ""))
    return _("The finding is closed.")


def _back(key: UUID) -> Any:
    due = day_typed("due")
    if due is None:
        raise InvalidInput(Fault("due", "required"))
    words = request.form.get("words", "")
    services().retention.audits.findings.back(identity(), key, whole_typed("version"), due, words)
    return _("It is sent back, and its person is told.")


def _move(key: UUID) -> Any:
    due, typed = day_typed("due"), request.form
    if due is None:
        raise InvalidInput(Fault("due", "required"))
    services().retention.audits.findings.move(
        identity(), key, whole_typed("version"), typed.get("responsible", ""), due, typed.get("reason", "")
    )
    return _("Noted, and the person is told.")


_ACTS: Mapping[str, Callable[[UUID], Any]] = {"mend": _mend, "close": _close, "back": _back, "move": _move}
