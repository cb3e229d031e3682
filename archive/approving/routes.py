"""Routes: who decides on what, in which steps, as a document of the house. The first route that fits is taken.

Who decides is a token. A document says ``role:archivist``, ``post:general_manager``, ``head`` (of the borrower's
department) or ``person:<sign-in name>``; a request keeps them resolved (``head:<department id>``, ``person:<id>``).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from archive.errors import Fault, InvalidInput
from archive.identity import OFFICERS, Role
from archive.model import ApprovalKind, Medium
from archive.scheme.document import read_yaml

HEAD = "head"
FINDERS = ("role:archivist", "custody")
"""Who finds the record that someone describes: archivists, and whoever keeps custody of a level."""

ASKS = ("read", "copy", "download", "take_out")
"""What may be asked of a record: to read it, a copy on paper, its files, its paper out of the archive."""

ROUTED = (
    ApprovalKind.LOAN,
    ApprovalKind.EXTENSION,
    ApprovalKind.DESTRUCTION,
    ApprovalKind.SECRECY,
    ApprovalKind.TRANSFER,
    ApprovalKind.RENEWAL,
    ApprovalKind.CUSTODY,
    ApprovalKind.CIRCULATION,
)
AS_LOANS = frozenset({ApprovalKind.CUSTODY, ApprovalKind.CIRCULATION})
"""What goes by the routes of loans, unless a route names it."""

MOST_STEPS = 6
MOST_DAYS = 60
_TOKEN = re.compile(r"role:[a-z_]+|post:[A-Za-z0-9_.-]{1,64}|head|person:[^\s:]{1,64}")
_ROUTE = frozenset({"for", "levels", "categories", "media", "asks", "steps"})
_STEP = frozenset({"who", "every", "days", "escalate"})
_ROLES = frozenset(role.value for role in set(Role) - OFFICERS)

SHIPPED = """\
format: 1
# The first route that fits is taken; the last one takes everything that is left. A destruction goes only by a route
# that names it; where none fits, by those below.
# Custody and circulation go by the routes of loans, unless one names them.
# who: role:archivist, role:approver, role:secrecy_officer, post:CODE, head (of the borrower's department), person:NAME
# every: true - one decides for each of those named; otherwise the first one decides for all
# days: after so many days the ones under "escalate" may decide too; they do so at once where nobody else can
routes:
  - for: [destruction]
    levels: [3, 4]
    steps:
      - {who: ["role:archivist"], days: 5, escalate: ["post:office_head"]}
      - {who: [head], days: 5, escalate: ["role:approver"]}
      - {who: ["role:secrecy_officer"], days: 5}
      - {who: ["post:general_manager"], days: 7}
  - for: [destruction]
    categories: [WYC, CW]
    steps:
      - {who: ["role:archivist"], days: 5, escalate: ["post:office_head"]}
      - {who: ["post:finance_manager"], days: 5, escalate: ["role:approver"]}
      - {who: [head], days: 5, escalate: ["role:approver", "role:secrecy_officer"]}
      - {who: ["post:general_manager"], days: 7}
  - for: [destruction]
    steps:
      - {who: ["role:archivist"], days: 5, escalate: ["post:office_head", "role:secrecy_officer"]}
      - {who: [head], days: 5, escalate: ["role:approver"]}
      - {who: ["post:general_manager"], days: 7}
  - for: [secrecy, transfer, renewal]
    steps:
      - {who: ["role:approver"], days: 10, escalate: ["role:secrecy_officer", "post:general_manager"]}
  - for: [extension]
    levels: [1, 2]
    steps:
      - {who: ["role:archivist"], days: 2, escalate: ["role:approver", "role:secrecy_officer"]}
  - levels: [1]
    steps:
      - {who: ["role:archivist"], days: 3, escalate: ["role:approver", "role:secrecy_officer"]}
  - levels: [2]
    steps:
      - {who: [head], days: 3, escalate: ["role:approver", "role:secrecy_officer"]}
      - {who: ["role:archivist"], days: 3, escalate: ["role:secrecy_officer"]}
  - levels: [3]
    steps:
      - {who: [head], days: 3, escalate: ["role:approver", "post:general_manager"]}
      - {who: ["role:archivist"], days: 3, escalate: ["post:general_manager"]}
      - {who: ["role:secrecy_officer"], days: 3, escalate: ["post:general_manager"]}
  - steps:
      - {who: ["role:archivist"], days: 3, escalate: ["role:approver"]}
      - {who: ["role:secrecy_officer"], days: 3}
      - {who: ["post:general_manager"], days: 5}
"""


@dataclass(frozen=True)
class Step:
    """One step of a route."""

    who: tuple[str, ...]
    every: bool = False
    days: int | None = None
    escalate: tuple[str, ...] = ()


@dataclass(frozen=True)
class Route:
    """Steps, and for which requests they are; what is empty fits all."""

    kinds: frozenset[ApprovalKind]
    levels: frozenset[int]
    categories: frozenset[str]
    media: frozenset[Medium]
    asks: frozenset[str]
    steps: tuple[Step, ...]

    @property
    def takes_all(self) -> bool:
        """Whether it fits every request."""
        return not (self.kinds or self.levels or self.categories or self.media or self.asks)


@dataclass(frozen=True)
class Asked:
    """What a route is chosen by: ``categories`` are the record's and all above it, by code."""

    kind: ApprovalKind
    level: int
    categories: frozenset[str]
    medium: Medium
    asks: frozenset[str]


