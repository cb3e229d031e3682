"""Stock-taking for programs: begin, scan, close, report. Each is one call of its service."""

from uuid import UUID

from archive.checking import Findings
from archive.errors import Fault, InvalidInput, NotFound
from archive.model import BlockKind, StockState, Tally
from archive.stocktaking.counting import Scan
from archive.stocktaking.report import StocktakingView
from web import paging
from web.api import given
from web.api.made_of_stock import (
    CheckDue,
    CheckNoted,
    ChecksPage,
    ScansTold,
    ScanTold,
    StockItemShown,
    StocktakingPage,
    StocktakingReport,
    StocktakingStands,
    UnknownLabel,
)
from web.api.names import behind
from web.api.operations import operation
from web.custody.placing import numbered
from web.services import identity, services

MOST = 10_000
"""Copies of each tally that a report lists."""


@operation("/stocktakings", 403)
def stocktakings(query: given.Page) -> StocktakingPage:
    """List stock-takings, the newest first."""
    after = behind(query.cursor, paging.read)
    found = services().stock.reports.every(identity(), after=after, limit=query.limit + 1)
    shown = found[: query.limit]
    more = len(found) > query.limit
    return StocktakingPage(
        stocktakings=[_stands(each) for each in shown],
        next=paging.told((shown[-1].row.begun_at, shown[-1].row.id)) if more else None,
    )


@operation("/stocktakings", 403, 409, method="POST", status=201, made_at="/stocktakings/{stocktaking}")
def begin_stocktaking(body: given.NewStocktaking) -> StocktakingStands:
    """Begin to count a room, cabinet, shelf or box with all that stands in it."""
    try:
        place = services().shelving.looks.id_at(identity(), body.place)
    except NotFound:
        raise InvalidInput(Fault("place", "unknown")) from None
    return _again(services().stock.counting.begin(identity(), place))


@operation("/stocktakings/{stocktaking_id}", 403, 404)
def stocktaking(stocktaking_id: UUID) -> StocktakingReport:
    """Show a stock-taking; closed, with every copy that you may see and what became of it."""
    view = services().stock.reports.show(identity(), stocktaking_id, most=MOST)
    items = [
        StockItemShown(
            copy_id=each.copy_id, record=each.record_id, number=each.number, copy_number=each.copy, tally=each.tally,
            belongs=each.should, found_at=each.found, holder=each.holder, follow_up=each.follow_up,
        )
        for each in view.items
        if each.tally is not None
    ]  # fmt: skip
    labels = [UnknownLabel(label=each.label, place=each.place, at=each.at) for each in view.unknown]
    return StocktakingReport(**_stands(view).model_dump(), items=items, labels=labels)


@operation("/stocktakings/{stocktaking_id}/scans", 403, 404, 409, method="POST")
def scan_labels(stocktaking_id: UUID, body: given.Scans) -> ScansTold:
    """Take up to 20 scans in their order, each under an id of yours: one that is sent again counts once."""
    view = services().stock.reports.show(identity(), stocktaking_id, tallies=(), most=0)
    known = {path: key for key, path in view.places}
    faults = [
        Fault(f"scans.{at}.place", "unknown")
        for at, each in enumerate(body.scans)
        if view.row.state is StockState.OPEN and each.place.upper() not in known
    ]
    if faults:
        raise InvalidInput(*faults)
    scans = [
        Scan(each.id, known.get(each.place.upper(), view.row.place_id), each.label, *numbered(each.label))
        for each in body.scans
    ]
    told = services().stock.counting.scan(identity(), stocktaking_id, scans)
    return ScansTold(
        scans=[
            ScanTold(id=each.id, verdict=each.verdict, label=each.label, place=each.place, belongs=each.belongs)
            for each in told
        ]
    )


@operation("/stocktakings/{stocktaking_id}/close", 403, 404, 409, method="POST")
def close_stocktaking(stocktaking_id: UUID) -> StocktakingStands:
    """Close a stock-taking; its report stays as it is then."""
    services().stock.counting.close(identity(), stocktaking_id)
    return _again(stocktaking_id)


@operation("/checks")
def checks_due(query: given.ChecksDue) -> ChecksPage:
    """List the checks of records that you may do, up to a day, the earliest first."""
    after = behind(query.cursor, paging.read_day)
    until = query.until or services().guard.day()
    rows = services().checks.due(identity(), until=until, after=after, limit=query.limit + 1)
    shown = rows[: query.limit]
    last = shown[-1][0] if len(rows) > query.limit else None
    return ChecksPage(
        checks=[CheckDue(record=record.id, number=record.archive_number, due=check.due) for check, record in shown],
        next=paging.told_day((last.due, last.id)) if last else None,
    )


@operation("/records/{record_id}/checks", 403, 404, method="POST", status=201)
def note_check(record_id: UUID, body: given.NewCheck) -> CheckNoted:
    """Note what a check of a filed record found, due or not; the next one is planned by the rules."""
    found = Findings(
        body.label_ok, body.number_ok, body.state_ok, body.description_ok, body.remark,
        BlockKind(body.hold) if body.hold else None,
    )  # fmt: skip
    return CheckNoted(check=services().checks.check(identity(), record_id, found))


def _again(stocktaking_id: UUID) -> StocktakingStands:
    return _stands(services().stock.reports.show(identity(), stocktaking_id, tallies=(), most=0))


def _stands(view: StocktakingView) -> StocktakingStands:
    row, figures = view.row, view.figures
    return StocktakingStands(
        stocktaking=row.id, place=row.path, state=row.state, begun_at=row.begun_at, closed_at=row.closed_at,
        expected=figures.expected, scanned=figures.scanned, unknown=figures.unknown,
        **{tally.value: getattr(figures, tally.value) for tally in Tally},
    )  # fmt: skip
