"""What the pages of requests share: what was decided as the form says it, and what is said then."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from flask import flash, request
from flask_babel import gettext as _

from archive.model import ApprovalState
from web.services import identity

_T = TypeVar("_T")


def decide_as_typed(decide: Callable[..., _T], key: UUID) -> _T:
    """Have a request approved or refused, as the form says, with its reason; return what ``decide`` does."""
    approve = request.form.get("decision") == "approve"
    return decide(identity(), key, request.form.get("reason", ""), approve=approve)


def say_decided(state: ApprovalState, *, approved: str, refused: str) -> None:
    """Say where a request stands after a person's word."""
    told = {ApprovalState.APPROVED: approved, ApprovalState.REFUSED: refused}
    flash(told.get(state, _("Your yes is noted; others decide after you.")))
