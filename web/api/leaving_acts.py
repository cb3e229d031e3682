"""Acts on transfers to other archives and on reviews of secrecy. A bag is packed and fetched on a page."""

from uuid import UUID

from archive.model import Transfer
from retention.secrecy.reviews import Wish
from retention.transferring.transfers import Receipt
from web.api import given
from web.api import made_of_leaving_acts as made
from web.api.describing import changed
from web.api.made import RecordChanged
from web.api.operations import operation
from web.services import identity, services


@operation("/transfers", 403, 404, 409, method="POST", status=201, made_at="/transfers/{transfer}")
def begin_transfer(body: made.NewTransfer) -> made.TransferDone:
    """Begin a transfer; what may not go is listed apart, with the reason."""
    acts = services().retention.transfers
    ids = [*body.records, *(acts.proposed(identity()) if body.proposed else ())]
    return _transfer(acts.begin(identity(), body.receiver, body.reason, ids, body.afterwards))


@operation("/transfers/{transfer_id}/request", 403, 404, 409, method="POST")
def ask_for_transfer(transfer_id: UUID, version: int) -> made.TransferDone:
    """Ask for the approval of a transfer as it is listed now."""
    services().retention.transfers.ask(identity(), transfer_id, version)
    return _transfer(transfer_id)


@operation("/transfers/{transfer_id}/decision", 403, 404, 409, method="POST")
def decide_transfer(transfer_id: UUID, body: given.Decision) -> made.TransferDecided:
    """Agree at the present step, or refuse: never your own. One of which nothing may go has ended by the last yes."""
    state = services().retention.transfers.decide(identity(), transfer_id, body.reason, approve=body.approve)
    with services().db.reading() as session:  # others decide after them, so they may not see it any more
        stands = session.get_one(Transfer, transfer_id).state
    return made.TransferDecided(transfer=transfer_id, state=state, stands=stands)


@operation("/transfers/{transfer_id}/withdrawal", 403, 404, 409, method="POST")
def withdraw_transfer(transfer_id: UUID, version: int) -> made.TransferDone:
    """Give up a transfer that was not signed for yet."""
    services().retention.transfers.withdraw(identity(), transfer_id, version)
    return _transfer(transfer_id)


@operation("/transfers/{transfer_id}/receipt", 403, 404, 409, method="POST")
def note_receipt(transfer_id: UUID, body: made.Receipt, version: int) -> made.TransferDone:
    """Note the receipt that the other archive signed: what it disputes stays here."""
    receipt = Receipt(body.signed_by, body.signed_on, body.scan_sha256, dict(body.disputed))
    services().retention.transfers.receive(identity(), transfer_id, receipt, version)
    return _transfer(transfer_id)


@operation("/transfers/{transfer_id}/closing", 403, 404, 409, method="POST")
def close_transfer(transfer_id: UUID, version: int) -> made.TransferDone:
    """Close a transfer that was signed for: its records are marked as handed over, and stay readable here."""
    services().retention.transfers.close(identity(), transfer_id, version)
    return _transfer(transfer_id)


@operation("/secrecy/reviews", 403, 404, 409, method="POST", status=201, made_at="/secrecy/reviews/{review}")
def ask_for_review(body: made.NewReview) -> made.ReviewDone:
    """Ask for a review of the secrecy of records; until it is decided their levels hold."""
    wish = Wish(
        body.verdict, body.records, body.reason, level=body.level, months=body.months, until=body.until,
        title=body.title, titles=body.titles,
    )  # fmt: skip
    key = services().retention.reviews.ask(identity(), wish)
    return made.ReviewDone(review=key, state=services().retention.reviews.show(identity(), key).approval.state)


@operation("/secrecy/reviews/{review_id}/decision", 403, 404, 409, method="POST")
def decide_review(review_id: UUID, body: given.Decision) -> made.ReviewDone:
    """Agree at the present step, or refuse: never your own."""
    state = services().retention.reviews.decide(identity(), review_id, body.reason, approve=body.approve)
    return made.ReviewDone(review=review_id, state=state)


@operation("/secrecy/reviews/{review_id}/withdrawal", 403, 404, 409, method="POST")
def withdraw_review(review_id: UUID) -> made.ReviewDone:
    """Take your own review back."""
    services().retention.reviews.withdraw(identity(), review_id)
    return made.ReviewDone(
        review=review_id, state=services().retention.reviews.show(identity(), review_id).approval.state
    )


@operation("/records/{record_id}/secrecy", 403, 404, 409, method="PUT")
def set_secrecy_period(record_id: UUID, body: made.SecrecyPeriod, version: int) -> RecordChanged:
    """Say from when and for how long a record is secret; at the end nothing changes before a review."""
    services().retention.secrecy.set_period(identity(), record_id, body.since, body.months, body.reason, version)
    return changed(record_id)


def _transfer(transfer_id: UUID) -> made.TransferDone:
    row = services().retention.transfers.show(identity(), transfer_id).transfer
    return made.TransferDone(transfer=row.id, state=row.state, version=row.version)
