"""The one table of rules: which act is open to whom, and on which records.

``condition(act, reach)`` turns the table and a reach into a condition over the facts of a record; the same condition
is evaluated in Python, compiled to SQL and compiled to the engines' filters. No rule, no rows: an act without a rule
that fits the person's roles gives ``NEVER``.

Decisions that the table makes:

* Reading needs a reading role, the clearance, and one of three holds: grant and distribution, being named, or an
  approved loan; under need-to-know only the last two.
* Staff, approvers and secrecy officers read what is filed. Archivists read provisional and binned records by the same
  holds. A clerk reads, besides, what waits to be filed in their own departments or was handed in by themselves, if
  cleared for it and not under need-to-know.
* Custody shows number, place, dates and acts of what is filed: the three officers for every level, a custodian for
  the levels entrusted to them. It never opens content.
* A filed record's description changes by a correction: whoever reads it may ask, an archivist or approver who reads it
  too decides, never on what they asked for themselves.
* Copies are kept by those who prepare a record and, once it is filed, by an archivist who reads it. They are shelved by
  such an archivist, and by the custodian of the record's level, who does not read it. The same two say what is missing
  or held back.
* A destruction is asked for by an archivist, decided by the house's route, confirmed by another of four roles, and run
  by whom it names. Its lists and the register of what is gone are seen by these, and by the three officers.
* Stock is taken by archivists and by whoever keeps custody of a level, of what they shelve.
* Shelves are seen by archivists, by whoever keeps custody of a level, and by the three officers.
* Who sits on the panel of an appraisal may be shown the records on its list that they are cleared for, under
  need-to-know those alone that they are named on; ``JUDGE`` is asked of members, and of nobody else.
* Who reads a record by a loan alone looks at its files on the page; they are taken away only where that was approved.
* Of a filed record an archivist who reads it by more than a loan sees the files as they are. All others see, and take
  away, copies that say whose they are.
* Whoever reads a filed record may ask for a loan of it. An archivist who reads it and the custodian of its level lend
  it and take it back; who decides on a loan is a matter of the house's routes, among those who see the record.
* A filed record's level is only raised, by a secrecy officer who may read it, and never above anyone's own clearance.
* A part of the system (``Reach.system``) reads nothing here; it may catalogue, file, bin and shelve what the machine's
  operator imports, and do the house's acts except reading the log.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from archive.identity import OFFICERS, Role
from archive.model import RecordState
from archive.policy.condition import ALWAYS, NEVER, All, AnyOf, Condition, Has, Within, has
from archive.policy.reach import Reach


class Act(StrEnum):
    """What is asked for. The value is the act's name in the log."""

    READ = "record.read"
    READ_CONTENT = "file.read"
    CUSTODY = "record.custody"
    SEE = "record.see"  # either of reading and custody: that the record is there, its number, its acts
    CREATE = "record.create"  # asked of the facts that the record would have
    DESCRIBE = "record.describe"
    FILE = "record.file"
    BIN = "record.bin"
    RESTORE = "record.restore"
    SET_LEVEL = "record.set_level"
    ASK_CORRECTION = "correction.ask"
    DECIDE_CORRECTION = "correction.decide"
    ARRANGE = "dossier.arrange"  # to put a dossier's items in order, or an item into one and out of it
    RELATE = "record.relate"  # to say how a record belongs to others
    ACCEPT = "file.accept"  # to keep a file that was put aside as it is
    VITAL = "record.vital"  # to mark as one without which the house could not go on
    RENDER = "file.render"  # to have a rendition made of a file, which changes nothing of it
    KEEP_COPIES = "copy.keep"  # to say which copies there are
    TAKE = "file.take"  # to take a file away, not only look at it
    ORIGINAL = "file.original"  # to see and take a file as it is; others get marked copies
    ASK_LOAN = "loan.ask"
    LEND = "loan.issue"  # to hand it out and take it back, and to see whom it is with
    SHELVE = "copy.place"  # to put a copy on a shelf, or note whom it is with
    BLOCK = "block.set"  # to say that a record or a copy is missing or held back, or no longer
    CHECK = "check.do"  # to hold a record against its paper

    SET_SCHEDULE = "record.set_schedule"  # to give a record another schedule than its category's
    RENEW = "record.renew"  # to propose that a record be kept longer than its term says; others decide
    ENTER_EVENT = "event.enter"  # to say what started a record's clock, or that it did not
    ENTER_MATTER = "matter.open"  # to say what of it is not settled yet, and that it is
    JUDGE = "appraisal.judge"  # asked of those who sit on a panel: to be shown it, and its files, for that

    MANAGE_PEOPLE = "person.manage"
    MANAGE_RIGHTS = "right.manage"
    MANAGE_LEVELS = "level.manage"
    MANAGE_SCHEME = "scheme.manage"
    MANAGE_FORMS = "form.manage"  # templates of printed forms: what stands in them is sample data
    RUN_SYSTEM = "system.manage"
    SEE_JOBS = "job.see"
    REREAD = "file.reread"  # to have files read again, each of what they may read, or all who runs the system
    SEE_STORE = "store.see"  # how stored bytes stand: checked when, found how; nothing of records
    READ_LOG = "log.read"
    VERIFY_LOG = "log.verify"
    MANAGE_SHELVES = "shelf.manage"
    SEE_SHELVES = "shelf.see"
    MANAGE_ROUTES = "route.manage"  # who decides on what is asked for
    MANAGE_LOANS = "loan.manage"  # periods, limits and purposes
    SEE_LOAN_FIGURES = "loan.figures"  # counts of loans, over what someone sees
    TRACE = "copy.trace"  # to learn whose copy a picture or a PDF is
    SEE_LOANS = "loan.see"  # the counter and the register; each row by its record's rule
    TAKE_STOCK = "stocktaking.take"
    MANAGE_CHECKS = "check.manage"
    SEE_SCHEDULES = "schedule.see"
    DRAFT_SCHEDULES = "schedule.draft"
    DECIDE_SCHEDULES = "schedule.decide"
    SEE_HOLDS = "hold.see"
    MANAGE_HOLDS = "hold.manage"
    SEE_DESTRUCTIONS = "destruction.see"  # the lists, and the register of what was destroyed
    ASK_DESTRUCTION = "destruction.ask"
    CONFIRM_DESTRUCTION = "destruction.confirm"  # once the cooling-off is over, by one who had no part in it yet
    SEE_TRANSFERS = "transfer.see"  # transfers to other archives; each row by its record's rule
    MANAGE_TRANSFERS = "transfer.manage"
    SEE_SECRECY = "secrecy.see"  # what is secret until when, and its reviews; each row by its record's rule
    SEE_APPRAISALS = "appraisal.see"  # besides those on whose panel one sits
    BEGIN_APPRAISALS = "appraisal.begin"
    AUDIT = "audit.do"  # to plan audits, answer their points, and follow up what they found


