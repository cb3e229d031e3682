"""Holding a post: the row and its deadline, in the transaction of whichever act gives it."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from archive.errors import Fault, InvalidInput
from archive.ids import new_id
from archive.model import DeadlineKind, Department, PersonPost, Post
from archive.reminding.deadlines import Deadlines


@dataclass(frozen=True)
class PostGiven:
    """A post in a department, from a day to a day (both included)."""

    post_id: UUID
    department_id: UUID
    since: date | None = None
    until: date | None = None

    def check(self) -> None:
        """Raise ``InvalidInput`` when its days are the wrong way round."""
        if self.since is not None and self.until is not None and self.until < self.since:
            raise InvalidInput(Fault("until", "before_since"))

    def told(self) -> dict[str, str | None]:
        """Return what the log says of it."""
        since, until = (None if day is None else day.isoformat() for day in (self.since, self.until))
        return {"post": str(self.post_id), "department": str(self.department_id), "since": since, "until": until}


def insert_post(session: Session, deadlines: Deadlines, person_id: UUID, given: PostGiven) -> PersonPost:
    """Let a person hold a checked post. Raises ``InvalidInput`` when post or department is not there."""
    for name, kind, key in (("post", Post, given.post_id), ("department", Department, given.department_id)):
        if session.get(kind, key) is None:
            raise InvalidInput(Fault(name, "unknown"))
    row = PersonPost(
        id=new_id(), person_id=person_id, post_id=given.post_id, department_id=given.department_id,
        since=given.since, until=given.until,
    )  # fmt: skip
    session.add(row)
    if given.until is not None:
        deadlines.set(session, DeadlineKind.POST_END, row.id, given.until)
    return row
