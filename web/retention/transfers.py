"""Transfers to other archives: the list, one with its records, and what is done with it."""

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput, NotFound, Unavailable
from archive.model import Afterwards, AttachedTo, Stop, TransferItemState, TransferState
from archive.policy.rules import Act
from retention.transferring.looks import MOST
from retention.transferring.transfers import Receipt
from web import paging
from web.asking import Field, Form, again, day_typed, may, require, shown, whole_typed
from web.deciding import decide_as_typed, say_decided
from web.i18n import current_locale
from web.lending.attached import sent
from web.lists import MOST_TOLD, numbered
from web.services import identity, services
from web.words import mark
from web.words.faults import explain, status_of
from web.words.retention import said

pages = Blueprint("transfers", __name__, url_prefix="/transfers")

PAGE = 50

STATES: Mapping[str, str] = {
    TransferState.DRAFT: mark("the list is made"),
    TransferState.ASKED: mark("to be decided"),
    TransferState.APPROVED: mark("approved, to be packed"),
    TransferState.PACKED: mark("packed, on its way"),
    TransferState.RECEIVED: mark("signed for"),
    TransferState.CLOSED: mark("closed, handed over"),
    TransferState.REFUSED: mark("refused"),
    TransferState.WITHDRAWN: mark("given up"),
}
STAGES = (*STATES,)[:6]
"""The way of one that is neither refused nor given up."""
ITEMS: Mapping[str, str] = {
    TransferItemState.LISTED: mark("on the list"),
    TransferItemState.PULLED: mark("taken out"),
    TransferItemState.DISPUTED: mark("not accepted"),
    TransferItemState.TRANSFERRED: mark("handed over"),
}
AFTERWARDS: Mapping[str, str] = {
    Afterwards.KEEP: mark("they are kept as closed"),
    Afterwards.APPRAISE: mark("they are proposed for appraisal once their terms have run out"),
}
STOPS: Mapping[str, str] = {
    Stop.UNFILED: mark("not filed"),
    Stop.UNDUE: mark("its term has not run out"),
    Stop.HELD: mark("a hold stands on it"),
    Stop.LENT: mark("it is lent"),
    Stop.MISSING: mark("it is missing"),
    Stop.UNSETTLED: mark("a matter is not settled"),
    Stop.OBJECTED: mark("someone objects"),
    Stop.ELSEWHERE: mark("an appraisal, a transfer or a destruction has it"),
    Stop.NOT_THERE: mark("it is not here any more"),
}


@pages.get("")
def every() -> str:
    """List the transfers that run, or those that have ended."""
    ended = request.args.get("ended") == "1"
    after = paging.read(request.args.get("after", ""))
    found = services().retention.transfers.every(identity(), ended=ended, after=after, limit=PAGE + 1)
    rows, more = found[:PAGE], None
    if len(found) > PAGE:
        place = paging.told((rows[-1].begun_at, rows[-1].id))
        more = url_for("transfers.every", ended=1 if ended else None, after=place)
    people = services().directory.people(row.begun_by for row in rows)
    return render_template(
        "transfers.html", rows=rows, ended=ended, more=more, people=people, states=_words(STATES),
        manages=may(Act.MANAGE_TRANSFERS),
    )  # fmt: skip


@pages.get("/new")
def new() -> BaseResponse:
    """Ask what is handed over, and to whom."""
    require(Act.MANAGE_TRANSFERS)
    return shown(_form())


@pages.post("/new")
def begin() -> BaseResponse:
    """Begin a transfer."""
    try:
        ids = list(services().retention.transfers.proposed(identity())) if request.form.get("proposed") else []
        ids += numbered(request.form.get("numbers", ""), MOST)
        key = services().retention.transfers.begin(
            identity(), request.form.get("receiver", ""), request.form.get("reason", ""), ids,
            Afterwards.APPRAISE if request.form.get("afterwards") else Afterwards.KEEP,
        )  # fmt: skip
    except ArchiveError as error:
        return again(_form(), error)
    flash(_("The transfer is begun. What may not go is listed apart."))
    return redirect(url_for("transfers.show", transfer_id=key), 303)


@pages.get("/<uuid:transfer_id>")
def show(transfer_id: UUID) -> str:
    """Show one transfer."""
    return _page(transfer_id)


@pages.post("/<uuid:transfer_id>/ask")
def ask(transfer_id: UUID) -> BaseResponse:
    """Ask for its approval."""
    return _act(transfer_id, _("The transfer is asked for. Another person decides."), "ask")


@pages.post("/<uuid:transfer_id>/withdraw")
def withdraw(transfer_id: UUID) -> BaseResponse:
    """Give it up."""
    return _act(transfer_id, _("The transfer is given up."), "withdraw")


@pages.post("/<uuid:transfer_id>/close")
def close(transfer_id: UUID) -> BaseResponse:
    """Close it."""
    return _act(transfer_id, _("The transfer is closed; its records stay readable here."), "close")


@pages.post("/<uuid:transfer_id>/decide")
def decide(transfer_id: UUID) -> BaseResponse:
    """Approve or refuse it."""
    try:
        state = decide_as_typed(services().retention.transfers.decide, transfer_id)
    except ArchiveError as error:
        return faulty(transfer_id, error)
    approved = _("The transfer is approved.")
    back = redirect(url_for("transfers.show", transfer_id=transfer_id), 303)
    try:
        found = services().retention.transfers.show(identity(), transfer_id)
        if found.transfer.state is TransferState.WITHDRAWN:
            approved = _("Nothing on the list may go any more: the transfer has ended.")
    except NotFound:  # others decide after them, and it concerns them no more
        back = redirect(url_for("transfers.every"), 303)
    say_decided(state, approved=approved, refused=_("The transfer is refused."))
    return back


