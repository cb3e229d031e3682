"""What waits for a person, as their desk counts it: one line a kind, with the page where it is done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.identity import Role
from archive.model import Content, ContentState, Record
from archive.policy.rules import HOUSE_RULES, READERS, Act
from archive.why import EXPLAINERS
from web import filters
from web.arriving.scans import listed
from web.services import identity, services
from web.words import mark

PREPARERS = frozenset({Role.ARCHIVIST, Role.CLERK})


@dataclass(frozen=True)
class Wait:
    """A kind of work that waits: in words, where it is done, and what counts it in a snapshot.

    ``who``: roles that it concerns (None: all who may see some); ``charged``: those who keep papers, with custodians;
    ``late``: its day has passed, so that it stands before the others; ``most``: counted no further than this, where
    that is less than ``MOST_TOLD``.
    """

    words: str
    endpoint: str
    count: Callable[[Session], int | None]
    more: Mapping[str, Any] = field(default_factory=dict)
    who: frozenset[Role] | None = None
    charged: bool = False
    late: bool = False
    most: int | None = None


MOST_TOLD = 1_000
"""A desk counts no further."""

PAGES_TOLD = 200
"""Of pages a desk counts no further: of each it asks for the file, the record and the right."""


@dataclass(frozen=True)
class Waiting:
    """So much of one kind, told as far as it was counted, and where it is done; ``late``: its day has passed."""

    count: str
    words: str
    address: str
    late: bool


def _put_aside(session: Session) -> int:
    ids = services().guard.visible(session, identity()).with_only_columns(Record.id)
    aside = select(Content.id).where(
        Content.state == ContentState.QUARANTINED, ids.where(Record.id == Content.record_id).correlate(Content).exists()
    )
    return services().directory.count(session, aside, MOST_TOLD)


def _doubtful(session: Session) -> int:
    visible = services().guard.visible(session, identity()).with_only_columns(Record.id)
    return services().directory.count(session, listed(visible), min(PAGES_TOLD, MOST_TOLD))


WAITS = (
    Wait(
        mark("with proposals to confirm"), "proposals.waiting",
        lambda s: services().directory.count(s, services().proposals.undecided(s, identity()), MOST_TOLD),
    ),
    Wait(
        mark("late to be filed"), "steps.board", lambda s: services().steps.late_count(s, identity(), MOST_TOLD),
        {"late": "1"}, PREPARERS, late=True,
    ),
    Wait(
        mark("batches that wait for you"), "hand_ins.every", lambda s: services().hand_ins.looks.count(s, identity()),
        who=PREPARERS,
    ),
    Wait(
        mark("drafts sent back"), "sending_back.waiting", lambda s: services().sending_back.count(s, identity()),
        who=PREPARERS,
    ),
    Wait(mark("loans to decide"), "loan_requests.waiting", lambda s: services().lending.asked.count(s, identity())),
    Wait(
        mark("of your loans are overdue"), "loans.mine",
        lambda s: services().lending.looks.count_overdue_mine(s, identity()), late=True,
    ),
    Wait(
        mark("of your requests wait for an answer"), "loans.mine",
        lambda s: services().lending.looks.count_asked_back(s, identity()),
    ),
    Wait(
        mark("papers are overdue"), "loan_register.every",
        lambda s: services().lending.looks.count_overdue(s, identity()), {"state": "overdue"}, charged=True,
        late=True,
    ),
    Wait(
        mark("records in your basket"), "basket.show", lambda s: services().lending.basket.count(s, identity()),
    ),
    Wait(
        mark("papers that come to you on a slip"), "rounds.every",
        lambda s: services().lending.rounds.count(s, identity()),
    ),
    Wait(
        mark("hand-overs of papers to sign"), "standing_custody.every",
        lambda s: services().lending.custody.to_sign(s, identity()),
    ),
    Wait(
        mark("papers to decide on"), "paper_requests.every", lambda s: services().lending.papers.count(s, identity())
    ),
    Wait(
        mark("of your requests for papers wait for an answer"), "paper_requests.every",
        lambda s: services().lending.papers.count_asked_back(s, identity()), {"own": 1}, charged=True,
    ),
    Wait(mark("corrections to decide"), "corrections.every", lambda s: services().corrections.count(s, identity())),
    Wait(
        mark("pairs that are perhaps the same"), "doubles.waiting",
        lambda s: services().directory.count(s, services().doubles.undecided(s, identity()), MOST_TOLD),
    ),
    Wait(mark("pages of scans to look at"), "scans.doubtful", _doubtful, most=PAGES_TOLD),
    Wait(
        mark("records whose term has run out"), "terms_due.board",
        lambda s: services().directory.count(s, services().retention.board.fallen(s, identity()), MOST_TOLD),
        who=frozenset({Role.ARCHIVIST}),
    ),
    Wait(
        mark("changes of schedules to decide"), "schedules.every",
        lambda s: services().retention.schedules.waiting(s, identity()), who=HOUSE_RULES[Act.DECIDE_SCHEDULES],
    ),
    Wait(
        mark("destructions that wait for you"), "destructions.every",
        lambda s: services().retention.destructions.looks.waiting(s, identity()),
    ),
    Wait(
        mark("destructions that you may object to"), "destructions.every",
        lambda s: services().retention.destructions.looks.to_object(s, identity()), {"state": "cooling"}, READERS,
    ),
    Wait(
        mark("findings of audits to mend"), "audit_findings.every",
        lambda s: services().retention.audits.looks.to_mend(s, identity()), {"state": "open"},
    ),
    Wait(
        mark("mended findings to look at"), "audit_findings.every",
        lambda s: services().retention.audits.looks.to_look(s, identity()), {"state": "mended"},
        who=frozenset({Role.AUDIT_ADMIN}),
    ),
    Wait(
        mark("audits to be done within a month"), "audits.every",
        lambda s: services().retention.audits.looks.to_do(s, identity()), who=frozenset({Role.AUDIT_ADMIN}),
    ),
    Wait(
        mark("reviews of secrecy to decide"), "secrecy.reviews",
        lambda s: services().retention.reviews.count(s, identity()),
    ),
    Wait(
        mark("renewals to decide"), "renewals.every", lambda s: services().retention.renewals.count(s, identity()),
    ),
    Wait(
        mark("transfers to decide"), "transfers.every",
        lambda s: services().retention.transfers.count(s, identity()),
    ),
    Wait(
        mark("secrecy periods end or have ended"), "secrecy.board",
        lambda s: services().retention.secrecy.due(s, identity(), MOST_TOLD), who=frozenset({Role.SECRECY_OFFICER}),
    ),
    Wait(
        mark("records that panels propose to open or declassify"), "secrecy.board",
        lambda s: sum(map(len, services().retention.reviews.proposed(s, identity()).values())),
        who=frozenset({Role.SECRECY_OFFICER}),
    ),
    Wait(
        mark("records under appraisal wait for your opinion"), "appraisals.every",
        lambda s: services().retention.appraisals.judging.count(s, identity()),
    ),
    Wait(
        mark("records of which an appraisal asks you"), "consulting.mine",
        lambda s: services().retention.appraisals.consulting.count(s, identity()),
    ),
    Wait(
        mark("vital records to review"), "vital.waiting", lambda s: services().vital.due(s, identity()), {"due": "1"}
    ),
    Wait(
        mark("questions why a number is not open"), "why.ask", lambda s: services().questions.count(s, identity()),
        who=EXPLAINERS,
    ),
    Wait(mark("files put aside"), "put_aside.waiting", _put_aside),
    Wait(
        mark("papers to be moved"), "placing.to_move",
        lambda s: services().shelving.placing.count_to_move(s, identity(), MOST_TOLD), charged=True,
    ),
)  # fmt: skip


def waiting(session: Session, *, charged: bool) -> list[Waiting]:
    """Return what waits for the person, what is late first; ``charged``: whether they keep papers."""
    mine = [
        each for each in WAITS if (each.who is None or each.who & identity().roles) and (charged or not each.charged)
    ]
    counted = [(each.count(session), each) for each in sorted(mine, key=lambda each: not each.late)]
    return [
        Waiting(
            filters.count(count, min(each.most or MOST_TOLD, MOST_TOLD)),
            _(each.words),
            url_for(each.endpoint, **each.more),
            each.late,
        )
        for count, each in counted
        if count
    ]
