"""Files that belong to acts on loans: sent with a form, shown beside it, opened by those whom it concerns."""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import InvalidInput, Unavailable
from archive.files.attachments import PICTURES, Sent
from archive.model import AttachedTo, Attachment
from web import security
from web.i18n import current_locale
from web.reading.files import attachment as disposition
from web.reading.marked import marked_again
from web.services import identity, services
from web.words.faults import explain

pages = Blueprint("attached", __name__, url_prefix="/attachments")


@pages.get("/<uuid:attachment_id>")
def read(attachment_id: UUID) -> Response:
    """Send an attachment: a picture to look at, everything else as a download that no browser runs."""
    opened = services().attachments.read(identity(), attachment_id)
    data, kind = opened.data, opened.row.media_type
    if opened.row.about is AttachedTo.EXCERPT:
        mark = services().lending.marking.of_excerpt(identity(), opened.row.subject_id)
        data = marked_again(services(), data, mark, current_locale()) if mark else data
    name = disposition(opened.row.name)
    headers = {
        "Content-Disposition": name.replace("attachment", "inline", 1) if kind in PICTURES else name,
        "Content-Security-Policy": security.FILE_POLICY,
    }
    return Response(data, headers=headers, mimetype=kind)


@pages.post("/requests/<uuid:approval_id>")
def add_to_request(approval_id: UUID) -> BaseResponse:
    """Add supporting documents to a request."""
    return _added(AttachedTo.REQUEST, approval_id, url_for("loan_requests.show", approval_id=approval_id))


@pages.post("/loans/<uuid:loan_id>")
def add_to_loan(loan_id: UUID) -> BaseResponse:
    """Add photographs of a lent paper."""
    with services().db.reading() as session:
        approval = services().lending.approval_of(session, services().lending.looks.loan(identity(), loan_id).loan.id)
    return _added(AttachedTo.LOAN, loan_id, url_for("loan_requests.show", approval_id=approval), pictures=True)


@pages.post("/reports/<uuid:report_id>")
def add_to_report(report_id: UUID) -> BaseResponse:
    """Add photographs to a report of damage or loss."""
    return _added(AttachedTo.REPORT, report_id, url_for("counter.reports"), pictures=True)


@pages.post("/transfers/<uuid:transfer_id>")
def add_to_transfer(transfer_id: UUID) -> BaseResponse:
    """Add the signed receipt of a transfer."""
    return _added(AttachedTo.TRANSFER, transfer_id, url_for("transfers.show", transfer_id=transfer_id))


def sent() -> list[Sent]:
    """Return the files of the form."""
    return [Sent(each.filename, each.stream.read()) for each in request.files.getlist("files") if each.filename]


def keep(loan_id: UUID, files: Sequence[tuple[Sent, str]]) -> None:
    """Attach checked files to the request that a loan came from; say it where the store takes none."""
    with services().db.reading() as session:
        approval = services().lending.approval_of(session, loan_id)
    try:
        services().attachments.add(identity(), AttachedTo.REQUEST, approval, files)
    except Unavailable:
        flash(_("It is asked for, but its files were not kept. Add them again at the request."))


def photographs(about: AttachedTo, subject: UUID) -> Sequence[Attachment]:
    """Return what is attached, as far as the person sees it."""
    return services().attachments.seen(identity(), about, subject)


def _added(about: AttachedTo, subject: UUID, where: str, *, pictures: bool = False) -> BaseResponse:
    files = sent()
    try:
        if not files:
            flash(_("Choose the files first."))
        else:
            checked = services().attachments.check(files, pictures)
            services().attachments.add(identity(), about, subject, checked)
            flash(_("The files are kept."))
    except InvalidInput as error:
        for line in explain(error, current_locale()):
            flash(line)
    except Unavailable as error:
        flash(explain(error, current_locale())[0])
    return redirect(where, 303)
