"""Why can't I see it? One answer for hidden and absent; reasons by rule for who keeps rights or secrecy."""

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.accounts import folded
from archive.errors import Ambiguous, InvalidInput, NotFound
from archive.model.messages import QuestionAnswer
from archive.policy.rules import Act
from archive.questions import MOST
from archive.why import EXPLAINERS
from web.asking import may
from web.i18n import current_locale
from web.services import identity, services
from web.words import mark
from web.words.faults import explain, explain_fault

pages = Blueprint("why", __name__)

REASONS: Mapping[str, tuple[str, str]] = {
    "inactive": (mark("The account is closed."), mark("Opening the account opens it.")),
    "reads_nothing": (
        mark("None of their roles reads records."),
        mark("A reading role opens it; an officer never gets one."),
    ),
    "not_cleared": (
        mark("They are not cleared for the record's level."),
        mark("A higher clearance opens it, or lowering the level after approval."),
    ),
    "not_distributed": (
        mark("Their posts and departments do not stand on the level's distribution."),
        mark("A post that stands on it opens it, or widening the distribution."),
    ),
    "not_granted": (
        mark("No grant on the record's fonds, category or place."),
        mark("A grant on one of the three opens it, or an approved loan."),
    ),
    "need_to_know": (
        mark("The record is under need-to-know, and they are not named on it."),
        mark("Being named on it opens it, or an approved loan."),
    ),
    "not_filed": (
        mark("The record is not filed yet."),
        mark("Filing opens it to readers; until then only those who prepare it see it."),
    ),
    "role": (mark("Their roles do not open it."), mark("Look at the roles of the account.")),
}
"""Each reason, and what would open the record."""


ANSWERS: Mapping[QuestionAnswer, tuple[str, str]] = {
    QuestionAnswer.OPEN: (mark("It is open now"), mark("It is open to you now: look for it again.")),
    QuestionAnswer.SHUT: (
        mark("It is not open to them"),
        mark("Nothing under this number is open to you. That does not say whether anything is there."),
    ),
    QuestionAnswer.TALK: (mark("They should come and talk"), mark("Come and talk about it.")),
}
"""Each answer: on the button of who answers, and to who asked."""


@pages.get("/why")
def ask() -> str:
    """Ask for a number, and of officers for a person."""
    return _page()


@pages.post("/why")
def answer() -> BaseResponse:
    """Answer. Who keeps no rights learns only whether they can open it themselves."""
    number, login = request.form.get("number", "").strip()[:200], request.form.get("login", "").strip()[:64]
    if request.form.get("ask"):
        services().questions.ask(identity(), number)
        flash(_("Your question is with whoever keeps rights; the answer comes as a message, and stands here."))
        return redirect(url_for("why.ask"), 303)
    number = number.rstrip("/").rpartition("/")[2] if "://" in number else number
    try:
        if login and identity().roles & EXPLAINERS:
            found = services().why.explain(identity(), number, login)
            account = services().directory.people_called([login]).get(folded(login)) if may(Act.MANAGE_PEOPLE) else None
            return make_response(_page(why=found, reasons=REASONS, account=account))
        return redirect(url_for("records.show", record_id=services().records.find_number(identity(), number)), 303)
    except NotFound:
        return make_response(_page(nothing=True))
    except Ambiguous as error:
        return make_response(_page(lines=explain(error, current_locale())))
    except InvalidInput as error:
        return make_response(_page(faults={"login": explain_fault(error.faults[0], current_locale())}), 422)


@pages.post("/why/<uuid:question_id>/answer")
def reply(question_id: UUID) -> BaseResponse:
    """Answer someone's question."""
    said = request.form.get("answer", "")
    if said in set(QuestionAnswer):
        services().questions.answer(identity(), question_id, QuestionAnswer(said))
        flash(_("Answered; they get a message."))
    return redirect(url_for("why.ask"), 303)


def _page(**more: object) -> str:
    told = {"faults": {}, "lines": [], "why": None, "nothing": False} | more
    questions, explains = services().questions, bool(identity().roles & EXPLAINERS)
    waiting = questions.waiting(identity(), MOST) if explains else ()
    return render_template(
        "why.html", values=request.form, explains=explains, waiting=waiting, mine=questions.mine(identity(), MOST),
        answers=ANSWERS, **told,
    )  # fmt: skip
