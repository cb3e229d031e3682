"""Files read again: choose which, see how many, start, stop, go on, and see what changed."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, InvalidInput
from archive.files.rereading import CLEAR, DOUBTFUL, FILTERS, OLDER, changes_of
from archive.model import ContentState, TextState
from archive.model.contents import RereadState
from archive.policy.rules import Act
from web import paging
from web.asking import may, require
from web.i18n import current_locale
from web.services import identity, services
from web.words import mark, named, translator
from web.words.faults import explain, explain_reason, state_words, status_of
from web.words.put_aside import REASONS
from web.words.remarks import KINDS

pages = Blueprint("rereading", __name__, url_prefix="/system/rereading")

PAGE = 50

TEXTS = (TextState.NO_TEXT, TextState.FAILED, TextState.TEXT, ContentState.QUARANTINED)
PERCENTS = (60, 70, 80, 85, 90, 95)
LABELS: Mapping[str, str] = {
    "text": mark("Text of the file"),
    "kind": mark("Kind of file"),
    "reason": mark("Why there is none"),
    "category": mark("Category"),
    "fonds": mark("Fonds"),
    "reader": mark("Read last by"),
    "scans": mark("Scanned pages"),
}


@pages.get("")
def every() -> BaseResponse:
    """Ask which files are meant, say how many a choice means, and list the runs."""
    require(Act.REREAD)
    return _page(_chosen(request.args))


def _page(chosen: Mapping[str, str], error: ArchiveError | None = None) -> BaseResponse:
    acts, count = services().rereading, None
    if chosen or request.args.get("all"):
        try:
            count = acts.count(identity(), chosen)
        except InvalidInput as fault:
            error = fault
    after = paging.read_id(request.args.get("after", ""))
    runs, last = paging.page(acts.runs(identity(), after=after, limit=PAGE + 1), PAGE, lambda row: row.id.hex)
    asked: dict[str, Any] = {**chosen, "after": last}
    more = last and url_for(".every", **asked)
    page = render_template(
        "house/rereadings.html", runs=[(row, acts.read(row), told(row.chosen)) for row in runs], chosen=chosen,
        count=count, values=chosen, faults={}, lines=explain(error, current_locale()) if error else [],
        told=told(chosen), options=_options(), ocr=services().aids.ocr, runs_system=may(Act.RUN_SYSTEM),
        more=more, names=services().directory.people([row.asked_by for row in runs]),
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)


@pages.post("")
def start() -> BaseResponse:
    """Have the chosen files read again."""
    chosen = _chosen(request.form)
    try:
        key = services().rereading.ask(identity(), chosen)
    except InvalidInput as error:
        return _page(chosen, error)
    return redirect(url_for("rereading.show", run_id=key), 303)


@pages.get("/<uuid:run_id>")
def show(run_id: UUID) -> str:
    """Show how far a run is, and what changed."""
    row = services().rereading.show(identity(), run_id)
    broken = services().rereading.broken(row)
    changes = [
        (_standing(each.before), _standing(each.after), each.count, each.before != each.after)
        for each in changes_of(row)
    ]
    return render_template(
        "house/rereading.html", row=row, done=services().rereading.read(row), told=told(row.chosen),
        changes=[each for each in changes if each[3]],
        same=[each for each in changes if not each[3]], scans="scans" in row.chosen,
        broken=broken, busy=not broken and (row.state is RereadState.RUNNING or bool(row.batch)),
    )  # fmt: skip


@pages.post("/<uuid:run_id>/stop")
def stop(run_id: UUID) -> BaseResponse:
    """Stop a run; what is under way is read to its end."""
    services().rereading.stop(identity(), run_id)
    flash(_("It stops: the files that are being read now are read to their end."))
    return redirect(url_for("rereading.show", run_id=run_id), 303)


@pages.post("/<uuid:run_id>/go-on")
def go_on(run_id: UUID) -> BaseResponse:
    """Go on with a run."""
    services().rereading.go_on(identity(), run_id)
    return redirect(url_for("rereading.show", run_id=run_id), 303)


def told(chosen: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return a choice in words: what of a file, and how it is."""
    say, options = translator(current_locale()), _options()
    return [
        (say(LABELS[name]), dict(options[name]).get(value, value))
        for name, value in chosen.items()
        if name in LABELS
    ]  # fmt: skip


def _chosen(given: Mapping[str, str]) -> dict[str, str]:
    return {name: given[name][:200] for name in FILTERS if given.get(name)}


def _options() -> Mapping[str, Sequence[tuple[str, str]]]:
    locale = current_locale()
    say = translator(locale)
    fonds = services().directory.fonds()
    shown = [row for row in services().directory.categories() if row.fonds_id in fonds]
    categories = {row.code: named(row.names, locale) for row in shown}
    return {
        "text": [(each.value, state_words(each.value, locale)) for each in TEXTS],
        "kind": sorted(((kind, say(words)) for kind, words in KINDS.items() if "/" in kind), key=lambda each: each[1]),
        "reason": [(code, say(words)) for code, (words, _todo) in REASONS.items()],
        "category": [(code, f"{code} {words}") for code, words in categories.items()],
        "fonds": [(row.code, f"{row.code} {named(row.names, locale)}") for row in fonds.values()],
        "reader": [(OLDER, _("an earlier version of the program"))],
        "scans": [(str(each), _("read with less than %(percent)s %% confidence", percent=each)) for each in PERCENTS],
    }


def _standing(word: str) -> str:
    pages_read: dict[str, str] = {DOUBTFUL: _("pages in doubt"), CLEAR: _("pages read clearly")}
    if word in pages_read:
        return pages_read[word]
    state, _bar, reason = word.partition(":")
    return explain_reason(reason, current_locale())[0] if reason else state_words(state, current_locale())
