"""Renewals of terms: listed, shown, asked for, decided, taken back. Each operation is one call of the service."""

from uuid import UUID

from archive.model import Approval
from archive.terms import FOREVER
from retention.renewal_rules import Extent
from retention.renewals import Wish
from web import paging
from web.api import made_of_renewals as made
from web.api.given import Decision
from web.api.names import behind, page
from web.api.operations import operation
from web.services import identity, services


@operation("/renewals")
def renewals(query: made.RenewalList) -> made.RenewalPage:
    """List renewals of terms, the newest first; without the right to see appraisals, those that wait for you."""
    after = behind(query.cursor, paging.read)
    found = services().retention.renewals.every(
        identity(), decided=query.decided, after=after, limit=query.limit + 1
    )  # fmt: skip
    shown, following = page(found, query.limit, lambda each: paging.told((each[0].asked_at, each[0].id)))
    return made.RenewalPage(
        renewals=[made.RenewalOut(**_stands(row).model_dump(), records=count) for row, count in shown],
        next=following,
    )


@operation("/renewals/{renewal_id}", 404)
def renewal(renewal_id: UUID) -> made.RenewalShown:
    """Show a renewal, with those of its records that you read."""
    one = services().retention.renewals.show(identity(), renewal_id)
    items = [
        made.RenewedOut(
            record=record.id, number=record.archive_number, title=record.title,
            until=None if item.until == FOREVER else item.until,
        )
        for item, record in one.items
    ]  # fmt: skip
    return made.RenewalShown(
        **_stands(one.approval).model_dump(), years=one.extent.years, through=one.extent.through,
        authority=one.authority, reason=one.why, answer=one.answer, items=items, whole=one.whole,
        may_decide=one.may_decide, may_withdraw=one.may_withdraw,
    )  # fmt: skip


def _again(renewal_id: UUID) -> made.RenewalStands:
    with services().db.reading() as session:
        return _stands(session.get_one(Approval, renewal_id))


@operation("/renewals", 403, 404, method="POST", status=201, made_at="/renewals/{renewal}")
def ask_renewal(body: made.NewRenewal) -> made.RenewalStands:
    """Ask that filed records be kept on; someone else decides, and until then their days stay as they are."""
    wish = Wish(body.records, Extent(body.through, body.years), body.reason, body.authority)
    return _again(services().retention.renewals.ask(identity(), wish))


@operation("/renewals/{renewal_id}/decision", 403, 404, 409, method="POST", again=_again)
def decide_renewal(renewal_id: UUID, body: Decision) -> made.RenewalStands:
    """Approve a renewal, whose last yes keeps its records on at once, or refuse it: never your own."""
    services().retention.renewals.decide(identity(), renewal_id, body.reason, approve=body.approve)
    return _again(renewal_id)


@operation("/renewals/{renewal_id}/withdrawal", 403, 404, 409, method="POST", again=_again)
def withdraw_renewal(renewal_id: UUID) -> made.RenewalStands:
    """Take back a renewal that you asked for."""
    services().retention.renewals.withdraw(identity(), renewal_id)
    return _again(renewal_id)


def _stands(row: Approval) -> made.RenewalStands:
    return made.RenewalStands(renewal=row.id, state=row.state, asked_at=row.asked_at, decided_at=row.decided_at)
