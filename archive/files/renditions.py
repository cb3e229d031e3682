"""Searchable renditions of scans: of which contents one may be made, is being made, or is there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID, uuid5

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from archive.model import (
    Content,
    ContentState,
    File,
    FileRole,
    Job,
    JobKind,
    JobState,
    ScannedPage,
    ScanState,
    TextState,
)

PAGE = "page"
"""In the payload of a rendition job: the last page that is done."""

UNREAD = and_(File.role == FileRole.RENDITION, Content.text_state == TextState.NO_TEXT, Content.text_version == 0)
"""A rendition made here: its words are those of its original, which alone is read and searched."""


class RenditionState(StrEnum):
    """How a content stands to its rendition. ``none``: it is no scan whose pages were all read."""

    NONE = "none"
    POSSIBLE = "possible"
    WAITING = "waiting"
    MADE = "made"


@dataclass(frozen=True)
class RenditionStands:
    """The state, and how many pages of a waiting rendition are done."""

    state: RenditionState
    page: int = 0


def rendition_file(content_id: UUID) -> UUID:
    """Return the id of the file that holds a content's rendition, once there is one."""
    return uuid5(content_id, "rendition:file")


def rendition_content(content_id: UUID) -> UUID:
    """Return the id of the content that is a content's rendition, once there is one."""
    return uuid5(content_id, "rendition:content")


def renditions_of(session: Session, contents: Sequence[Content]) -> Mapping[UUID, RenditionStands]:
    """Return how contents stand to their renditions. The caller has asked whether they may be seen."""
    scans = [content for content in contents if _is_whole(content)]
    if not scans:
        return {}
    ids = [content.id for content in scans]
    tried = func.count().filter(ScannedPage.state != ScanState.WAITING)
    read = func.count().filter(ScannedPage.confidence.is_not(None))
    counted = select(ScannedPage.content_id, tried, read).where(ScannedPage.content_id.in_(ids))
    pages = {key: (done, words) for key, done, words in session.execute(counted.group_by(ScannedPage.content_id))}
    there = set(session.scalars(select(File.id).where(File.id.in_([rendition_file(key) for key in ids]))))
    busy = Job.state.in_((JobState.QUEUED, JobState.RUNNING))
    asked = select(Job.subject_id, Job.payload).where(Job.kind == JobKind.RENDITION, Job.subject_id.in_(ids), busy)
    waiting = {key: payload for key, payload in session.execute(asked)}  # noqa: C416  (rows are no pairs to mypy)
    found: dict[UUID, RenditionStands] = {}
    for content in scans:
        done, words = pages.get(content.id, (0, 0))
        if rendition_file(content.id) in there:
            found[content.id] = RenditionStands(RenditionState.MADE)
        elif content.id in waiting:
            found[content.id] = RenditionStands(RenditionState.WAITING, int(waiting[content.id].get(PAGE, 0)))
        elif words and done == content.pages:
            found[content.id] = RenditionStands(RenditionState.POSSIBLE)
    return found


def _is_whole(content: Content) -> bool:
    """Whether a content is stored, has a text and no virus."""
    kept = content.state is ContentState.STORED and content.text_state is TextState.TEXT
    return kept and content.virus is None
