"""The report of an appraisal 鉴定意见书: numbers and verdicts, and titles of what whoever prints it reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archive.model import Stop, Verdict
from web.prints.papers import Words
from web.words import listed, mark
from web.words.appraisals import STOPS, VERDICTS
from web.words.records import word

APPRAISAL_REPORT = (
    ("serial", 6), ("number", 30), ("title", 50), ("fell_due", 12), ("verdict", 22), ("kept_until", 12),
    ("opinions", 60),
)  # fmt: skip


ADVISED = mark("asked, outside the panel, answered on %(day)s")
SILENT = mark("asked, outside the panel, without an answer")


@dataclass(frozen=True)
class Judged:
    """An item as it was judged. ``opinions``: the name of each member, what they said, until when, and why.

    ``advice``: the name of each outside the panel who was asked, the day of the answer ("": none came), and its words.
    """

    number: str
    title: str
    due: str
    verdict: Verdict | None
    until: str
    stopped: Stop | None
    opinions: Sequence[tuple[str, Verdict, str, str]] = ()
    advice: Sequence[tuple[str, str, str]] = ()


@dataclass(frozen=True)
class Report:
    """A closed appraisal, with the mark of the highest level of what it names."""

    number: str
    purpose: str
    panel: Sequence[tuple[str, bool]]
    begun: str
    closed: str
    digest: str
    items: Sequence[Judged]
    level_rank: int = 0
    level: str = ""
    shape: str = ""


def appraisal_reports(given: Sequence[Report], words: Words) -> list[dict[str, Any]]:
    """Return a sheet for each."""
    return [_report(each, words) for each in given]


def _report(given: Report, words: Words) -> dict[str, Any]:
    def count(verdict: Verdict | None) -> str:
        return str(sum(each.verdict is verdict for each in given.items))

    return {
        "level_rank": given.level_rank,
        "level": given.level,
        "shape": given.shape,
        "number": given.number,
        "purpose": given.purpose,
        "chair": listed((name for name, chair in given.panel if chair), words.locale),
        "members": listed((name for name, chair in given.panel if not chair), words.locale),
        "begun": given.begun,
        "closed": given.closed,
        "digest": given.digest,
        "counts": {
            "all": str(len(given.items)),
            "destroy": count(Verdict.DESTROY),
            "keep": count(Verdict.KEEP),
            "transfer": count(Verdict.TRANSFER),
            "open": count(Verdict.OPEN),
            "declassify": count(Verdict.DECLASSIFY),
            "none": count(None),
        },
        "rows": [{"serial": str(at), **_row(each, words)} for at, each in enumerate(given.items, 1)],
    }


def _row(each: Judged, words: Words) -> Mapping[str, str]:
    said = [
        " ".join(part for part in (f"{name}:", word(VERDICTS, verdict, words.locale), until, why) if part)
        for name, verdict, until, why in each.opinions
    ]
    said += [
        " ".join(
            part for part in (f"{name}:", words.said(ADVISED, day=day) if day else words.said(SILENT), text) if part
        )
        for name, day, text in each.advice
    ]
    verdict = word(VERDICTS, each.verdict, words.locale) if each.verdict else ""
    return {
        "number": each.number,
        "title": each.title,
        "fell_due": each.due,
        "verdict": verdict or (word(STOPS, each.stopped, words.locale) if each.stopped else ""),
        "kept_until": each.until,
        "opinions": "\n".join(said),
    }