READERS = frozenset(Role) - OFFICERS
"""Roles that may read records at all."""

PROVISIONAL, FILED, BINNED = (
    has("state", state.value) for state in (RecordState.PROVISIONAL, RecordState.FILED, RecordState.BINNED)
)
OPEN = has("need_to_know", False)  # noqa: FBT003  (a value among others)


def both(*parts: Condition) -> Condition:
    """Every part holds; parts that can never hold are noticed at once, so that empty rights ask no engine."""
    kept = tuple(part for part in parts if part != ALWAYS)
    if any(_is_never(part) for part in kept):
        return NEVER
    return kept[0] if len(kept) == 1 else All(kept)


def either(*parts: Condition) -> Condition:
    """One part at least holds; parts that can never hold are left out."""
    kept = tuple(part for part in parts if not _is_never(part))
    if ALWAYS in kept:
        return ALWAYS
    return kept[0] if len(kept) == 1 else AnyOf(kept)


def _is_never(part: Condition) -> bool:
    return (
        part == NEVER or (isinstance(part, Has) and not part.values) or (isinstance(part, Within) and not part.prefixes)
    )


# What a reach holds of a record, in the words of the requirement


def _cleared(reach: Reach) -> Condition:
    return Has("level", reach.levels)


def granted(reach: Reach) -> Condition:
    """Return the condition that a grant opens the fonds, the category or the place of a record."""
    return either(Has("fonds", reach.fonds), Has("category", reach.categories), Within("place", reach.places))


