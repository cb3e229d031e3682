"""Texts derived at a lower level: the titles that readers of that level will see, one of each record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.errors import Fault
from archive.model import (
    Approval,
    ApprovalState,
    Record,
    RecordState,
    SecrecyOutcome,
    SecrecyReview,
    SecrecyReviewItem,
    SecrecyVerdict,
)
from archive.ports import Vault
from archive.spelling import number_key

MOST_DERIVED = 100
"""Records of one review that derives texts: each has a title that a person reads and decides on."""

LONGEST_TITLE = 500
_MOST_TOLD = 10


@dataclass(frozen=True)
class ToTitle:
    """Filed records that a review may derive texts from, by number, at most ``MOST_DERIVED``.

    Left out, as counts: ``busy``, which are under review; ``behind``, more than one review takes; ``unfit``, which are
    not filed, not there or not this person's to review.
    """

    records: Sequence[Record]
    busy: int
    behind: int
    unfit: int


def titles_of(ids: Sequence[UUID], title: str, titles: Mapping[UUID, str]) -> Mapping[UUID, str]:
    """Return the title of each record, stripped; ``title`` is that of a single one."""
    found = {key: titles.get(key, "").strip() for key in ids}
    if len(ids) == 1 and title.strip():
        found[ids[0]] = title.strip()
    return found


def title_faults(records: Sequence[Record], titles: Mapping[UUID, str]) -> list[Fault]:
    """Return what is wrong with the titles of derived texts.

    Each record needs one, none is too long, and none is its original's own, which its readers may not see.
    """
    lacking = [each for each in records if not titles[each.id]]
    same = [each for each in records if titles[each.id] and same_title(titles[each.id], each.title)]
    long = [each for each in records if len(titles[each.id]) > LONGEST_TITLE]
    if len(records) == 1:
        length = len(titles[records[0].id])
        faults = [Fault("title", "required")] if lacking else []
        faults += [Fault("title", "derived_title_same")] if same else []
        return faults + ([Fault("title", "too_long", {"limit": LONGEST_TITLE, "length": length})] if long else [])
    faults = []
    if len(records) > MOST_DERIVED:
        faults.append(Fault("records", "out_of_range", {"low": 1, "high": MOST_DERIVED}))
    if lacking:
        faults.append(Fault("titles", "derived_titles_lacking", {"count": len(lacking), "numbers": numbers(lacking)}))
    if same:
        faults.append(Fault("titles", "derived_titles_same", {"numbers": numbers(same)}))
    if long:
        faults.append(Fault("titles", "derived_titles_too_long", {"limit": LONGEST_TITLE, "numbers": numbers(long)}))
    return faults


def asked_titles(titles: Mapping[UUID, str]) -> Mapping[str, Any]:
    """Return what a request keeps of titles: that of a single record, which it is sealed with; of many their number."""
    if len(titles) == 1:
        return {"title": next(iter(titles.values())), "titles": 0}
    return {"title": "", "titles": len(titles)}


def seal_titles(session: Session, vault: Vault, review: UUID, titles: Mapping[UUID, str]) -> Mapping[UUID, bytes]:
    """Return the titles of many sealed, each under the key of its record, so that it goes with it."""
    if len(titles) == 1:
        return {}
    sealed = vault.seal_many(session, [(key, title.encode(), _context(review)) for key, title in titles.items()])
    return dict(zip(titles, sealed, strict=True))


def kept_titles(
    session: Session, vault: Vault, what: Mapping[str, Any], items: Sequence[SecrecyReviewItem]
) -> Mapping[UUID, str]:
    """Return the titles of derived texts by record; requests of old keep those of many themselves."""
    old = what["titles"] if isinstance(what.get("titles"), Mapping) else {}
    found = {each.record_id: title for each in items if (title := old.get(str(each.record_id)) or what["title"])}
    sealed = [(each.record_id, each.title, _context(each.review_id)) for each in items if each.title is not None]
    opened = vault.open_many(session, sealed)
    return found | {
        key: title.decode() for (key, _text, _named), title in zip(sealed, opened, strict=True) if title is not None
    }


def texts_of(
    session: Session, review: SecrecyReview, approval: Approval, items: Sequence[SecrecyReviewItem]
) -> tuple[int, int]:
    """Return how many derived texts these items of a review have or are still to have, and how many are filed."""
    approved = review.verdict is SecrecyVerdict.DERIVE and approval.state is ApprovalState.APPROVED
    ids = [each.derived_id for each in items if each.derived_id]
    filed = select(func.count()).select_from(Record).where(Record.id.in_(ids), Record.state == RecordState.FILED)
    waiting = sum(1 for each in items if each.outcome is SecrecyOutcome.WAITING) if approved else 0
    return len(ids) + waiting, session.scalar(filed) or 0


def _context(review: UUID) -> str:
    return f"derived-title:{review.hex}"


def same_title(title: str, other: str) -> bool:
    """Return whether two titles are the same but for case, width and marks."""
    return number_key(title) == number_key(other)


def numbers(records: Sequence[Record]) -> str:
    """Return the numbers of records, one after another; of more than ``10`` the first."""
    told = [each.archive_number or each.registration_number or "—" for each in records[:_MOST_TOLD]]
    return ", ".join(told) + (" …" if len(records) > len(told) else "")
