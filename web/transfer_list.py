"""The list of a transfer 移交清册, with its number and the lines to sign on, as a PDF and as a spreadsheet."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g

from archive.model import TransferItemState
from web.i18n import current_locale
from web.prints.gather import gathered, house_name
from web.prints.kinds import KINDS
from web.prints.papers import Words
from web.prints.setting import printed
from web.prints.transfer import Given
from web.services import identity, services
from web.sheets import TYPE, workbook

pages = Blueprint("transfer_list", __name__, url_prefix="/transfers")

KEY = "transfer_list"


@pages.get("/<uuid:transfer_id>/list.pdf")
def pdf(transfer_id: UUID) -> Response:
    """Send the list as a PDF."""
    made_of, words = _sheet(transfer_id)
    template = services().forms.current(identity(), KEY)
    made = printed(services().typesetter, template, words.data(words.said(KINDS[KEY].words), [made_of]))
    _note("form.print", transfer_id, made_of)
    headers = {"Content-Disposition": f'inline; filename="{made_of["number"]}.pdf"'}
    return Response(made, mimetype="application/pdf", headers=headers)


@pages.get("/<uuid:transfer_id>/list.xlsx")
def sheet(transfer_id: UUID) -> Response:
    """Send it as a spreadsheet; each line names the transfer."""
    made_of, words = _sheet(transfer_id)
    kind, heads = KINDS[KEY], words.data("", [])["words"]
    rows = [[row[key] for key, _width in kind.columns] for row in made_of["rows"]]
    _note("form.sheet", transfer_id, made_of)
    book = workbook([(heads[key], width) for key, width in kind.columns], rows)
    headers = {"Content-Disposition": f'attachment; filename="{made_of["number"]}.xlsx"'}
    return Response(book, mimetype=TYPE, headers=headers)


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
    words = Words(locale, services().guard.day(), person=g.person.name, house=house_name(locale))
    return KINDS[KEY].sheets([given], words)[0], words


def _note(act: str, transfer_id: UUID, made_of: dict[str, Any]) -> None:
    body = {"form": KEY, "transfer": str(transfer_id), "number": made_of["number"], "rows": len(made_of["rows"])}
    services().readings.begin(identity(), act, body=body).result()