def _named(reach: Reach) -> Condition:
    return _own("named", reach)


def _own(fact: str, reach: Reach) -> Condition:
    return NEVER if reach.person_id is None else has(fact, reach.person_id)


def _holds(reach: Reach) -> Condition:
    """Cleared, and one of the three holds."""
    distributed = Has("level", reach.levels & reach.distributed)
    return both(
        _cleared(reach),
        either(both(OPEN, distributed, granted(reach)), _named(reach), Has("record", reach.loans)),
    )


def _waits_at_clerk(reach: Reach) -> Condition:
    at_hand = either(Has("department", reach.departments), _own("created_by", reach))
    return both(_cleared(reach), OPEN, PROVISIONAL, at_hand)


def _in(*states: Condition) -> Callable[[Reach], Condition]:
    return lambda reach: both(either(*states), _holds(reach))


def _takes(reach: Reach) -> Condition:
    return both(FILED, _holds(replace(reach, loans=reach.copied)))


def _keeps(reach: Reach) -> Condition:
    return both(FILED, _holds(replace(reach, loans=frozenset())))


def _clerk_creates(reach: Reach) -> Condition:
    return both(_cleared(reach), OPEN, Has("department", reach.departments))


def _archivist_creates(reach: Reach) -> Condition:
    distributed = Has("level", reach.levels & reach.distributed)
    return both(_cleared(reach), granted(reach), either(both(OPEN, distributed), _named(reach)))


def _judges(reach: Reach) -> Condition:
    return both(FILED, _cleared(reach), either(OPEN, _named(reach)))


def _entrusted(reach: Reach) -> Condition:
    return both(FILED, Has("level", reach.custody))


@dataclass(frozen=True)
class Rule:
    """One line of the table: ``who`` (any of these roles; None: every active person) may on which records."""

    who: frozenset[Role] | None
    when: Callable[[Reach], Condition] = lambda _reach: ALWAYS


def _only(*roles: Role) -> frozenset[Role]:
    return frozenset(roles)


_READING = (
    Rule(READERS, _in(FILED)),
    Rule(_only(Role.ARCHIVIST), _in(PROVISIONAL, BINNED)),
    Rule(_only(Role.CLERK), _waits_at_clerk),
)
_CUSTODY = (Rule(OFFICERS, lambda _reach: FILED), Rule(None, _entrusted))
_PREPARING = (Rule(_only(Role.ARCHIVIST), _in(PROVISIONAL)), Rule(_only(Role.CLERK), _waits_at_clerk))

