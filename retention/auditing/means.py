"""What the acts on audits share: what they are given, and what is sealed under an audit's key."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from archive.clock import Clock
from archive.database import Database
from archive.errors import Fault, InvalidInput, NotFound
from archive.identity import Identity
from archive.log.writer import Log
from archive.model import Audit
from archive.policy.guard import Guard
from archive.policy.rules import Act
from archive.ports import Vault
from archive.reminding.deadlines import Deadlines
from archive.reminding.messages import Messages
from retention.auditing.facts import Counting

LONGEST = 2000
"""Characters of what is said of a point, a finding or a measure."""


@dataclass(frozen=True)
class Means:
    """What acts on audits are done with."""

    db: Database
    guard: Guard
    vault: Vault
    log: Log
    clock: Clock
    deadlines: Deadlines
    messages: Messages
    counting: Counting


def required(means: Means, session: Session, identity: Identity, key: UUID) -> Audit:
    """Return an audit, for who audits. Raises ``NotAllowed``, ``NotFound``."""
    means.guard.require_house(session, identity, Act.AUDIT)
    row = session.get(Audit, key)
    if row is None:
        raise NotFound
    return row


def words_checked(*, must: bool = True, **texts: str) -> dict[str, str]:
    """Return texts without white space around them. Raises ``InvalidInput`` with the name of each at fault."""
    faults = []
    for name, text in texts.items():
        if must and not text.strip():
            faults.append(Fault(name, "required"))
        elif len(text.strip()) > LONGEST:
            faults.append(Fault(name, "too_long", {"limit": LONGEST, "length": len(text.strip())}))
    if faults:
        raise InvalidInput(*faults)
    return {name: text.strip() for name, text in texts.items()}


def seal(means: Means, session: Session, audit: UUID, what: str, values: Mapping[str, Any]) -> bytes:
    """Seal what is said in an audit under its key."""
    data = json.dumps(values, ensure_ascii=False).encode()
    return means.vault.seal(session, audit, data, context=f"audit:{audit.hex}:{what}")


def opened(means: Means, session: Session, sealed: Sequence[tuple[UUID, str, bytes]]) -> Sequence[Mapping[str, Any]]:
    """Open what ``seal`` sealed: audit, what, and bytes of each."""
    found = means.vault.open_many(session, [(audit, data, f"audit:{audit.hex}:{what}") for audit, what, data in sealed])
    return [json.loads(each) if each else {} for each in found]


def say(means: Means, session: Session, identity: Identity, act: str, row: Audit, **more: Any) -> None:
    """Write an act on an audit into the log, under its key."""
    session.flush()
    body = {"audit": row.number, "state": row.state.value, **more}
    means.log.note(session, identity, f"audit.{act}", subject=row.id, body=body)