def route_for(routes: Sequence[Route], asked: Asked) -> tuple[int, Route]:
    """Return the first route that fits, with its place (from 1).

    What cannot be undone goes only by a route that names it; where the house has none that fits, by the shipped ones.
    """
    if asked.kind in AS_LOANS:
        named = [place for place, each in enumerate(routes, start=1) if asked.kind in each.kinds and _fits(each, asked)]
        if named:
            return named[0], routes[named[0] - 1]
        asked = replace(asked, kind=ApprovalKind.LOAN)
    strict = asked.kind is ApprovalKind.DESTRUCTION
    for place, route in enumerate([*routes, *(shipped() if strict else ())], start=1):
        if asked.kind in (route.kinds if strict else route.kinds or {asked.kind}) and _fits(route, asked):
            return place, route
    raise InvalidInput(Fault("routes", "no_route"))


def _fits(route: Route, asked: Asked) -> bool:
    """Whether a route is for such a record and what is asked of it, whatever the kind."""
    return (
        asked.level in (route.levels or {asked.level})
        and asked.medium in (route.media or {asked.medium})
        and (not route.categories or bool(route.categories & asked.categories))
        and (not route.asks or bool(route.asks & asked.asks))
    )


def parse(source: str) -> tuple[Mapping[str, Any], Sequence[Route]]:
    """Read routes from YAML.

    Raises:
        InvalidInput: every fault, each naming its path in the document.
    """
    data = read_yaml(source, "routes")
    routes = data.get("routes")
    if not isinstance(routes, list) or not routes or len(routes) > 100:
        raise InvalidInput(Fault("routes", "required"))
    faults = [fault for n, each in enumerate(routes) for fault in _faults(each, f"routes[{n}]")]
    unknown = sorted(set(data) - {"format", "routes"})
    faults += [Fault(name, "unknown_field") for name in map(str, unknown)]
    if faults:
        raise InvalidInput(*faults)
    read = [_route(each) for each in routes]
    if not read[-1].takes_all:
        raise InvalidInput(Fault(f"routes[{len(read) - 1}]", "last_takes_all"))
    return data, read


@cache
def shipped() -> Sequence[Route]:
    """Return the routes as they are shipped."""
    return parse(SHIPPED)[1]


def from_document(document: Mapping[str, Any]) -> Sequence[Route]:
    """Return the routes of a document that was checked when it was kept."""
    return [_route(each) for each in document["routes"]]


def _faults(data: Any, at: str) -> Iterator[Fault]:
    if not isinstance(data, dict):
        yield Fault(at, "not_a_mapping")
        return
    yield from (Fault(f"{at}.{name}", "unknown_field") for name in map(str, set(data) - _ROUTE))
    known: Mapping[str, Sequence[Any]] = {
        "for": [kind.value for kind in ROUTED], "media": [each.value for each in Medium], "asks": ASKS,
    }  # fmt: skip
    for name in ("for", "levels", "categories", "media", "asks"):
        values = data.get(name, [])
        good = isinstance(values, list) and all(isinstance(each, int if name == "levels" else str) for each in values)
        if not good or any(each not in known.get(name, values) for each in values):
            yield Fault(f"{at}.{name}", "unknown")
    steps = data.get("steps")
    if not isinstance(steps, list) or not 0 < len(steps) <= MOST_STEPS:
        yield Fault(f"{at}.steps", "out_of_range", {"low": 1, "high": MOST_STEPS})
        return
    for n, step in enumerate(steps):
        yield from _step_faults(step, f"{at}.steps[{n}]")


def _step_faults(data: Any, at: str) -> Iterator[Fault]:
    if not isinstance(data, dict):
        yield Fault(at, "not_a_mapping")
        return
    yield from (Fault(f"{at}.{name}", "unknown_field") for name in map(str, set(data) - _STEP))
    if not data.get("who"):
        yield Fault(f"{at}.who", "required")
    for name in ("who", "escalate"):
        tokens = data.get(name, [])
        if not isinstance(tokens, list) or not all(_is_token(each) for each in tokens) or len(tokens) > 20:
            yield Fault(f"{at}.{name}", "unknown")
    if not isinstance(data.get("every", False), bool):
        yield Fault(f"{at}.every", "unknown")
    days = data.get("days")
    if days is not None and (not isinstance(days, int) or isinstance(days, bool) or not 0 < days <= MOST_DAYS):
        yield Fault(f"{at}.days", "out_of_range", {"low": 1, "high": MOST_DAYS})


def _is_token(text: Any) -> bool:
    if not isinstance(text, str) or not _TOKEN.fullmatch(text):
        return False
    noun, _, name = text.partition(":")
    return noun != "role" or name in _ROLES


def _route(data: Mapping[str, Any]) -> Route:
    return Route(
        kinds=frozenset(ApprovalKind(each) for each in data.get("for", [])),
        levels=frozenset(data.get("levels", [])),
        categories=frozenset(data.get("categories", [])),
        media=frozenset(Medium(each) for each in data.get("media", [])),
        asks=frozenset(data.get("asks", [])),
        steps=tuple(
            Step(tuple(each["who"]), each.get("every", False), each.get("days"), tuple(each.get("escalate", [])))
            for each in data["steps"]
        ),
    )
