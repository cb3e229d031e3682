"""Records that may be the same: what is decided on them, and the words of the reasons."""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import Fault, InvalidInput
from archive.files.pairing import KEYS, Pair, Reason
from web.i18n import current_locale
from web.services import identity, services
from web.words.doubles import reason_words

pages = Blueprint("doubles", __name__)

PAGE = 50
MOST_WARNED = 3


@pages.get("/doubles")
def waiting() -> str:
    """List the pairs that wait for this person's decision, those of the newest record first."""
    found = services().doubles.waiting(identity(), after=_key(request.args.get("after", "")), limit=PAGE + 1)
    more = "/".join(map(str, found[PAGE - 1].key)) if len(found) > PAGE else None
    return render_template("doubles_waiting.html", pairs=found[:PAGE], more=more)


@pages.post("/records/<uuid:record_id>/doubles")
def decide(record_id: UUID) -> BaseResponse:
    """Keep that a record and another are not the same, or take that back."""
    try:
        other = UUID(request.form.get("other", ""))
    except ValueError as error:
        raise InvalidInput(Fault("other", "unknown")) from error
    same = request.form.get("same") == "perhaps"
    services().doubles.decide(identity(), record_id, other, same=same)
    flash(_("They may be the same after all.") if same else _("They are kept as two; you are not told of them again."))
    if request.form.get("from") == "list":
        after = request.form.get("after", "")[:80] or None
        return redirect(url_for("doubles.waiting", after=after), 303)
    return redirect(url_for("records.show", record_id=record_id), 303)


def warn(record_id: UUID) -> None:
    """Say of a record just described that its document number, or title and date, stand elsewhere; visible ones only.

    It refuses nothing: two papers may share both.
    """
    told = services().doubles.of(identity(), record_id)
    alike = [double for double in told if {reason.why for reason in double.reasons} & KEYS.keys()]
    if alike:
        words = "; ".join(
            _("“%(title)s”: %(reasons)s", title=each.record.title[:80], reasons=_said(each.reasons))
            for each in alike[:MOST_WARNED]
        )
        count = len(alike)
        flash(
            ngettext(
                "%(num)d other record is perhaps the same. %(words)s",
                "%(num)d other records are perhaps the same. %(words)s",
                count,
                words=words,
            )
        )


def _said(reasons: Sequence[Reason]) -> str:
    return " · ".join(in_words(reason) for reason in reasons)


def _key(text: str) -> Pair | None:
    """Read where the list goes on; anything else begins it anew."""
    newer, _bar, older = text.partition("/")
    try:
        return UUID(newer), UUID(older)
    except ValueError:
        return None


@pages.app_template_filter("double_reason")
def in_words(reason: Reason) -> str:
    """Return in words why two records may be the same."""
    return reason_words(reason, current_locale())
