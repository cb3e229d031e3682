"""Which records a number was given to, however it is written."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from archive.model import Fonds, IssuedNumber
from archive.spelling import number_key, number_words

_MOST = 100
"""Numbers that are looked at: more than this differ in nothing but their fonds or separators only by mistake."""


@dataclass(frozen=True)
class Holder:
    """A record that a number was given to.

    ``apart`` is 0 for the number as written, 1 when the marks between its words differ, 2 when they stand elsewhere or
    are left out.
    """

    record_id: UUID
    name: str
    apart: int


def holders(session: Session, written: str) -> Sequence[Holder]:
    """Return whom ``[FONDS:]NUMBER`` may mean, the nearest first. ``name`` of each is ``FONDS:NUMBER``."""
    prefix, colon, rest = unicodedata.normalize("NFKC", written).partition(":")
    fonds = prefix.strip().casefold() if colon else None
    meant = IssuedNumber.folded == number_key(written)
    if fonds is not None:
        meant = or_(meant, and_(func.lower(Fonds.code) == fonds, IssuedNumber.folded == number_key(rest)))
    query = (
        select(Fonds.code, IssuedNumber.number, IssuedNumber.record_id)
        .join(Fonds, Fonds.id == IssuedNumber.fonds_id)
        .where(meant)
        .order_by(Fonds.code, IssuedNumber.number)
    )
    found = []
    for code, number, record_id in session.execute(query.limit(_MOST)):
        whole = f"{code}:{number}"
        ways = (whole, number) if fonds == code.casefold() else (number,)
        found.append(Holder(record_id, whole, min(_apart(written, way) for way in ways)))
    return sorted(found, key=lambda holder: holder.apart)


def _apart(written: str, number: str) -> int:
    if written == number:
        return 0
    return 1 if number_words(written) == number_words(number) else 2
