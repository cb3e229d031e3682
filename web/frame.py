"""The frame of every page: which pages the rail leads to, for whom, and in which group."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from flask import current_app, g, request

from archive.errors import ArchiveError
from archive.identity import Identity, Role
from archive.policy.rules import HOUSE_RULES, READERS, Act
from archive.subjects import KEEPERS
from archive.why import EXPLAINERS
from web.i18n import current_locale
from web.security import page_address
from web.services import services
from web.waiting import PREPARERS as _PREPARERS
from web.words import mark

RAIL_COOKIE = "juanku_rail"
"""Holds the codes of the groups that a person opened, with dots between; their browser writes it."""

_OF_SCHEMES = ("fonds", "schemes", "category_moves", "category_fields")
_SCHEME = HOUSE_RULES[Act.MANAGE_SCHEME]
_CHECKED = HOUSE_RULES[Act.SEE_STORE] - HOUSE_RULES[Act.SEE_JOBS]


@dataclass(frozen=True)
class Way:
    """A page the rail leads to: its endpoint, its picture in ``icons.html``, its name, and who is led there.

    ``who`` None: everyone. ``beside`` are other endpoints, or blueprints with all of theirs, of the same work: the rail
    shows them as being here too.
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
    ways: tuple[Way, ...]


WAYS: Sequence[Group] = (
    Group(
        "",
        "",
        "",
        (
            Way("desk.desk", "desk", mark("My desk")),
            Way("finding.search", "search", mark("Search"), READERS),
            Way("browsing.scheme", "browse", mark("Browse"), READERS, ("browsing",)),
            Way("records.new", "new", mark("Catalogue"), _PREPARERS, ("records.create",)),
            Way(
                "loans.mine",
                "loan",
                mark("My loans"),
                READERS,
                ("loans", "basket", "loan_requests.show", "loan_requests.deputies"),
            ),
            Way("rounds.every", "loan", mark("Circulation slips"), READERS, ("rounds",)),
            Way("loan_requests.waiting", "decide", mark("Loans to decide"), READERS),
            Way("corrections.every", "correct", mark("Corrections"), READERS, ("corrections",)),
            Way("deadlines.board", "due", mark("What falls due")),
        ),
    ),
    Group(
        "taking-in",
        "upload",
        mark("Taking in"),
        (
            Way("bring_in.mine", "sheet", mark("Bring in"), _PREPARERS, ("bring_in",)),
            Way(
                "hand_ins.every", "upload", mark("Hand-ins"), _PREPARERS, ("hand_ins", "hand_in_check", "hand_in_sign")
            ),
            Way("uploads.mine", "upload", mark("My uploads"), _PREPARERS),
            Way("steps.board", "correct", mark("Steps into custody"), _PREPARERS, ("steps", "sending_back")),
            Way("bulk.every", "sheet", mark("My edits"), _PREPARERS, ("bulk", "bulk_moves")),
            Way("papers.board", "sheet", mark("Required papers"), READERS, ("papers",)),
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
                ("counter", "loan_register", "marked_copies.every"),
            ),
            Way("uses.every", "people", mark("Use register"), HOUSE_RULES[Act.SEE_LOANS], ("uses", "outside_readers")),
            Way(
                "standing_custody.every",
                "people",
                mark("Standing custody"),
                READERS,
                ("standing_custody", "paper_requests"),
            ),
            Way("loan_figures.show", "log", mark("Loans in figures"), HOUSE_RULES[Act.SEE_LOAN_FIGURES]),
            Way(
                "shelves.rooms",
                "shelf",
                mark("Shelves"),
                HOUSE_RULES[Act.SEE_SHELVES],
                ("shelves", "placing", "stocktaking"),
            ),
            Way("checks.due", "correct", mark("Checks"), HOUSE_RULES[Act.MANAGE_CHECKS], ("checks",)),
            Way("vital.waiting", "level", mark("Vital records"), frozenset({Role.ARCHIVIST}), ("vital",)),
        ),
    ),
    Group(
        "retention",
        "due",
        mark("Retention"),
        (
            Way("terms_due.board", "log", mark("Terms run out"), None, ("schedules", "forecast", "renewals")),
            Way(
                "appraisals.every",
                "decide",
                mark("Appraisals"),
                HOUSE_RULES[Act.SEE_APPRAISALS],
                ("appraisals", "consulting"),
            ),
            Way("events.every", "correct", mark("Events"), frozenset({Role.ARCHIVIST})),
            Way("secrecy.board", "level", mark("Secrecy periods"), HOUSE_RULES[Act.SEE_SECRECY], ("secrecy",)),
            Way(
                "transfers.every", "upload", mark("Transfers"), HOUSE_RULES[Act.SEE_TRANSFERS], ("transfers", "bags_in")
            ),
            Way("matters.every", "correct", mark("Unsettled matters"), frozenset({Role.ARCHIVIST})),
            Way("holds.every", "level", mark("Holds"), HOUSE_RULES[Act.SEE_HOLDS], ("holds",)),
            Way(
                "audits.every",
                "correct",
                mark("Audits"),
                HOUSE_RULES[Act.AUDIT],
                ("audits", "audit_findings", "audit_checklists"),
            ),
            Way("destructions.every", "log", mark("Destructions"), None, ("destructions", "destroyed")),
        ),
    ),
    Group(
        "house",
        "unit",
        mark("House"),
        (
            Way("subjects.every", "subject", mark("Subjects"), KEEPERS, ("subjects",)),
            Way("fonds.every", "scheme", mark("Fonds"), _SCHEME, _OF_SCHEMES),
            Way("rules.every", "number", mark("Number rules"), _SCHEME, ("rules",)),
            Way("form_templates.every", "sheet", mark("Forms"), HOUSE_RULES[Act.MANAGE_FORMS], ("form_templates",)),
            Way("templates.every", "scheme", mark("Dossier templates"), _SCHEME, ("templates",)),
            Way("calendar.show", "due", mark("Calendar"), _SCHEME),
            Way("places.every", "place", mark("Places"), _SCHEME, ("places",)),
            Way("levels.show", "level", mark("Levels"), HOUSE_RULES[Act.MANAGE_LEVELS], ("levels",)),
            Way("organisation.show", "unit", mark("Organisation"), HOUSE_RULES[Act.MANAGE_PEOPLE], ("organisation",)),
            Way("people.every", "people", mark("People"), HOUSE_RULES[Act.MANAGE_PEOPLE], ("people", "person")),
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
                ("system", "backups", "fixity", "deliveries", "rereading"),
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
    ways: tuple[Way, ...]
    open: bool


def is_here(way: Way) -> bool:
    """Return whether the present page is of a way's work."""
    return not {request.endpoint, request.blueprint}.isdisjoint((way.endpoint, *way.beside))


def rail_of(identity: Identity) -> tuple[Shown, ...]:
    """Return the groups and pages that the rail shows to ``identity``; a group without pages is left out."""
    opened = request.cookies.get(RAIL_COOKIE, "").split(".")
    shown = []
    for group in WAYS:
        ways = tuple(way for way in group.ways if way.who is None or way.who & identity.roles)
        here = any(is_here(way) for way in ways)
        if ways:
            shown.append(Shown(group, ways, here or group.code in opened))
    return tuple(shown)


@lru_cache(maxsize=512)
def _drawn(rail: tuple[Shown, ...], here: frozenset[Way], locale: str, root: str) -> str:  # noqa: ARG001  (they are what the drawing depends on)
    """Draw a rail: with its many links it would be a sixth of the work for a page."""
    return current_app.jinja_env.get_template("rail.html").render(rail=rail, here=here)


def _drawn_rail(rail: tuple[Shown, ...]) -> str:
    here = frozenset(way for each in rail for way in each.ways if is_here(way))
    return _drawn(rail, here, current_locale(), request.script_root)


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
        return {"person": None, "closed": _closed(), "page_address": page_address()}
    here = page_address()
    rail = rail_of(identity)
    return {
        "closed": _closed() if g.person is None or g.person.closed else None,
        "person": g.person,
        "here": here,
        "page_address": here,
        "rail": rail,
        "drawn_rail": partial(_drawn_rail, rail),
        "reads": bool(identity.roles & READERS),
        "may_create": bool(identity.roles & _PREPARERS),
        "may_file": Role.ARCHIVIST in identity.roles,
        "levels": services().directory.levels(),
        "unread_messages": _unread(identity),
    }
