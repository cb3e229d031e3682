"""People: the list of accounts, one account's page, and the acts that need no more than a button."""

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.identity import OFFICERS, Role
from archive.model import InvitationKind
from archive.people.invitations import Link
from archive.people.roster import Sheet
from archive.policy.rules import Act
from web.asking import may
from web.services import identity, services
from web.sure import asked
from web.words import mark

pages = Blueprint("people", __name__, url_prefix="/house/people")

PAGE = 100
STATES = {"open": True, "closed": False}

REVOKING = mark(
    "The person stops seeing what this grant opens, at once and in search too. The log keeps that they had it."
)


@pages.get("")
def every() -> str:
    """List the accounts, narrowed by name, role and state."""
    asked = request.args
    role, state = asked.get("role", ""), asked.get("state", "")
    total, accounts = services().house.roster.list(
        identity(),
        text=asked.get("q", "")[:100],
        role=Role(role) if role in set(Role) else None,
        active=STATES.get(state),
        after=asked.get("after", "")[:200],
        limit=PAGE + 1,
    )
    kept: dict[str, Any] = {name: asked[name] for name in ("q", "role", "state") if asked.get(name)}
    return render_template(
        "house/people.html",
        accounts=accounts[:PAGE],
        total=total,
        roles=list(Role),
        asked=asked,
        older=url_for("people.every", **(kept | {"after": accounts[PAGE - 1].person.login}))
        if len(accounts) > PAGE
        else None,
    )


@pages.get("/<uuid:person_id>")
def show(person_id: UUID) -> str:
    """Show an account and all that it holds."""
    sheet = services().house.roster.show(identity(), person_id)
    return render_template("house/person.html", sheet=sheet, **_about(sheet))


def _about(sheet: Sheet) -> dict[str, object]:
    own = sheet.person.id == identity().person_id
    return {
        "person_shown": sheet.person,
        "own": own,
        "revoking": _(REVOKING),
        "manages": may(Act.MANAGE_PEOPLE) and not own,
        "gives": may(Act.MANAGE_RIGHTS) and not own,
        "sees_log": may(Act.READ_LOG),
        "officer": bool(sheet.roles & OFFICERS),
    }


def handed_over(link: Link) -> BaseResponse:
    """Show a link, this once, with whom it is for."""
    sheet = services().house.roster.show(identity(), link.person_id)
    address = url_for("links.show", token=link.token, _external=True)
    page = render_template(
        "house/link_made.html", link=link, address=address, person_shown=sheet.person, sheet=sheet,
        invited=link.kind is InvitationKind.INVITE, officer=bool(sheet.roles & OFFICERS),
    )  # fmt: skip
    return make_response(page)


def back(person_id: UUID) -> BaseResponse:
    """Go back to an account's page after an act."""
    return redirect(url_for("people.show", person_id=person_id), 303)


@pages.post("/<uuid:person_id>/link")
def link(person_id: UUID) -> BaseResponse:
    """Make a link by which the person chooses a password, and show it once."""
    return handed_over(services().house.invitations.renew(identity(), person_id))


@pages.post("/<uuid:person_id>/link/end")
def end_link(person_id: UUID) -> BaseResponse:
    """End the open link."""
    services().house.invitations.withdraw(identity(), person_id)
    flash(_("The link has ended; whoever opens it now finds nothing."))
    return back(person_id)


@pages.post("/<uuid:person_id>/sessions/end")
def end_sessions(person_id: UUID) -> BaseResponse:
    """End all sessions and tokens."""
    ended = services().people.end_sessions(identity(), person_id)
    flash(_("%(count)s sessions ended, and all tokens. The person has to sign in again.", count=ended))
    return back(person_id)


@pages.post("/<uuid:person_id>/tokens/<uuid:token_id>/end")
def end_token(person_id: UUID, token_id: UUID) -> BaseResponse:
    """End a token."""
    services().people.end_token_of(identity(), person_id, token_id)
    flash(_("The token has ended."))
    return back(person_id)


@pages.post("/<uuid:person_id>/unlock")
def unlock(person_id: UUID) -> BaseResponse:
    """Forget failed sign-ins."""
    services().people.unlock(identity(), person_id)
    flash(_("The failed sign-ins are forgotten; the person can try again at once."))
    return back(person_id)


@pages.post("/<uuid:person_id>/close")
def close(person_id: UUID) -> BaseResponse:
    """Close an account."""
    services().people.deactivate(identity(), person_id)
    flash(_("The account is closed. Its sessions, tokens and links have ended."))
    return back(person_id)


@pages.post("/<uuid:person_id>/reopen")
def reopen(person_id: UUID) -> BaseResponse:
    """Open a closed account again."""
    services().people.reactivate(identity(), person_id)
    flash(_("The account is open again, with the rights that it had."))
    return back(person_id)


@pages.post("/<uuid:person_id>/grants/<uuid:grant_id>/revoke")
def revoke(person_id: UUID, grant_id: UUID) -> BaseResponse:
    """Take a grant away, once it is meant."""
    if (question := asked(_(REVOKING), _("Take away"), back=url_for("people.show", person_id=person_id))) is not None:
        return question
    services().house.rights.revoke(identity(), grant_id)
    flash(_("The grant is taken away; it holds from now on, in search too."))
    return back(person_id)
