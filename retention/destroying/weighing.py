"""What is known only when the lorry comes: what the paper weighs, and who takes it away.

Method, place, contractor and estimated weight are what people agreed to: they stay as they were asked for.
"""

from uuid import UUID

from archive.errors import Conflict, Ended, Fault, InvalidInput, NotAllowed
from archive.identity import Identity
from archive.model import Destruction, DestructionMethod, Duty
from retention.destroying.means import Means, locked, required, say
from retention.destroying.rules import WEIGHED_IN, require_state
from retention.destroying.tally import duties

LONGEST = 200
LONGEST_WEIGHT = 40


class Weighing:
    """Noting how paper went."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def note(self, identity: Identity, key: UUID, version: int, weighed: str, taken_by: str = "") -> None:
        """Note the weight, in words with its unit, and who took the paper away; a later note takes the place of this.

        Who asked or runs it may, from the confirmation until the first signature at the end: what is signed for stays.

        Raises:
            NotFound, NotAllowed, Ended: there is none for them; they neither asked for it nor run it; it is too early,
                or somebody has signed at the end.
            Conflict: another changed it meanwhile.
            InvalidInput: ``weighed`` (required; too long; files alone are deleted), ``taken_by``.
        """
        means, weight, taker = self._means, weighed.strip(), taken_by.strip()
        faults = [] if weight else [Fault("weighed", "required")]
        limits = (("weighed", weight, LONGEST_WEIGHT), ("taken_by", taker, LONGEST))
        faults += [
            Fault(name, "too_long", {"limit": limit, "length": len(text)})
            for name, text, limit in limits
            if len(text) > limit
        ]
        with means.guard.refusals(identity), means.db.writing() as work:
            session = work.session
            locked(session, key)
            row, part = required(means, session, identity, key)
            if not part.duties & {Duty.ASKER, Duty.EXECUTOR}:
                raise NotAllowed(act="destruction.weigh")
            require_state(row, "destruction.weigh", *WEIGHED_IN)
            if any(each.after for each in duties(session, key)):
                raise Ended(state=row.state.value, act="destruction.weigh")
            if row.version != version:
                raise Conflict(what="destruction")
            if row.method is DestructionMethod.DELETION:
                faults.append(Fault("weighed", "nothing_to_weigh"))
            if faults:
                raise InvalidInput(*faults)
            before = {"weighed": row.weighed, "taken_by": row.taken_by}
            row.weighed, row.taken_by, row.version = weight, taker or None, row.version + 1
            after = {"weighed": row.weighed, "taken_by": row.taken_by}
            say(means, session, identity, "weigh", row, before=before, after=after)
            work.commit()


def forget_weight(row: Destruction) -> None:
    """Let go of what was weighed: something was taken out of the pile."""
    row.weighed = row.taken_by = None
