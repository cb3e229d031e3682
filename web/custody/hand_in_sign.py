"""The end of a batch: both sides sign with their own password, and the register forms are kept as they are then."""

from uuid import UUID

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, LockedOut, NotFound, SignInFailed
from archive.handin.looking import Batch
from archive.handin.signing import FORMS
from archive.model import HandInState, SignedBy
from web.i18n import current_locale
from web.prints.batches import register_data
from web.prints.filled import words_now
from web.prints.setting import printed
from web.services import identity, services
from web.words.faults import explain, status_of
from web.words.hand_ins import SIDES

pages = Blueprint("hand_in_sign", __name__, url_prefix="/hand-ins")


@pages.get("/<uuid:batch_id>/sign/<side>")
def show(batch_id: UUID, side: str) -> BaseResponse:
    """Show what is signed, and ask for the password."""
    return _page(batch_id, _side(side))


@pages.post("/<uuid:batch_id>/sign/<side>")
def sign(batch_id: UUID, side: str) -> BaseResponse:
    """Sign for a side."""
    which = _side(side)
    services().hand_ins.looks.show(identity(), batch_id)
    try:
        services().people.prove(identity(), request.form.get("password", "")[:1000])
    except SignInFailed as error:
        return _page(batch_id, which, {"password": _("This is not your present password.")}, status=status_of(error))
    except LockedOut as error:
        return _page(batch_id, which, lines=explain(error, current_locale()), status=status_of(error))
    state = services().hand_ins.signing.sign(identity(), batch_id, which)
    if state is HandInState.SIGNED:
        for form in FORMS:
            _kept(batch_id, form)
        flash(_("Both have signed. The batch is closed, and its register forms are kept."))
    else:
        flash(_("You have signed. The other side signs now."))
    return redirect(url_for("hand_ins.show", batch_id=batch_id), 303)


@pages.get("/<uuid:batch_id>/register/<form>.pdf")
def register(batch_id: UUID, form: str) -> Response:
    """Send a register form: as it was kept when both had signed, or as it would be now."""
    if form not in FORMS:
        raise NotFound
    batch = services().hand_ins.looks.show(identity(), batch_id)
    made = _kept(batch_id, form) if batch.row.state is HandInState.SIGNED else None
    made = made or _set(batch, form)
    body = {"form": form, "batch": str(batch_id)}
    services().readings.begin(identity(), "form.print", body=body).result()
    name = f'inline; filename="juanku-{form.replace("_", "-")}.pdf"'
    return Response(made, mimetype="application/pdf", headers={"Content-Disposition": name})


def _kept(batch_id: UUID, form: str) -> bytes | None:
    """Return a form that is kept; one that is not yet is set and kept. None: it cannot be set now."""
    signing = services().hand_ins.signing
    kept = signing.form(identity(), batch_id, form)
    if kept is None:
        try:
            signing.keep_form(
                identity(), batch_id, form, _set(services().hand_ins.looks.show(identity(), batch_id), form)
            )
        except ArchiveError:
            return None  # both have signed all the same; whoever opens the form next has it set and kept
        kept = signing.form(identity(), batch_id, form)
    return kept


def _set(batch: Batch, form: str) -> bytes:
    template = services().forms.current(identity(), form)
    return printed(services().typesetter, template, register_data(batch, form, words_now()))


def _side(text: str) -> SignedBy:
    if text not in SIDES:
        raise NotFound
    return SignedBy(text)


def _page(
    batch_id: UUID, side: SignedBy, faults: dict[str, str] | None = None, lines: list[str] | None = None,
    status: int = 200,
) -> BaseResponse:  # fmt: skip
    batch = services().hand_ins.looks.show(identity(), batch_id)
    if f"sign_{side.value}" not in batch.acts:
        raise NotFound
    page = render_template(
        "hand_in_sign.html", batch=batch, row=batch.row, side=side.value, faults=faults or {}, lines=lines or [],
        values={},
        people=services().directory.people(
            (batch.row.handed_by, batch.row.checked_by, *(each.person_id for each in batch.signatures.values()))
        ),
    )  # fmt: skip
    return make_response(page, status)
