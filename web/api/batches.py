"""Batches that are handed in: opened, listed, handed in, checked. Signing needs a person at a browser."""

from uuid import UUID

from archive.errors import Fault, InvalidInput
from archive.handin.checking import Looked
from archive.handin.lines import LineFacts
from archive.handin.listing import Given, NewBatch
from archive.handin.looking import Batch, Line
from archive.model import HandIn, HandInLine
from web import paging
from web.api import given_batches as given
from web.api.made_of_batches import (
    BatchListed,
    BatchPage,
    BatchShown,
    BatchStands,
    LineShown,
    LineStands,
    SignatureShown,
)
from web.api.names import behind, department_id, fonds_id, page
from web.api.operations import operation
from web.services import identity, services


@operation("/batches")
def batches(query: given.BatchList) -> BatchPage:
    """List the batches that you see, the newest first."""
    after = behind(query.cursor, paging.read)
    states = [query.state] if query.state else []
    found = services().hand_ins.looks.every(identity(), states, after, query.limit + 1)
    rows, following = page(found, query.limit, lambda each: paging.told((each.row.created_at, each.row.id)))
    return BatchPage(
        batches=[
            BatchListed(**_stands(each.row).model_dump(), name=each.name, lines=dict(each.counts)) for each in rows
        ],
        next=following,
    )


@operation("/batches/{batch_id}", 404, tagged=True)
def batch(batch_id: UUID) -> BatchShown:
    """Show a batch with its lines, what was found of them, and who signed."""
    return _shown(services().hand_ins.looks.show(identity(), batch_id))


def _standing(batch_id: UUID) -> BatchStands:
    with services().db.reading() as session:
        return _stands(session.get_one(HandIn, batch_id))


@operation("/batches", 403, method="POST", status=201, made_at="/batches/{batch}")
def open_batch(body: given.NewBatch) -> BatchStands:
    """Open a batch, for papers of one category and department."""
    fonds, faults = fonds_id(body.fonds), list[Fault]()
    found = [
        each.id for each in services().directory.categories() if (each.fonds_id, each.code) == (fonds, body.category)
    ]
    department = department_id(body.department, faults)
    if not found:
        faults.append(Fault("category", "unknown"))
    if faults:
        raise InvalidInput(*faults)
    key = services().hand_ins.listing.open(identity(), NewBatch(body.name, found[0], department, body.level))
    return _standing(key)


@operation("/batches/{batch_id}/lines", 403, 404, 409, 412, method="PUT")
def put_batch_lines(batch_id: UUID, body: given.BatchLines, version: int) -> BatchStands:
    """Say what the lines in the clerk's hands are, all of them. Lines that speak of drafts stay."""
    rows = [
        Given(
            LineFacts(
                each.number, each.title, each.drawn_up, each.pages, each.copies, each.carrier, each.remarks
            ),
            each.line,
        )
        for each in body.lines
    ]  # fmt: skip
    services().hand_ins.listing.put_lines(identity(), batch_id, rows, version)
    return _standing(batch_id)


@operation("/batches/{batch_id}/hand-in", 403, 404, 409, 412, method="POST")
def hand_in_batch(batch_id: UUID, version: int) -> BatchStands:
    """Hand a batch in; from then on its list is fixed."""
    services().hand_ins.listing.hand_in(identity(), batch_id, version)
    return _standing(batch_id)


def _line_stands(line_id: UUID) -> LineStands:
    with services().db.reading() as session:
        row = session.get_one(HandInLine, line_id)
        return LineStands(line=row.id, state=row.state, record=row.record_id)


@operation("/batches/{batch_id}/lines/{line_id}/check", 403, 404, 409, method="POST")
def check_batch_line(batch_id: UUID, line_id: UUID, body: given.LineLooked) -> LineStands:
    """Note what was found of a line; one that passes is a draft from then on."""
    looked = Looked(body.arrived, body.pages_agree, body.readable, body.labelled, body.reason, body.words)
    services().hand_ins.checking.check(identity(), batch_id, line_id, looked)
    return _line_stands(line_id)


@operation("/batches/{batch_id}/check", 403, 404, 409, method="POST")
def end_batch_check(batch_id: UUID) -> BatchStands:
    """End the check of a round: what failed goes back; where nothing failed, both sides may sign."""
    services().hand_ins.checking.finish(identity(), batch_id)
    return _standing(batch_id)


def _stands(row: HandIn) -> BatchStands:
    return BatchStands(batch=row.id, state=row.state, round=row.round, version=row.version)


def _shown(found: Batch) -> BatchShown:
    return BatchShown(
        **_stands(found.row).model_dump(),
        name=found.name,
        lines=[_line(each) for each in found.lines],
        signatures=[
            SignatureShown(side=side, person=each.person_id, signed_at=each.signed_at, digest=each.digest)
            for side, each in found.signatures.items()
        ],
        whole=found.whole,
    )


def _line(each: Line) -> LineShown:
    row, facts, last = each.row, each.facts, each.last
    return LineShown(
        line=row.id,
        position=row.position,
        state=row.state,
        round=row.round,
        record=row.record_id if facts else None,
        number=each.number,
        title=facts.title if facts else None,
        drawn_up=facts.drawn_up if facts else None,
        pages=facts.pages if facts else None,
        copies=facts.copies if facts else None,
        carrier=facts.carrier if facts else None,
        remarks=facts.remarks if facts else None,
        reason=last.check.reason if last else None,
        words=last.words if last else None,
    )
