"""The list of a transfer 移交清册, with its number and the lines to sign on, as a PDF and as a spreadsheet."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from archive.model import TransferItemState
from web.i18n import current_locale
from web.prints.filled import book_sent, listed, pdf_sent, set_form, words_now
from web.prints.gather import gathered
from web.prints.kinds import KINDS
from web.prints.papers import Words
from web.prints.transfer import Given
from web.services import identity, services

pages = Blueprint("transfer_list", __name__, url_prefix="/transfers")

KEY = "transfer_list"


@pages.get("/<uuid:transfer_id>/list.pdf")
def pdf(transfer_id: UUID) -> Response:
    """Send the list as a PDF."""
    made_of, words = _sheet(transfer_id)
    made = set_form(KINDS[KEY], [made_of], words)
    _note("form.print", transfer_id, made_of)
    return pdf_sent(made, made_of["number"])


@pages.get("/<uuid:transfer_id>/list.xlsx")
def sheet(transfer_id: UUID) -> Response:
    """Send it as a spreadsheet; each line names the transfer."""
    made_of, words = _sheet(transfer_id)
    book = listed(KINDS[KEY], [made_of], words)
    _note("form.sheet", transfer_id, made_of)
    return book_sent(book, made_of["number"])


def _sheet(transfer_id: UUID) -> tuple[dict[str, Any], Words]:
    found, locale = services().retention.transfers.show(identity(), transfer_id), current_locale()
    row = found.transfer
    stays = {TransferItemState.PULLED, TransferItemState.DISPUTED}
    keys = [item.record_id for item, _record in found.items if item.state not in stays]
    order = {str(key): at for at, key in enumerate(keys)}
    papers = sorted(gathered(keys, locale).papers, key=lambda each: order[each.id])
    given = Given(
        number=row.number, receiver=row.receiver, purpose=row.purpose, bag=row.bag_sha256 or "",
        received_by=row.received_by or "", received_on=row.received_on.isoformat() if row.received_on else "",
        papers=papers,
    )  # fmt: skip
    words = words_now()
    return KINDS[KEY].sheets([given], words)[0], words


def _note(act: str, transfer_id: UUID, made_of: dict[str, Any]) -> None:
    body = {"form": KEY, "transfer": str(transfer_id), "number": made_of["number"], "rows": len(made_of["rows"])}
    services().readings.begin(identity(), act, body=body).result()