@pages.post("/<uuid:transfer_id>/receipt")
def receive(transfer_id: UUID) -> BaseResponse:
    """Note the receipt that the other archive signed."""
    try:
        day = day_typed("signed_on")
        if day is None:
            raise InvalidInput(Fault("signed_on", "required"))
        receipt = Receipt(
            request.form.get("signed_by", ""),
            day,
            request.form.get("scan_sha256", "").strip().lower(),
            _disputed(transfer_id),
        )
        files = services().attachments.check(sent())
        services().retention.transfers.receive(identity(), transfer_id, receipt, whole_typed("version"))
    except ArchiveError as error:
        return faulty(transfer_id, error)
    try:
        services().attachments.add(identity(), AttachedTo.TRANSFER, transfer_id, files)
        flash(_("The receipt is noted."))
    except Unavailable:
        flash(_("The receipt is noted, but its file was not kept. Add it again below."))
    return redirect(url_for("transfers.show", transfer_id=transfer_id), 303)


def _disputed(transfer_id: UUID) -> dict[UUID, str]:
    """Read what is not accepted: a number and why in each line.

    Raises:
        InvalidInput: ``disputed``, for each of the first lines that name nothing of the list.
    """
    items = services().retention.transfers.show(identity(), transfer_id).items
    listed = {record.id for item, record in items if item.state is not TransferItemState.PULLED}
    found, faults = {}, []
    for place, line in enumerate(request.form.get("disputed", "").splitlines(), 1):
        number, _gap, why = line.strip().partition(" ")
        record = _named(number) if number else None
        if record in listed:
            found[record] = why.strip()
        elif number:
            faults.append(Fault("disputed", "line_not_listed", {"line": place, "number": number[:80]}))
            if len(faults) == MOST_TOLD:
                break
    if faults:
        raise InvalidInput(*faults)
    return found


def _named(number: str) -> UUID | None:
    try:
        return services().records.find_number(identity(), number)
    except NotFound:
        return None


def _act(transfer_id: UUID, done: str, name: str) -> BaseResponse:
    acts = services().retention.transfers
    try:
        {"ask": acts.ask, "withdraw": acts.withdraw, "close": acts.close}[name](
            identity(), transfer_id, whole_typed("version")
        )
    except ArchiveError as error:
        return faulty(transfer_id, error)
    flash(done)
    return redirect(url_for("transfers.show", transfer_id=transfer_id), 303)


def faulty(transfer_id: UUID, error: ArchiveError) -> BaseResponse:
    """Show the transfer again with what was at fault."""
    if isinstance(error, NotFound):
        raise error
    return make_response(_page(transfer_id, explain(error, current_locale())), status_of(error))


def _page(transfer_id: UUID, lines: list[str] | None = None) -> str:
    found = services().retention.transfers.show(identity(), transfer_id)
    decided = found.approval.decided_by if found.approval else None
    people = services().directory.people((found.transfer.begun_by, decided))
    going = sum(item.state is not TransferItemState.PULLED for item, _record in found.items)
    states, row = _words(STATES), found.transfer
    return render_template(
        "transfer.html", found=found, row=row, approval=found.approval, people=people, lines=lines or [],
        stages=[states[each] for each in STAGES], at=STAGES.index(row.state) + 1 if row.state in STAGES else 0,
        typed=request.form, states=states, said_of=_words(ITEMS), stops=_words(STOPS),
        bag=services().bags.standing(row, going), afterwards=_words(AFTERWARDS),
        receipts=services().attachments.seen(identity(), AttachedTo.TRANSFER, transfer_id),
    )  # fmt: skip


def _form() -> Form:
    count, locale = len(services().retention.transfers.proposed(identity(), MOST + 1)), current_locale()
    proposed = (
        _("all %(count)s that are due or appraised for transfer", count=count)
        if count <= MOST
        else _("the first %(count)s that are due or appraised for transfer", count=MOST)
    )
    fields = [
        Field("receiver", _("Receiving archive"), must=True, limit=200),
        Field("proposed", _("What should go"), kind="choose", none=_("none of these"),
              options=[("1", proposed)] if count else [],
              help=_("Due by a schedule whose action is transfer, or judged so by an appraisal that is closed.")),
        Field("numbers", _("Records"), kind="long", help=_("Their numbers, one a line.")),
        Field("afterwards", _("Copies that stay here"), kind="choose", none=said(AFTERWARDS, Afterwards.KEEP, locale),
              options=[(Afterwards.APPRAISE.value, said(AFTERWARDS, Afterwards.APPRAISE, locale))],
              help=_("Who approves the transfer approves this too. Nothing is destroyed by it.")),
        Field("reason", _("Reason"), must=True, limit=500),
    ]  # fmt: skip
    back = url_for("transfers.every")
    return Form(
        _("Begin a transfer"), fields, _("Begin the transfer"), back,
        crumbs=[(back, _("Transfers")), (None, _("Begin a transfer"))],
        intro=_("What is held, lent or missing may not go, and is listed apart."),
        values={"proposed": request.args.get("proposed", "")[:1]},
    )  # fmt: skip


def _words(table: Mapping[str, str]) -> dict[str, str]:
    locale = current_locale()
    return {str(key): said(table, key, locale) for key in table}