RULES: Mapping[Act, tuple[Rule, ...]] = {
    Act.READ: _READING,
    Act.READ_CONTENT: _READING,
    Act.TAKE: (Rule(READERS, _takes), *_READING[1:]),
    Act.ORIGINAL: (Rule(_only(Role.ARCHIVIST), _keeps), *_READING[1:]),
    Act.ASK_LOAN: (Rule(READERS, _in(FILED)),),
    Act.LEND: (Rule(_only(Role.ARCHIVIST), _in(FILED)), Rule(None, _entrusted)),
    Act.CUSTODY: _CUSTODY,
    Act.SEE: _READING + _CUSTODY,
    Act.CREATE: (Rule(_only(Role.ARCHIVIST), _archivist_creates), Rule(_only(Role.CLERK), _clerk_creates)),
    Act.DESCRIBE: _PREPARING,
    Act.FILE: (Rule(_only(Role.ARCHIVIST), _in(PROVISIONAL)),),
    Act.BIN: _PREPARING,
    Act.ACCEPT: (Rule(_only(Role.ARCHIVIST), _in(PROVISIONAL, FILED)),),
    Act.RELATE: (Rule(_only(Role.ARCHIVIST), _in(PROVISIONAL, FILED)),),
    Act.VITAL: (Rule(_only(Role.ARCHIVIST), _in(PROVISIONAL, FILED)),),
    Act.RENDER: (Rule(_only(Role.ARCHIVIST), _in(PROVISIONAL, FILED)),),
    Act.ASK_CORRECTION: (Rule(READERS, _in(FILED)),),
    Act.DECIDE_CORRECTION: (Rule(_only(Role.ARCHIVIST, Role.APPROVER), _in(FILED)),),
    Act.ARRANGE: (*_PREPARING, Rule(_only(Role.ARCHIVIST), _in(FILED))),
    Act.RESTORE: (Rule(_only(Role.ARCHIVIST), _in(BINNED)),),
    Act.KEEP_COPIES: (*_PREPARING, Rule(_only(Role.ARCHIVIST), _in(FILED))),
    Act.SHELVE: (Rule(_only(Role.ARCHIVIST), _in(PROVISIONAL, FILED)), Rule(None, _entrusted)),
    Act.BLOCK: (Rule(_only(Role.ARCHIVIST), _in(FILED)), Rule(None, _entrusted)),
    Act.CHECK: (Rule(_only(Role.ARCHIVIST), _in(FILED)),),
    Act.SET_SCHEDULE: (Rule(_only(Role.ARCHIVIST), _in(PROVISIONAL, FILED)),),
    Act.RENEW: (Rule(_only(Role.ARCHIVIST), _in(FILED)),),
    Act.ENTER_EVENT: (Rule(_only(Role.ARCHIVIST), _in(PROVISIONAL, FILED)),),
    Act.ENTER_MATTER: (Rule(_only(Role.ARCHIVIST), _in(PROVISIONAL, FILED)),),
    Act.JUDGE: (Rule(READERS, _judges),),
    Act.SET_LEVEL: (
        Rule(_only(Role.ARCHIVIST), _in(PROVISIONAL)),
        Rule(_only(Role.SECRECY_OFFICER), _in(FILED)),
    ),
}
"""Acts on records."""

HOUSE_RULES: Mapping[Act, frozenset[Role]] = {
    Act.MANAGE_PEOPLE: _only(Role.SECURITY_ADMIN),
    Act.MANAGE_RIGHTS: _only(Role.SECURITY_ADMIN),
    Act.MANAGE_LEVELS: _only(Role.SECRECY_OFFICER, Role.SECURITY_ADMIN),
    Act.MANAGE_SCHEME: _only(Role.ARCHIVIST, Role.SYSTEM_ADMIN),
    Act.MANAGE_FORMS: _only(Role.ARCHIVIST, Role.SYSTEM_ADMIN),
    Act.RUN_SYSTEM: _only(Role.SYSTEM_ADMIN),
    Act.SEE_JOBS: _only(Role.SYSTEM_ADMIN, Role.ARCHIVIST),
    Act.REREAD: _only(Role.SYSTEM_ADMIN, Role.ARCHIVIST),
    Act.SEE_STORE: _only(Role.SYSTEM_ADMIN, Role.ARCHIVIST, Role.AUDIT_ADMIN),
    Act.READ_LOG: _only(Role.AUDIT_ADMIN, Role.SECURITY_ADMIN),
    Act.VERIFY_LOG: _only(Role.AUDIT_ADMIN),
    Act.MANAGE_SHELVES: _only(Role.ARCHIVIST),
    Act.SEE_SHELVES: OFFICERS | _only(Role.ARCHIVIST),
    Act.MANAGE_ROUTES: _only(Role.SECRECY_OFFICER, Role.SECURITY_ADMIN),
    Act.MANAGE_LOANS: _only(Role.ARCHIVIST, Role.SECRECY_OFFICER),
    Act.TRACE: _only(Role.SECURITY_ADMIN),
    Act.SEE_LOANS: _only(Role.ARCHIVIST),
    Act.SEE_LOAN_FIGURES: _only(Role.ARCHIVIST, Role.APPROVER),
    Act.TAKE_STOCK: _only(Role.ARCHIVIST),
    Act.MANAGE_CHECKS: _only(Role.ARCHIVIST),
    Act.SEE_SCHEDULES: frozenset(Role),
    Act.DRAFT_SCHEDULES: _only(Role.ARCHIVIST),
    Act.DECIDE_SCHEDULES: _only(Role.ARCHIVIST, Role.APPROVER),
    Act.SEE_HOLDS: OFFICERS | _only(Role.ARCHIVIST, Role.APPROVER),
    Act.MANAGE_HOLDS: _only(Role.ARCHIVIST, Role.APPROVER),
    Act.SEE_DESTRUCTIONS: OFFICERS | _only(Role.ARCHIVIST, Role.APPROVER, Role.SECRECY_OFFICER),
    Act.ASK_DESTRUCTION: _only(Role.ARCHIVIST),
    Act.CONFIRM_DESTRUCTION: _only(Role.ARCHIVIST, Role.APPROVER, Role.SECRECY_OFFICER, Role.SECURITY_ADMIN),
    Act.SEE_TRANSFERS: _only(Role.ARCHIVIST, Role.APPROVER),
    Act.MANAGE_TRANSFERS: _only(Role.ARCHIVIST),
    Act.SEE_SECRECY: _only(Role.SECRECY_OFFICER, Role.ARCHIVIST, Role.APPROVER),
    Act.SEE_APPRAISALS: OFFICERS | _only(Role.ARCHIVIST, Role.APPROVER),
    Act.BEGIN_APPRAISALS: _only(Role.ARCHIVIST),
    Act.AUDIT: _only(Role.AUDIT_ADMIN),
}
"""Acts on the house."""

