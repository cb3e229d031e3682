"""Corrections of what is filed: ask, look, decide, take back. Each is one call of its service."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import JsonValue

from archive.cataloguing.corrections import Correction
from archive.errors import NotFound
from archive.model import Approval, ApprovalState, Category
from archive.scheme.fields import FieldKind, parse_fields
from web import paging
from web.api import given
from web.api.describing import changes_of
from web.api.made_of_papers import CorrectionPage, CorrectionShown, CorrectionStands
from web.api.names import behind, page
from web.api.operations import operation
from web.services import identity, services
from web.words.records import masked


@operation("/corrections")
def corrections(query: given.CorrectionList) -> CorrectionPage:
    """List the corrections that you may decide, or those that you asked for."""
    after = behind(query.cursor, paging.read)
    found = services().corrections.list(identity(), own=query.own, after=after, limit=query.limit + 1)
    shown, following = page(found, query.limit, lambda each: paging.told((each[0].asked_at, each[0].id)))
    return CorrectionPage(corrections=[_stands(approval) for approval, _record in shown], next=following)


@operation("/corrections/{correction_id}", 404)
def correction(correction_id: UUID) -> CorrectionShown:
    """Show a correction of a record that you read."""
    return _shown(services().corrections.show(identity(), correction_id))


def _again(correction_id: UUID) -> CorrectionStands:
    with services().db.reading() as session:
        return _stands(session.get_one(Approval, correction_id))


@operation(
    "/records/{record_id}/corrections",
    403,
    404,
    409,
    412,
    method="POST",
    status=201,
    made_at="/corrections/{correction}",
)
def ask_correction(record_id: UUID, body: given.NewCorrection, version: int) -> CorrectionStands:
    """Ask for a correction of a filed record; someone else decides. Parts that are left out stay."""
    changes = changes_of(record_id, body)
    return _again(services().corrections.ask(identity(), record_id, changes, body.reason, version))


@operation("/corrections/{correction_id}/decision", 403, 404, 409, method="POST", again=_again)
def decide_correction(correction_id: UUID, body: given.Decision) -> CorrectionStands:
    """Approve a correction, which changes the record at once, or refuse it: never your own."""
    services().corrections.decide(identity(), correction_id, body.reason, approve=body.approve)
    return _again(correction_id)


@operation("/corrections/{correction_id}/withdrawal", 403, 404, 409, method="POST", again=_again)
def withdraw_correction(correction_id: UUID) -> CorrectionStands:
    """Take back a correction that you asked for."""
    services().corrections.withdraw(identity(), correction_id)
    return _again(correction_id)


def _stands(row: Approval) -> CorrectionStands:
    if row.record_id is None:
        raise NotFound
    return CorrectionStands(
        correction=row.id, record=row.record_id, state=ApprovalState(row.state), asked_at=row.asked_at
    )


def _shown(found: Correction) -> CorrectionShown:
    with services().db.reading() as session:
        own = parse_fields(session.get_one(Category, found.record.category_id).fields)
    hidden = {each.name for each in own if each.kind in {FieldKind.PHONE, FieldKind.IDENTITY}}
    return CorrectionShown(
        **_stands(found.approval).model_dump(),
        before=_masked(found.before, hidden),
        after=_masked(found.after, hidden),
        reason=found.why,
        answer=found.answer,
        passed=found.passed,
    )


def _masked(values: Mapping[str, Any], hidden: set[str]) -> dict[str, JsonValue]:
    own = values["fields"].items()
    told = {name: masked(str(each)) if name in hidden and each is not None else each for name, each in own}
    return {**values, "fields": told}
