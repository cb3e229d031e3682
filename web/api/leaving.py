"""Destructions, the register of the destroyed, transfers and secrecy reviews. Each operation is one service call."""

from typing import Any
from uuid import UUID

from flask import Response

from archive.model import Approval, Destruction, SecrecyReview, Transfer
from retention.destroying.listing import Chosen, How
from retention.destroying.register import Asked
from web import paging
from web.api import made_of_leaving as made
from web.api.clocks import Why
from web.api.names import behind, page
from web.api.operations import operation
from web.retention import destroyed as forms
from web.services import identity, services


@operation("/destructions")
def destructions(query: made.DestructionList) -> made.DestructionPage:
    """List destructions, the newest first."""
    looks = services().retention.destructions.looks
    found = looks.every(identity(), query.state, after=behind(query.cursor, paging.read), limit=query.limit + 1)
    shown, following = page(found, query.limit, lambda each: paging.told((each[0].begun_at, each[0].id)))
    return made.DestructionPage(
        destructions=[made.DestructionOut(**_destruction(row)) for row, _count in shown], next=following
    )


@operation("/destructions/{destruction_id}", 404, tagged=True)
def destruction(destruction_id: UUID) -> made.DestructionShown:
    """Show a destruction."""
    one = services().retention.destructions.looks.show(identity(), destruction_id)
    return made.DestructionShown(**_destruction(one.row), counts=dict(one.counts), acts=sorted(one.acts))


@operation("/destructions/{destruction_id}/items", 404)
def destruction_items(destruction_id: UUID, query: made.DoomedList) -> made.DoomedPage:
    """List the records of a destruction that you are shown, in the order of the list."""
    after = behind(query.cursor, paging.read_position) or 0
    found = services().retention.destructions.looks.items(
        identity(), destruction_id, after=after, limit=query.limit + 1, pulled=query.pulled
    )
    shown, more = found[: query.limit], len(found) > query.limit
    items = [
        made.DoomedOut(
            position=each.position,
            record=each.record_id,
            number=each.number,
            title=each.title,
            register_title=each.neutral,
            due=each.due,
            state=each.state,
            stop=each.pulled or each.stops,
        )
        for each in shown
    ]
    return made.DoomedPage(items=items, next=str(shown[-1].position) if more else None)


def _made_again(destruction_id: UUID) -> made.DestructionMade:
    with services().db.reading() as session:
        row = session.get_one(Destruction, destruction_id)
        return made.DestructionMade(destruction=row.id, number=row.number, state=row.state, version=row.version)


@operation("/destructions", 403, method="POST", status=201, made_at="/destructions/{destruction}")
def propose_destruction(body: made.NewDestruction) -> made.DestructionMade:
    """Propose a destruction: the list of what closed appraisals gave up. Who proposed it asks for it at the page."""
    chosen = Chosen(body.appraisal, None, body.year)
    return _made_again(services().retention.destructions.listing.begin(identity(), _how(body), chosen))


@operation("/destructions/{destruction_id}", 403, 404, 409, method="PATCH", tagged=True)
def change_destruction(destruction_id: UUID, body: made.HowDestroyed, version: int) -> made.DestructionMade:
    """Change how a destruction is to be done, while it is a draft."""
    services().retention.destructions.listing.change(identity(), destruction_id, version, _how(body))
    return _made_again(destruction_id)


@operation("/destructions/{destruction_id}/weighing", 403, 404, 409, method="PUT", tagged=True)
def weigh_destruction(destruction_id: UUID, body: made.Weighed, version: int) -> made.DestructionMade:
    """Note what paper weighs and who takes it away, from the confirmation until the first signature at the end."""
    weighing = services().retention.destructions.weighing
    weighing.note(identity(), destruction_id, version, body.weighed, body.taken_by)
    return _made_again(destruction_id)


@operation("/destructions/{destruction_id}/withdrawal", 403, 404, 409, method="POST", again=_made_again)
def withdraw_destruction(destruction_id: UUID, body: Why) -> made.DestructionMade:
    """Take a destruction back before it runs; its records are free again."""
    services().retention.destructions.listing.withdraw(identity(), destruction_id, body.reason)
    return _made_again(destruction_id)


@operation("/destructions/{destruction_id}/certificate", 404)
def destruction_certificate(destruction_id: UUID) -> Response:
    """Send the certificate of a destruction as a PDF, from the time that it runs."""
    return forms.form(destruction_id, "destruction_certificate")


@operation("/destructions/{destruction_id}/register", 404)
def destruction_register(destruction_id: UUID) -> Response:
    """Send the register of a destruction as a PDF, from the time that it runs."""
    return forms.form(destruction_id, "destruction_register")


