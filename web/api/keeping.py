"""The house's own keeping: accounts, how the jobs stand, the log."""

import re
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from archive.jobs.status import status
from archive.log.browse import LogFilter, LogLine
from archive.log.browse import LogPage as Found
from archive.model import JobKind
from archive.personal import mask
from archive.policy.rules import Act
from web import paging
from web.api import given
from web.api.made import Entry, EntryPage, JobList, JobsCounted, PersonChanged, PersonListed, PersonPage, SealedPage
from web.api.names import behind, page
from web.api.operations import operation
from web.log_words import OF_PEOPLE
from web.number_fields import number_fields
from web.services import identity, services
from web.words.records import masked

_CODE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32,}")
"""An id or a hash, in which digits are no telephone's."""


@operation("/people", 403)
def people(query: given.Page) -> PersonPage:
    """List the accounts: for those who manage people."""
    rows = services().people.every(identity(), after=query.cursor or "", limit=query.limit + 1)
    shown, following = page(rows, query.limit, lambda row: row[0].login)
    listed = [
        PersonListed(
            login=person.login,
            name=person.name,
            roles=sorted(roles),
            clearance=person.clearance,
            active=person.active,
            version=person.version,
        )
        for person, roles in shown
    ]
    return PersonPage(people=listed, next=following)


@operation("/people", 403, 409, method="POST", status=201)
def add_person(body: given.NewPerson) -> PersonChanged:
    """Add an account."""
    made = services().people.add_person(
        identity(),
        login=body.login,
        name=body.name,
        password=body.password,
        roles=body.roles,
        clearance=body.clearance,
        locale=body.locale,
    )
    return PersonChanged(person=made)


@operation("/people/{login}/roles", 403, 404, method="PUT")
def set_roles(login: str, body: given.Roles) -> PersonChanged:
    """Give a person these roles and no others, from the next request on."""
    key = _account(login)
    services().people.set_roles(identity(), key, body.roles)
    return PersonChanged(person=key)


@operation("/people/{login}/clearance", 403, 404, method="PUT")
def set_clearance(login: str, body: given.Clearance) -> PersonChanged:
    """Clear a person for the levels up to a rank, from the next request on."""
    key = _account(login)
    services().people.set_clearance(identity(), key, body.clearance)
    return PersonChanged(person=key)


@operation("/people/{login}/deactivate", 403, 404, method="POST")
def deactivate_person(login: str) -> PersonChanged:
    """Close an account: its sessions and tokens end at once."""
    key = _account(login)
    services().people.deactivate(identity(), key)
    return PersonChanged(person=key)


@operation("/people/{login}/reactivate", 403, 404, method="POST")
def reactivate_person(login: str) -> PersonChanged:
    """Open a closed account again; its sessions and tokens stay ended."""
    key = _account(login)
    services().people.reactivate(identity(), key)
    return PersonChanged(person=key)


@operation("/jobs", 403)
def jobs() -> JobList:
    """Say how the jobs stand, by kind and state."""
    with services().db.reading() as session:
        services().guard.require_house(session, identity(), Act.SEE_JOBS)
        counted = [each for each in status(session) if each.kind in set(JobKind)]
    return JobList(
        jobs=[
            JobsCounted(kind=JobKind(each.kind), state=each.state, count=each.count, oldest=each.oldest)
            for each in counted
        ]
    )


@operation("/log", 403)
def log(query: given.LogList) -> EntryPage:
    """Browse the heads of the log, newest first: for the officers who read it."""
    wanted = LogFilter(
        act=query.act or None,
        person=query.person,
        record=query.record,
        result=query.result,
        since=query.since,
        until=query.until,
    )
    with services().db.reading() as session:
        page = services().log_view.list(
            session, identity(), wanted, after=behind(query.cursor, paging.read), limit=query.limit
        )
    return _page(page)


@operation("/log/sealed", 403)
def log_sealed(query: given.SealedLog) -> SealedPage:
    """Follow the log in the order of its chain: what comes later is never before what you have seen."""
    with services().db.reading() as session:
        lines = services().log_view.sealed(session, identity(), after=query.after, limit=query.limit)
    return SealedPage(entries=[_entry(line) for line in lines], after=(lines[-1].seq if lines else None) or query.after)


@operation("/records/{record_id}/history", 404)
def record_history(record_id: UUID, query: given.LogPage) -> EntryPage:
    """Show what happened to a record: to its readers with what was changed, to its custodians the heads."""
    with services().db.reading() as session:
        page = services().log_view.history(
            session, identity(), record_id, after=behind(query.cursor, paging.read), limit=query.limit
        )
    return _page(page)


def _account(login: str) -> UUID:
    return services().people.account(identity(), login).id


def _page(page: Found) -> EntryPage:
    following = paging.told(page.next) if page.next else None
    return EntryPage(entries=[_entry(line) for line in page.lines], next=following)


def _entry(line: LogLine) -> Entry:
    return Entry(
        id=line.id,
        seq=line.seq,
        at=line.at,
        log_class=line.log_class,
        act=line.act,
        result=line.result,
        actor=line.actor,
        operator=line.operator,
        address=line.address,
        registration_number=line.registration_number,
        record=line.record_id if line.seen else None,
        subject=line.subject_id,
        body=_masked(line.body) if line.body is not None else None,
    )


def _masked(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of an act with personal numbers as a page shows them."""
    outside = OF_PEOPLE & number_fields()
    return {name: _blotted(outside, name, value) for name, value in body.items()}


def _blotted(numbers: Collection[str], name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {each: _blotted(number_fields(), each, one) for each, one in value.items()}
    if isinstance(value, list):
        return [_blotted(numbers, name, each) for each in value]
    if value and name in numbers:
        return masked(str(value))
    return mask(value, keep_ends=True)[0] if isinstance(value, str) and not _CODE.fullmatch(value) else value
