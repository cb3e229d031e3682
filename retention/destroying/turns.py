"""Whose turn it is: what a person may do with a destruction as it stands. Pages offer only this; the acts ask again."""

from collections.abc import Sequence

from archive.model import Destruction, DestructionDuty, DestructionMethod, DestructionState, Duty
from retention.destroying.means import Part
from retention.destroying.rules import APPOINTED, BEFORE_RUNNING, OPEN, WEIGHED_IN, signs_after, signs_before


def before_running(row: Destruction, part: Part, *, confirms: bool, over: bool) -> set[str]:
    """Return what may be done until it runs. ``confirms``: it is their duty in the house; ``over``: it cooled off."""
    asker, state, acts = Duty.ASKER in part.duties, row.state, set[str]()
    if asker and state is DestructionState.DRAFT:
        acts |= {"ask", "change"}
    if asker and state in BEFORE_RUNNING and state is not DestructionState.COUNTED:
        acts.add("appoint")
    if state in BEFORE_RUNNING and (asker or confirms):
        acts.add("withdraw")
    if part.decides:
        acts.add("decide")
    if state is DestructionState.COOLING:
        acts.add("object")
        if confirms and over and not part.duties:
            acts.add("confirm")
    return acts


def counting_and_after(row: Destruction, part: Part, mine: Sequence[DestructionDuty], *, signed: bool) -> set[str]:
    """Return what those with a duty may do from the count on.

    ``mine``: the duties that were given to them; ``signed``: somebody has signed at the end.
    """
    state, acts = row.state, set[str]()
    paper = row.method is not DestructionMethod.DELETION
    if paper and state in WEIGHED_IN and not signed and part.duties & {Duty.ASKER, Duty.EXECUTOR}:
        acts.add("weigh")
    if state is DestructionState.CONFIRMED and part.duties & set(APPOINTED):
        acts.add("scan")
        acts |= {"sign" for each in mine if signs_before(each.duty) and each.before is None}
    if state is DestructionState.COUNTED and Duty.EXECUTOR in part.duties:
        acts.add("run")
    if state is DestructionState.GONE:
        acts |= {"sign" for each in mine if signs_after(each.duty) and each.after is None}
    if state in {DestructionState.CONFIRMED, DestructionState.GONE} and part.duties & {Duty.ASKER, Duty.EXECUTOR}:
        acts |= {"sign_for", "take_code"} if Duty.EXECUTOR in part.duties else {"sign_for"}
    if state in OPEN and part.duties & {Duty.ASKER, *APPOINTED}:
        acts.add("attach")
    return acts
