"""Baskets, circulation slips, standing custody, figures of loans: looking, and acts of those whom papers reach."""

from uuid import UUID

from archive.loans.custody import CustodyShown
from archive.loans.rounds import SlipShown
from archive.showing import number_of
from web.api.made_of_circulation import (
    BasketHolds,
    BasketLine,
    Custodies,
    CustodyStands,
    LaidAside,
    LoanFigures,
    Receiver,
    Slips,
    SlipStands,
    Span,
)
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
def circulations() -> Slips:
    """List the papers that go round, of slips that concern you."""
    return Slips(circulations=[_slip(each) for each in services().lending.rounds.every(identity())])


@operation("/circulations/{circulation_id}", 404)
def circulation(circulation_id: UUID) -> SlipStands:
    """Show a slip that concerns you."""
    return _slip(services().lending.rounds.show(identity(), circulation_id))


@operation("/circulations/{circulation_id}/signature", 403, 404, 409, method="POST")
def sign_circulation(circulation_id: UUID) -> SlipStands:
    """Sign that you have the paper, in your turn."""
    services().lending.rounds.sign(identity(), circulation_id)
    return _slip(services().lending.rounds.show(identity(), circulation_id))


@operation("/standing-custodies")
def standing_custodies() -> Custodies:
    """List the papers in standing custody that concern you."""
    return Custodies(custodies=[_custody(each) for each in services().lending.custody.every(identity())])


@operation("/standing-custodies/{custody_id}", 404)
def standing_custody(custody_id: UUID) -> CustodyStands:
    """Show a paper in standing custody that concerns you."""
    return _custody(services().lending.custody.show(identity(), custody_id))


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
        department=row.department_id, person=row.person_id, next_person=row.next_id, check_on=row.check_on,
        late=each.late, vacant=each.vacant,
    )  # fmt: skip
