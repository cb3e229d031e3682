"""Named places where a fault test can make the process die, fail or wait.

Off unless armed; ``reach`` is then one dictionary look-up. Used by the fault harness to prove that a crash at each
step of an act loses nothing.
"""

import os
import signal
from enum import StrEnum
from typing import Final


class Effect(StrEnum):
    """What an armed failpoint does."""

    KILL = "kill"
    RAISE = "raise"


class Injected(Exception):
    """An injected failure."""


INTAKE: Final = (
    "record.created",
    "intake.received",
    "intake.piece_put",
    "intake.object_put",
    "intake.before_commit",
    "intake.stored",
    "job.claimed",
    "extract.before_commit",
    "extract.done",
    "unpack.before_commit",
    "unpack.group_done",
    "index.remembered",
    "index.before_commit",
    "index.written",
    "job.before_end",
    "filing.before_commit",
    "filing.done",
    "seal.before_commit",
)
"""The steps of an intake, in order."""

BACKUP: Final = ("backup.database", "backup.manifest", "restore.rows", "restore.objects", "restore.told")
"""Steps of a backup and of a restore."""

MOVE: Final = (
    "move.objects",
    "move.indexed",
    "move.closed",
    "move.rows",
    "move.followed",
    "move.left",
    "move.arrived",
    "move.opened",
    "move.undo",
)
"""Steps of a move."""

FIRST_RUN: Final = ("secrets.written", "secrets.kept")
"""Steps of making the secrets of a house in containers."""

MESSAGES: Final = ("due.planned", "due.written", "message.sending", "message.sent")
"""Steps of telling people what is due."""

ATTACHED: Final = ("attachment.announced", "attachment.put")
"""Steps of taking an attachment in."""

EXCERPT: Final = ("excerpt.begun",)
"""Steps of making an excerpt."""

BULK: Final = ("bulk.changed", "bulk.moved")
"""Steps of an edit of many records."""

DESTRUCTION: Final = (
    "destroy.batch",
    "destroy.before_commit",
    "destroy.removed",
    "destroy.objects",
    "destroy.rows_done",
    "destroy.rewrapped",
    "destroy.packed",
    "destroy.keys",
    "destroy.scrubbed",
    "destroy.expunged",
    "destroy.proved",
    "destroy.gone",
)
"""Steps of a destruction, in order."""
SECRECY: Final = ("secrecy.part_done",)
"""Steps of what a review of secrecy decided."""

TRANSFER: Final = ("transfer.record_packed", "transfer.part_kept", "transfer.record_received", "transfer.taken_in")
"""Steps of handing over and taking over."""

EVERY: Final = frozenset(
    INTAKE + BULK + SECRECY + TRANSFER + BACKUP + MOVE + FIRST_RUN + MESSAGES + DESTRUCTION + ATTACHED + EXCERPT
)

_armed: dict[str, Effect] = {}


def arm(spec: str) -> None:
    """Arm failpoints from ``name:effect[,name:effect …]``; an empty text disarms all.

    Raises:
        ValueError: an unknown name or effect.
    """
    _armed.clear()
    for part in filter(None, spec.split(",")):
        name, _, effect = part.partition(":")
        if name not in EVERY:
            raise ValueError(name)
        _armed[name] = Effect(effect)


def reach(name: str) -> None:
    """Say that the process is at ``name``; do what is armed there."""
    effect = _armed.get(name)
    if effect is Effect.KILL:
        os.kill(os.getpid(), signal.SIGKILL)
    elif effect is Effect.RAISE:
        raise Injected(name)