@operation("/destroyed", 403)
def destroyed(query: made.DestroyedList) -> made.DestroyedPage:
    """List what is gone, the last first."""
    found = services().retention.destructions.register.every(
        identity(), Asked(query.number.strip(), query.since, query.until), after=behind(query.cursor, paging.read),
        limit=query.limit + 1,
    )  # fmt: skip
    shown, more = found[: query.limit], len(found) > query.limit
    records = [
        made.DestroyedOut(
            destruction=each.destruction,
            destruction_number=each.number,
            position=each.row.position,
            fonds=each.row.fonds,
            category=each.row.category,
            number=(each.row.archive_number if each.title else None) or each.row.registration_number,
            title=each.title,
            year=each.row.year,
            term=each.row.term,
            kept_years=each.row.kept_years,
            pages=each.row.pages,
            files=each.row.files,
            gone_at=each.gone_at,
        )
        for each in shown
    ]
    last = shown[-1] if more else None
    place = paging.told((last.gone_at, last.row.record_id)) if last and last.gone_at else None
    return made.DestroyedPage(records=records, next=place)


@operation("/transfers")
def transfers(query: made.TransferList) -> made.TransferPage:
    """List transfers to other archives, the newest first."""
    found = services().retention.transfers.every(
        identity(), ended=query.ended, after=behind(query.cursor, paging.read), limit=query.limit + 1
    )
    shown, following = page(found, query.limit, lambda row: paging.told((row.begun_at, row.id)))
    return made.TransferPage(transfers=[made.TransferOut(**_transfer(row)) for row in shown], next=following)


@operation("/transfers/{transfer_id}", 404, tagged=True)
def transfer(transfer_id: UUID) -> made.TransferShown:
    """Show a transfer, with those of its records that you read."""
    one = services().retention.transfers.show(identity(), transfer_id)
    items = [
        made.TransferredOut(record=record.id, number=record.archive_number, title=record.title, state=item.state)
        for item, record in one.items
    ]
    return made.TransferShown(**_transfer(one.transfer), items=items, whole=one.whole)


@operation("/secrecy/reviews")
def secrecy_reviews(query: made.ReviewList) -> made.ReviewPage:
    """List reviews of secrecy, the newest first."""
    found = services().retention.reviews.every(
        identity(), decided=query.decided, after=behind(query.cursor, paging.read), limit=query.limit + 1
    )
    shown, following = page(found, query.limit, lambda each: paging.told((each[1].asked_at, each[0].id)))
    return made.ReviewPage(
        reviews=[made.ReviewOut(**_review(row, approval)) for row, approval, _count in shown], next=following
    )


@operation("/secrecy/reviews/{review_id}", 404)
def secrecy_review(review_id: UUID) -> made.ReviewShown:
    """Show a review of secrecy, with those of its records that you read."""
    one = services().retention.reviews.show(identity(), review_id)
    items = [
        made.ReviewedOut(
            record=record.id, number=record.archive_number, title=record.title, level=item.level_rank,
            outcome=item.outcome, derived_title=one.titles.get(record.id),
            derived=text.id if (text := one.derived.get(record.id)) else None,
        )
        for item, record in one.items
    ]  # fmt: skip
    return made.ReviewShown(**_review(one.review, one.approval), reason=one.why, items=items, whole=one.whole)


def _how(body: made.HowDestroyed) -> How:
    return How(body.purpose, body.method, body.place, body.contractor, body.weight)


def _destruction(row: Destruction) -> dict[str, Any]:
    names = (
        "number", "state", "version", "purpose", "method", "place", "contractor", "weight", "weighed", "taken_by",
        "begun_at", "cooling_until", "confirmed_at", "counted_at", "run_at", "gone_at", "closed_at", "digest",
    )  # fmt: skip
    return {"destruction": row.id, **{name: getattr(row, name) for name in names}}


def _transfer(row: Transfer) -> dict[str, Any]:
    names = (
        "number", "receiver", "state", "begun_at", "packed_at", "bag_sha256", "received_by", "received_on",
        "closed_at", "version",
    )  # fmt: skip
    return {"transfer": row.id, **{name: getattr(row, name) for name in names}}


def _review(row: SecrecyReview, approval: Approval) -> dict[str, Any]:
    return {
        "review": row.id, "verdict": row.verdict, "state": approval.state, "to_level": row.to_level,
        "months": row.months, "until": row.until, "asked_at": approval.asked_at,
    }  # fmt: skip
