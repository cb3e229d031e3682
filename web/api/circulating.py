"""Baskets, circulation slips, standing custody, figures of loans: looking, and acts of those whom papers reach."""

from uuid import UUID

from archive.cataloguing.showing import number_of
from archive.loans.custody import CustodyShown
from archive.loans.slips import SlipShown
from archive.model import Approval, ApprovalState
from web import paging
from web.api import given
from web.api.made_of_circulation import (
    BasketHolds,
    BasketLine,
    Custodies,
    CustodyStands,
    LaidAside,
    LoanFigures,
    PaperRequests,
    PaperRequestStands,
    Receiver,
    Slips,
    SlipStands,
    Span,
)
from web.api.made_of_counter import Loss, LossReported
from web.api.names import behind, page
from web.api.operations import operation
from web.services import identity, services


@operation("/basket")
def basket() -> BasketHolds:
    """List what lies in your basket."""
    return _basket()


@operation("/basket", 403, method="POST", unlogged=True)
def lay_aside(body: LaidAside) -> BasketHolds:
    """Lay records into your basket."""
    services().lending.basket.add(identity(), body.records)
    return _basket()


@operation("/basket/{record_id}", method="DELETE", status=204, unlogged=True)
def take_out_of_basket(record_id: UUID) -> None:
    """Take a record out of your basket; that it was not in it is no error."""
    services().lending.basket.take_out(identity(), [record_id])


@operation("/circulations")
def circulations(query: given.SlipList) -> Slips:
    """List the slips that concern you, the newest first."""
    rounds = services().lending.rounds
    found = rounds.every(
        identity(), ended=query.ended, after=behind(query.cursor, paging.read_id), limit=query.limit + 1
    )
    shown, following = page(found, query.limit, lambda each: each.row.id.hex)
    return Slips(circulations=[_slip(each) for each in shown], next=following)


@operation("/circulations/{circulation_id}", 404)
def circulation(circulation_id: UUID) -> SlipStands:
    """Show a slip that concerns you."""
    return _slip(services().lending.rounds.show(identity(), circulation_id))


@operation("/circulations/{circulation_id}/signature", 403, 404, 409, method="POST", again=circulation, speaks=True)
def sign_circulation(circulation_id: UUID) -> SlipStands:
    """Sign that you have the paper, in your turn."""
    services().lending.rounds.sign(identity(), circulation_id)
    return circulation(circulation_id)


@operation("/circulations/{circulation_id}/loss", 403, 404, 409, method="POST", status=201)
def lose_circulating_paper(circulation_id: UUID, body: Loss) -> LossReported:
    """Write down that a paper is lost on its round: the round ends, the copy is withdrawn, a report is opened."""
    return LossReported(report=services().lending.rounds.lose(identity(), circulation_id, body.words))


@operation("/standing-custodies")
def standing_custodies(query: given.Page) -> Custodies:
    """List the papers in standing custody that concern you, those that are looked at first come first."""
    after = behind(query.cursor, paging.read_day)
    found = services().lending.custody.every(identity(), after, limit=query.limit + 1)
    shown, following = page(found, query.limit, lambda each: paging.told_day((each.row.check_on, each.row.id)))
    return Custodies(custodies=[_custody(each) for each in shown], next=following)


@operation("/standing-custodies/{custody_id}", 404)
def standing_custody(custody_id: UUID) -> CustodyStands:
    """Show a paper in standing custody that concerns you."""
    return _custody(services().lending.custody.show(identity(), custody_id))


@operation("/standing-custodies/{custody_id}/loss", 403, 404, 409, method="POST", status=201)
def lose_kept_paper(custody_id: UUID, body: Loss) -> LossReported:
    """Write down that a paper in standing custody is lost: it ends, the copy is withdrawn, a report is opened."""
    return LossReported(report=services().lending.custody.lose(identity(), custody_id, body.words))


@operation("/paper-requests")
def paper_requests(query: given.PaperRequestList) -> PaperRequests:
    """List the applications for standing custody and for slips that wait for your decision, or your own."""
    papers, after = services().lending.papers, behind(query.cursor, paging.read_id)
    found = papers.list(identity(), own=query.own, after=after, limit=query.limit + 1)
    shown, following = page(found, query.limit, lambda each: each[0].id.hex)
    return PaperRequests(requests=[_asked(approval, reads=reads) for approval, _record, reads in shown], next=following)


@operation("/paper-requests/{request_id}", 404)
def paper_request(request_id: UUID) -> PaperRequestStands:
    """Show an application that concerns you."""
    found = services().lending.papers.show(identity(), request_id)
    return _asked(found.approval, reads=found.title is not None)


@operation("/paper-requests/{request_id}/decision", 403, 404, 409, method="POST")
def decide_paper_request(request_id: UUID, body: given.Decision) -> PaperRequestStands:
    """Agree at the present step, or refuse: never your own, at one step only. Agreed to, it waits at the counter."""
    services().lending.papers.decide(identity(), request_id, body.reason, approve=body.approve)
    return paper_request(request_id)


@operation("/loan-figures", 403)
def loan_figures(query: Span) -> LoanFigures:
    """Count the loans that were asked for within some days."""
    found = services().lending.statistics.gather(identity(), query.since, query.until)
    waited = None if found.waited is None else round(found.waited * 60)
    return LoanFigures(
        since=found.since, until=found.until, total=found.total, refused=found.refused, handed=found.handed,
        late=found.late, waited_minutes=waited, categories=found.categories, purposes=found.purposes,
        departments={str(key) if key else "": count for key, count in found.departments.items()},
        forms=found.forms, months=found.months,
    )  # fmt: skip


def _basket() -> BasketHolds:
    return BasketHolds(
        records=[
            BasketLine(
                record=each.record.id, number=number_of(each.record), forms=list(each.standing.forms),
                why=each.standing.why, loan=each.has.id if each.has else None,
            )
            for each in services().lending.basket.lines(identity())
        ]
    )  # fmt: skip


def _slip(each: SlipShown) -> SlipStands:
    row = each.row
    return SlipStands(
        circulation=row.id, slip=row.number, record=row.record_id if each.title is not None else None, state=row.state,
        purpose=each.purpose, scope=each.scope, until=row.until, overdue=each.overdue, holder=each.holder,
        turn=each.turn, receivers=[Receiver(person=stop.person_id, signed_at=stop.signed_at) for stop in each.stops],
    )  # fmt: skip


def _custody(each: CustodyShown) -> CustodyStands:
    row = each.row
    return CustodyStands(
        custody=row.id, record=row.record_id if each.title is not None else None, post=row.post_id,
        department=row.department_id, person=row.person_id, next_person=row.next_id,
        issued_at=row.issued_at, check_on=row.check_on, late=each.late, vacant=each.vacant,
    )  # fmt: skip


def _asked(row: Approval, *, reads: bool) -> PaperRequestStands:
    return PaperRequestStands(
        request=row.id, kind=row.kind.value, state=row.state, step=row.step, record=row.record_id if reads else None,
        begun=row.about_id if row.state is ApprovalState.APPROVED else None,
    )  # fmt: skip