CUSTODIANS_ACTS = frozenset({Act.SEE_SHELVES, Act.TAKE_STOCK, Act.SEE_LOANS})
"""Acts on the house that are open, besides, to whoever keeps custody of a level."""

SYSTEM_RULES: Mapping[Act, Condition] = {
    Act.CREATE: ALWAYS,
    Act.DESCRIBE: PROVISIONAL,
    Act.FILE: PROVISIONAL,
    Act.BIN: PROVISIONAL,
    Act.KEEP_COPIES: either(PROVISIONAL, FILED),
    Act.SHELVE: FILED,
    Act.BLOCK: FILED,
}
SYSTEM_HOUSE_ACTS = frozenset(HOUSE_RULES) - {Act.READ_LOG, Act.ASK_DESTRUCTION, Act.CONFIRM_DESTRUCTION}


def condition(act: Act, reach: Reach) -> Condition:
    """Return the condition under which ``reach`` may do ``act`` on a record; ``NEVER`` when no rule fits."""
    if reach.system:
        return SYSTEM_RULES.get(act, NEVER)
    if reach.person_id is None:
        return NEVER
    fitting = [rule for rule in RULES.get(act, ()) if rule.who is None or rule.who & reach.roles]
    return either(*(rule.when(reach) for rule in fitting))


def may(act: Act, reach: Reach) -> bool:
    """Return whether ``reach`` may do an act on the house. An act on records is never open this way."""
    if reach.system:
        return act in SYSTEM_HOUSE_ACTS
    if reach.person_id is None:
        return False
    return bool(HOUSE_RULES.get(act, frozenset()) & reach.roles) or (act in CUSTODIANS_ACTS and bool(reach.custody))


def may_set_level(reach: Reach, facts: Mapping[str, Any], rank: int) -> bool:
    """Return whether the level of a record, on which SET_LEVEL is open, may become ``rank``.

    No one sets a level above their own clearance, and a filed record's level only rises here (lowering is
    published with an approval).
    """
    return rank in reach.levels and (facts["state"] == RecordState.PROVISIONAL.value or rank > facts["level"])


def reading_parts(reach: Reach) -> Mapping[str, Condition]:
    """Return the conditions that reading is made of, by name, so that a refusal can be explained part by part."""
    return {
        "cleared": _cleared(reach),
        "open": OPEN,
        "distributed": Has("level", reach.distributed),
        "granted": granted(reach),
        "named": _named(reach),
        "lent": Has("record", reach.loans),
        "filed": FILED,
    }
