"""The frame of every page: which pages the rail leads to, for whom, and in which group."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import g, request

from archive.errors import ArchiveError
from archive.identity import Identity, Role
from archive.policy.rules import HOUSE_RULES, READERS, Act
from archive.subjects import KEEPERS
from archive.why import EXPLAINERS
from web.services import services
from web.waiting import PREPARERS as _PREPARERS
from web.words import mark

RAIL_COOKIE = "juanku_rail"
"""Holds the codes of the groups that a person opened, with dots between; their browser writes it."""

_LEVELS = ("levels.new", "levels.new_group", "levels.shelving")
_SCHEME = HOUSE_RULES[Act.MANAGE_SCHEME]
_CHECKED = HOUSE_RULES[Act.SEE_STORE] - HOUSE_RULES[Act.SEE_JOBS]
_SCHEMES = (
    "schemes.show", "schemes.category", "schemes.importing", "schemes.changing", "category_fields.new",
    "category_fields.rules",
)  # fmt: skip
_SHELVES = (
    "shelves.show", "shelves.new", "shelves.changing", "placing.show", "placing.take", "placing.to_move",
    "stocktaking.every", "stocktaking.show", "stocktaking.scan",
)  # fmt: skip
_CHECKS = ("checks.checking", "checks.check", "checks.rules", "checks.new_rule", "checks.set_rule")
_AUDITS = (
    "audits.show", "audits.new", "audit_findings.every", "audit_findings.show", "audit_checklists.every",
    "audit_checklists.show",
)  # fmt: skip
_RENEWALS = ("renewals.every", "renewals.show", "renewals.new", "renewals.ask")
_SCHEDULES = ("schedules.every", "schedules.show", "schedules.draft", "schedules.new", "schedules.changing")


@dataclass(frozen=True)
class Way:
    """A page the rail leads to: its endpoint, its picture in ``icons.html``, its name, and who is led there.

    ``who`` None: everyone. ``beside`` are endpoints of the same work, which the rail shows as being here too.
    """

    endpoint: str
    icon: str
    words: str
    who: frozenset[Role] | None = None
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """Ways of one kind of work, folded away until someone is at it or opens it; those without a name always stand."""

    code: str
    icon: str
    words: str
    ways: Sequence[Way]


WAYS: Sequence[Group] = (
    Group(
        "",
        "",
        "",
        (
            Way("desk.desk", "desk", mark("My desk")),
            Way("finding.search", "search", mark("Search"), READERS),
            Way(
                "browsing.scheme",
                "browse",
                mark("Browse"),
                READERS,
                ("browsing.category", "browsing.projects", "browsing.place"),
            ),
            Way("records.new", "new", mark("Catalogue"), _PREPARERS, ("records.create",)),
            Way(
                "loans.mine",
                "loan",
                mark("My loans"),
                READERS,
                ("loans.describing", "loans.borrow", "loan_requests.show", "loan_requests.deputies", "basket.show"),
            ),
            Way("rounds.every", "loan", mark("Circulation slips"), READERS, ("rounds.show", "rounds.new")),
            Way("loan_requests.waiting", "decide", mark("Loans to decide"), READERS),
            Way("corrections.every", "correct", mark("Corrections"), READERS, ("corrections.show", "corrections.new")),
            Way("deadlines.board", "due", mark("What falls due")),
        ),
    ),
    Group(
        "taking-in",
        "upload",
        mark("Taking in"),
        (
            Way(
                "bring_in.mine",
                "sheet",
                mark("Bring in"),
                _PREPARERS,
                ("bring_in.columns", "bring_in.check", "bring_in.show", "bring_in.take"),
            ),
            Way(
                "hand_ins.every",
                "upload",
                mark("Hand-ins"),
                _PREPARERS,
                ("hand_ins.show", "hand_ins.new", "hand_in_check.show", "hand_in_check.report", "hand_in_sign.show"),
            ),
            Way("uploads.mine", "upload", mark("My uploads"), _PREPARERS),
            Way("steps.board", "correct", mark("Steps into custody"), _PREPARERS, ("steps.deadlines", "steps.run")),
            Way("bulk.every", "sheet", mark("My edits"), _PREPARERS, ("bulk.show", "bulk.new", "bulk_moves.show")),
            Way("papers.board", "sheet", mark("Required papers"), READERS, ("papers.show",)),
        ),
    ),
    Group(
        "keeping",
        "shelf",
        mark("Keeping"),
        (
            Way(
                "counter.show",
                "counter",
                mark("Loan counter"),
                HOUSE_RULES[Act.SEE_LOANS],
                ("counter.take", "counter.reports", "loan_register.every", "marked_copies.every"),
            ),
            Way(
                "uses.every",
                "people",
                mark("Use register"),
                HOUSE_RULES[Act.SEE_LOANS],
                ("uses.show", "uses.new", "uses.find", "uses.reveal", "outside_readers.every", "outside_readers.show"),
            ),
            Way(
                "standing_custody.every",
                "people",
                mark("Standing custody"),
                READERS,
                ("standing_custody.show", "paper_requests.every", "paper_requests.show"),
            ),
            Way("loan_figures.show", "log", mark("Loans in figures"), HOUSE_RULES[Act.SEE_LOAN_FIGURES]),
            Way("shelves.rooms", "shelf", mark("Shelves"), HOUSE_RULES[Act.SEE_SHELVES], _SHELVES),
            Way("checks.due", "correct", mark("Checks"), HOUSE_RULES[Act.MANAGE_CHECKS], _CHECKS),
            Way("vital.waiting", "level", mark("Vital records"), frozenset({Role.ARCHIVIST}), ("vital.mark",)),
        ),
    ),
    Group(
        "retention",
        "due",
        mark("Retention"),
        (
            Way("terms_due.board", "log", mark("Terms run out"), None, (*_SCHEDULES, "forecast.show", *_RENEWALS)),
            Way(
                "appraisals.every",
                "decide",
                mark("Appraisals"),
                HOUSE_RULES[Act.SEE_APPRAISALS],
                ("appraisals.show", "appraisals.new"),
            ),
            Way("events.every", "correct", mark("Events"), frozenset({Role.ARCHIVIST})),
            Way(
                "secrecy.board",
                "level",
                mark("Secrecy periods"),
                HOUSE_RULES[Act.SEE_SECRECY],
                ("secrecy.reviews", "secrecy.review", "secrecy.new", "secrecy.ask"),
            ),
            Way(
                "transfers.every",
                "upload",
                mark("Transfers"),
                HOUSE_RULES[Act.SEE_TRANSFERS],
                ("transfers.show", "transfers.new", "bags_in.every", "bags_in.new", "bags_in.show"),
            ),
            Way("matters.every", "correct", mark("Unsettled matters"), frozenset({Role.ARCHIVIST})),
            Way("holds.every", "level", mark("Holds"), HOUSE_RULES[Act.SEE_HOLDS], ("holds.show", "holds.new")),
            Way("audits.every", "correct", mark("Audits"), HOUSE_RULES[Act.AUDIT], _AUDITS),
            Way(
                "destructions.every",
                "log",
                mark("Destructions"),
                None,
                ("destructions.show", "destructions.new", "destroyed.every"),
            ),
        ),
    ),
    Group(
        "house",
        "unit",
        mark("House"),
        (
            Way("subjects.every", "subject", mark("Subjects"), KEEPERS, ("subjects.show", "subjects.new")),
            Way("fonds.every", "scheme", mark("Fonds"), _SCHEME, ("fonds.new", *_SCHEMES)),
            Way("rules.every", "number", mark("Number rules"), _SCHEME, ("rules.new",)),
            Way(
                "form_templates.every", "sheet", mark("Forms"), HOUSE_RULES[Act.MANAGE_FORMS], ("form_templates.show",)
            ),
            Way("templates.every", "scheme", mark("Dossier templates"), _SCHEME, ("templates.show",)),
            Way("calendar.show", "due", mark("Calendar"), _SCHEME),
            Way("places.every", "place", mark("Places"), _SCHEME, ("places.show", "places.new", "places.changing")),
            Way("levels.show", "level", mark("Levels"), HOUSE_RULES[Act.MANAGE_LEVELS], _LEVELS),
            Way(
                "organisation.show", "unit", mark("Organisation"), HOUSE_RULES[Act.MANAGE_PEOPLE], ("organisation.new",)
            ),
            Way(
                "people.every", "people", mark("People"), HOUSE_RULES[Act.MANAGE_PEOPLE], ("people.show", "person.new")
            ),
            Way("rule_books.routes", "number", mark("Who decides"), HOUSE_RULES[Act.MANAGE_ROUTES]),
            Way("rule_books.loans", "number", mark("Rules of loans"), HOUSE_RULES[Act.MANAGE_LOANS]),
            Way("marked_copies.tracing", "search", mark("Trace a copy"), HOUSE_RULES[Act.TRACE]),
            Way("why.ask", "help", mark("Why not visible?"), EXPLAINERS),
            Way("history.log", "log", mark("Log"), HOUSE_RULES[Act.READ_LOG]),
            Way(
                "system.show",
                "system",
                mark("System"),
                HOUSE_RULES[Act.SEE_JOBS],
                ("system.parts", "backups.show", "fixity.show", "deliveries.every"),
            ),
            Way("fixity.show", "system", mark("Stored files"), _CHECKED),
        ),
    ),
)
"""Groups of the rail, with the pages of each. A page that a person may not use is absent."""


@dataclass(frozen=True)
class Shown:
    """A group as a person sees it: ``open`` where they are, and where they have opened it (``RAIL_COOKIE``)."""

    group: Group
    ways: Sequence[Way]
    open: bool


def rail_of(identity: Identity) -> list[Shown]:
    """Return the groups and pages that the rail shows to ``identity``; a group without pages is left out."""
    opened = request.cookies.get(RAIL_COOKIE, "").split(".")
    shown = []
    for group in WAYS:
        ways = [way for way in group.ways if way.who is None or way.who & identity.roles]
        here = any(request.endpoint in (way.endpoint, *way.beside) for way in ways)
        if ways:
            shown.append(Shown(group, ways, here or group.code in opened))
    return shown


def _closed() -> str | None:
    """Return how the house is closed to writers while it moves; a database that is away is told by others."""
    with suppress(ArchiveError):
        return services().db.closed()
    return None


def _unread(identity: Identity) -> int:
    """Count the messages that a person has not read; a database that is away is told by others."""
    with suppress(ArchiveError), services().db.reading() as session:
        return services().telling.messages.unread(session, identity)
    return 0


def frame() -> dict[str, Any]:
    """Give every template what its frame shows."""
    identity = g.get("identity")
    if identity is None:
        return {"person": None, "closed": _closed()}
    here = request.full_path if request.query_string else request.path
    return {
        "closed": _closed() if g.person is None or g.person.closed else None,
        "person": g.person,
        "here": here,
        "rail": rail_of(identity),
        "reads": bool(identity.roles & READERS),
        "may_create": bool(identity.roles & _PREPARERS),
        "may_file": Role.ARCHIVIST in identity.roles,
        "levels": services().directory.levels(),
        "unread_messages": _unread(identity),
    }
