"""Made data that a template is tried with: long and short words, many rows and none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

from archive.cataloguing.records import NO_RECORD
from archive.model import Record, RequiredPapers, StockState, Stocktaking, Stop, Tally
from archive.required.looking import Looked
from archive.required.standing import clocks, stand
from archive.required.template import shipped as shipped_templates
from archive.stocktaking.report import Figures, ItemShown, StocktakingView
from retention.appraising.verdicts import CHOICES
from web.prints.appraisals import Judged, Report
from web.prints.audits import sample as audit_sample
from web.prints.destruction import sample as destruction_sample
from web.prints.kinds import KINDS, Takes
from web.prints.label_sheets import sample_labels
from web.prints.later import CORRECTED, DESTROYED
from web.prints.papers import Holding, Paper, Words
from web.prints.reports import sample_loans, sample_report, sample_uses
from web.prints.required import Needs
from web.prints.transfer import Given as TransferGiven
from web.words import mark

ROWS = 30
"""More than fit on a page."""

SAMPLE_DAY = date(2026, 1, 31)

_TITLES = (
    mark("Contract for the upkeep of lifts"),
    mark("On the election of the owners' committee of the second phase, with the minutes of the meeting, the list of "
         "those present, the count of votes by building and unit, and the objections that were raised"),
    mark("Record of inspection"),
)  # fmt: skip
_FONDS = mark("Sample Property Management Ltd.")
_LEVEL = mark("sample level")


def sample(key: str, locale: str) -> dict[str, object]:
    """Return the data that the template of a form is tried with: a full sheet, then one with nothing known."""
    kind = KINDS[key]
    words = Words(locale, SAMPLE_DAY)
    full = [_paper(at, words) for at in range(1, ROWS + 1)]
    bare = [Paper("", 1, words.said(_LEVEL), "square", "X00")]
    given: tuple[Sequence[object], Sequence[object]]
    match kind.takes:
        case Takes.DOSSIERS:
            dossier = replace(_paper(2, words), dossier=True)
            later = [(SAMPLE_DAY.isoformat(), CORRECTED, full[0].number), (SAMPLE_DAY.isoformat(), DESTROYED, "X00-1")]
            given = [Holding(dossier, full, 1, 2, later)], [Holding(bare[0], [])]
        case Takes.REQUIRED:
            given = [_needs(words)], [Needs(bare[0])]
        case Takes.NOTHING:
            given = [None], [None]
        case Takes.ELSEWHERE:
            make = _ELSEWHERE[key]
            given = [make(ROWS, words)], [make(0, words)]
        case _:
            given = full if kind.columns or kind.takes is Takes.ITEMS else full[:2], bare
    return words.data(words.said(kind.words), [each for some in given for each in kind.sheets(some, words)])


def _paper(at: int, words: Words) -> Paper:
    return Paper(
        number=f"WY01-WYH·2024-D30-A{at:04}", level_rank=1 + at % 3, level=words.said(_LEVEL),
        shape=("square", "diamond", "triangle", "circle")[at % 4], fonds="WY01", fonds_name=words.said(_FONDS),
        title=words.said(_TITLES[at % 3]), registration=f"WY01-2024-{at:05}", document_number=f"〔2024〕{at}",
        responsible=words.said(_FONDS), drawn_up=f"2024-{1 + at % 12:02}-{1 + at % 28:02}", category=words.said(_FONDS),
        department="A01", term="D30", pages=at, medium="paper" if at % 2 else "electronic", filed="2024-12-31",
        size=at * 1_000_000, first=at, last=at + 1, id=str(at),
    )  # fmt: skip


def _stocktaking(rows: int) -> StocktakingView:
    begun = datetime(2026, 1, 31, 8, tzinfo=UTC)
    row = Stocktaking(path="K1-02", state=StockState.CLOSED, begun_at=begun, closed_at=begun)
    items = [
        ItemShown(
            UUID(int=at), UUID(int=at), f"WY01-WYH·2024-D30-A{at:04}", 1 + at % 2, tuple(Tally)[at % 4], "K1-02-1-01",
            "K1-02-3-05" if at % 2 else None, None, None,
        )
        for at in range(1, rows + 1)
    ]  # fmt: skip
    return StocktakingView(row, "X00", "X00", Figures(rows, rows, rows, 0, 0, 0, 0), may_take=False, items=items)


def _appraisal(rows: int, words: Words) -> Report:
    """Return a made report: every verdict, with opinions, stopped and without titles."""
    name = words.said(_FONDS)
    items = [
        Judged(
            f"WY01-WYH·2010-D10-A{at:04}",
            words.said(_TITLES[at % 3]) if at % 5 else "",
            "2021-01-01",
            (*CHOICES, None)[at % 6],
            "2031-01-01" if at % 6 == 1 else "",
            Stop.HELD if at % 6 == 5 else None,
            [(name, CHOICES[at % 5], "2031-01-01" if at % 5 == 1 else "", words.said(_TITLES[at % 3]))],
        )
        for at in range(1, rows + 1)
    ]
    panel = [(name, True), (name, False), (name, False)] if rows else []
    digest = "0" * 64 if rows else ""
    return Report("2026-0001", name, panel, "2026-01-31", "2026-02-28", digest, items, 1 if rows else 0)


def _transfer(rows: int, words: Words) -> TransferGiven:
    name = words.said(_FONDS)
    papers = [_paper(at, words) for at in range(1, rows + 1)]
    bag, day = ("0" * 64, SAMPLE_DAY.isoformat()) if rows else ("", "")
    return TransferGiven("YJ2026-0001", name, words.said(_TITLES[1]), bag, name if rows else "", day, papers)


def _needs(words: Words) -> Needs:
    """Return a dossier of the longest shipped template, with an item for every other paper."""
    template = max(shipped_templates().values(), key=lambda each: len(each.papers))
    facts: dict[str, object] = {each.code: True if each.kind == "yes_no" else "2026-01-05" for each in template.facts}
    there = {each.code: at % 2 for at, each in enumerate(template.papers)}
    row = RequiredPapers(dossier_id=NO_RECORD, template=template.code, template_version=0, facts=facts)
    dossier = replace(_paper(2, words), dossier=True)
    standing = stand(template, facts, there, (), linked=True)
    looked = Looked(Record(title=dossier.title), row, template, standing, {}, (), {}, clocks(template, facts), None)
    return Needs(dossier, looked)


def _loans(rows: int, words: Words) -> dict[str, object]:
    said = words.said(_FONDS) if rows else ""
    return sample_loans(rows, said, words.said(_TITLES[1]), SAMPLE_DAY.isoformat() if rows else "")


def _uses(rows: int, words: Words) -> dict[str, object]:
    said = words.said(_FONDS) if rows else ""
    return sample_uses(rows, said, words.said(_TITLES[1]), SAMPLE_DAY.isoformat() if rows else "")


_ELSEWHERE: Mapping[str, Callable[[int, Words], object]] = {
    "quality_report": lambda rows, words: sample_report(
        rows, words.said(_FONDS) if rows else "", words.said(_TITLES[0])
    ),
    "loan_register": _loans,
    "use_register": _uses,
    "loan_slip": _loans,
    "recall_notice": _loans,
    "labels": lambda rows, words: sample_labels(rows, words.said(_LEVEL)),
    "destruction_register": destruction_sample,
    "destruction_certificate": destruction_sample,
    "electronic_destruction": destruction_sample,
    "appraisal_report": _appraisal,
    "audit_report": lambda rows, words: audit_sample(rows, words.said(_FONDS), words.said(_TITLES[1])),
    "transfer_list": _transfer,
    "stocktaking_report": lambda rows, _words: (_stocktaking(rows), "UTC"),
}
"""What makes the data of a form that a page of its own prints, with so many rows."""
