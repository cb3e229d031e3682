"""The page that a link to choose a password opens: for whoever holds it, signed in or not."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import Fault, InvalidInput, NotFound
from archive.people.passwords import SHORTEST
from web.asking import told
from web.services import services

pages = Blueprint("links", __name__, url_prefix="/welcome")

ASKED = ("password", "again")


@pages.get("/<token>")
def show(token: str) -> BaseResponse:
    """Ask for a password, or say that the link opens nothing: one answer for every reason."""
    try:
        asked = services().house.invitations.open(token)
    except NotFound:
        return _nothing()
    return make_response(render_template("house/welcome.html", asked=asked, lines=[], faults={}, shortest=SHORTEST))


@pages.post("/<token>")
def choose(token: str) -> BaseResponse:
    """Set the password, and lead to the sign-in page."""
    invitations = services().house.invitations
    password = request.form.get("password", "")[:1000]
    try:
        asked = invitations.open(token)
        try:
            _check_twice(password)
            login = invitations.use(token, password, (request.remote_addr or "")[:64])
        except InvalidInput as error:
            lines, faults = told(error, ASKED)
            page = render_template("house/welcome.html", asked=asked, lines=lines, faults=faults, shortest=SHORTEST)
            return make_response(page, 422)
    except NotFound:
        return _nothing()
    flash(_("Your password is set. Sign in as %(login)s.", login=login))
    return redirect(url_for("signing.sign_in"), 303)


def _check_twice(password: str) -> None:
    if password != request.form.get("again", "")[:1000]:
        raise InvalidInput(Fault("again", "differs"))


def _nothing() -> BaseResponse:
    return make_response(render_template("house/link_nothing.html"), 404)
