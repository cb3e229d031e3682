"""Schedules and number rules: seen; schedules drafted, looked at before they apply, decided on, chosen for a record."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from archive.errors import Fault, InvalidInput
from archive.model import ApprovalState, Category, Fonds, ScheduleDraft
from archive.policy.rules import Act
from retention.documents import rule_of
from retention.rules import Rule
from retention.schedules import Standing
from web import paging
from web.api import given
from web.api import made_of_schedules as made
from web.api.names import behind, page
from web.api.operations import operation
from web.asking import may, require
from web.services import identity, services


@operation("/schedules", 403)
def schedules() -> made.Schedules:
    """List the schedules: they are rules of the house, open to everyone."""
    codes = _fonds()
    found = services().retention.schedules.every(identity())
    return made.Schedules(schedules=[made.ScheduleShown(**_standing(each, codes)) for each in found])


@operation("/schedules/{schedule_id}", 403, 404, tagged=True)
def schedule(schedule_id: UUID) -> made.ScheduleSeen:
    """Show a schedule, where it stands, and what it was."""
    found, versions = services().retention.schedules.show(identity(), schedule_id)
    was = [
        made.ScheduleWas(version=row.version, since=row.since, names=row.names, rule=_rule(rule_of(row.definition)))
        for row in versions
    ]
    return made.ScheduleSeen(**_standing(found, _fonds()), versions=was)


@operation("/schedule-drafts", 403)
def schedule_drafts(query: given.Page) -> made.Drafts:
    """List the drafts of schedules: those that wait, then the newest."""
    after = behind(query.cursor, paging.read_open)
    found = services().retention.schedules.drafts(identity(), query.limit + 1, after=after)
    shown, following = page(
        found, query.limit, lambda row: paging.told_open(row.state is ApprovalState.ASKED, (row.asked_at, row.id))
    )
    return made.Drafts(drafts=[made.DraftShown(**_draft(each)) for each in shown], next=following)


@operation("/schedule-drafts/{draft_id}", 403, 404)
def schedule_draft(draft_id: UUID) -> made.DraftSeen:
    """Show a draft, and to who may decide it what it would move of the records that they read. Nothing is written."""
    row = services().retention.schedules.one_draft(identity(), draft_id)
    looks = row.state is ApprovalState.ASKED and may(Act.DECIDE_SCHEDULES)
    preview = services().retention.previews.count(identity(), draft_id) if looks else None
    return made.DraftSeen(
        **_draft(row), moves=dict(preview.counts) if preview else None, same=preview.same if preview else None
    )


@operation("/schedule-drafts/{draft_id}/moves", 403, 404)
def schedule_moves(draft_id: UUID, query: given.Page) -> made.MovesPage:
    """List the records that a draft would move."""
    found = services().retention.previews.moves(
        identity(), draft_id, after=behind(query.cursor, paging.read_id), limit=query.limit + 1
    )
    shown, following = page(found, query.limit, lambda each: each.record_id.hex)
    return made.MovesPage(records=[made.record_moves(each) for each in shown], next=following)


@operation(
    "/schedule-drafts", 403, 404, 409, method="POST", status=201, made_at="/schedule-drafts/{draft}"
)  # fmt: skip
def draft_schedule(body: made.NewDraft) -> made.DraftMade:
    """Draft a change of a schedule, or a new one; nothing changes before another person approves it."""
    require(Act.DRAFT_SCHEDULES)
    code = body.code
    if body.schedule is not None:
        code = services().retention.schedules.show(identity(), body.schedule)[0].schedule.code
    if not code:
        raise InvalidInput(Fault("code", "required"))
    known = _categories()
    categories = [known.get((each.fonds, each.category)) for each in body.categories]
    unknown = next((named for named, key in zip(body.categories, categories, strict=True) if key is None), None)
    if unknown:
        raise InvalidInput(Fault("categories", "unknown", {"value": f"{unknown.fonds}:{unknown.category}"}))
    key = services().retention.schedules.draft(
        identity(), body.schedule, code=code, names={str(name): words for name, words in body.names.items()},
        definition=body.rule.model_dump(mode="json"), categories=[key for key in categories if key], why=body.reason,
    )  # fmt: skip
    return _made(key)


@operation("/schedule-drafts/{draft_id}/decision", 403, 404, 409, method="POST")
def decide_schedule(draft_id: UUID, body: given.Decision) -> made.DraftMade:
    """Approve a draft, which puts the schedule in force at once, or refuse it: never your own."""
    services().retention.schedules.decide(identity(), draft_id, body.reason, approve=body.approve)
    return _made(draft_id)


@operation("/schedule-drafts/{draft_id}/withdrawal", 403, 404, 409, method="POST")
def withdraw_schedule(draft_id: UUID) -> made.DraftMade:
    """Take your own draft back."""
    services().retention.schedules.withdraw(identity(), draft_id)
    return _made(draft_id)


@operation("/records/{record_id}/schedule", 403, 404, 409, method="PUT", status=204)
def choose_schedule(record_id: UUID, body: made.OwnSchedule) -> None:
    """Give a record, and what lies in it, a schedule of its own, or its category's again; its day follows."""
    services().retention.schedules.choose(
        identity(), record_id, body.schedule, authority=body.authority, reason=body.reason
    )


@operation("/number-rules", 403)
def number_rules() -> made.NumberRules:
    """List the rules by which numbers are given, for those who manage schemes."""
    rows = services().house.scheme.rules(identity())
    return made.NumberRules(
        rules=[made.NumberRuleShown(rule=row.code, names=row.names, template=row.template) for row in rows]
    )


def _made(draft_id: UUID) -> made.DraftMade:
    row = services().retention.schedules.one_draft(identity(), draft_id)
    return made.DraftMade(draft=row.id, state=row.state)


def _fonds() -> dict[UUID, str]:
    """Return the codes of all fonds, closed ones too: a schedule goes on for what lies in them."""
    with services().db.reading() as session:
        return {row.id: row.code for row in session.execute(select(Fonds.id, Fonds.code))}


def _categories() -> dict[tuple[str, str], UUID]:
    """Return all categories, closed ones too, by the codes of their fonds and their own."""
    with services().db.reading() as session:
        rows = select(Fonds.code, Category.code, Category.id).join(Fonds, Fonds.id == Category.fonds_id)
        return {(fonds, code): key for fonds, code, key in session.execute(rows)}


def _rule(rule: Rule) -> made.ScheduleRule:
    month, day = rule.fiscal_end
    return made.ScheduleRule(
        term=rule.term.code if rule.term else None, trigger=rule.trigger, event=rule.event, start=rule.start,
        action=rule.action, exact=rule.exact, fiscal_end=f"{month:02}-{day:02}", source=rule.source,
    )  # fmt: skip


def _standing(each: Standing, fonds: dict[UUID, str]) -> dict[str, Any]:
    row = each.schedule
    return {
        "schedule": row.id, "code": row.code, "names": row.names, "rule": _rule(rule_of(row.definition)),
        "categories": [made.CategoryNamed(fonds=fonds[on.fonds_id], category=on.code) for on in each.categories],
        "records": each.chosen, "version": row.version,
    }  # fmt: skip


def _draft(row: ScheduleDraft) -> dict[str, Any]:
    return {
        "draft": row.id, "state": row.state, "schedule": row.schedule_id, "code": row.code, "names": row.names,
        "rule": _rule(rule_of(row.definition)), "reason": row.why, "asked_at": row.asked_at,
        "decided_at": row.decided_at, "answer": row.answer,
    }  # fmt: skip
