"""Which forms there are: what each is called, what it is filled in with, and its columns as a spreadsheet."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from web.prints import appraisals, audits, boxes, destruction, lists, reports, required, stock, transfer
from web.prints.papers import Words
from web.words import mark

FOLDER = Path(__file__).parents[1] / "forms"


class Takes(StrEnum):
    """What a form is filled in with."""

    ITEMS = "items"
    RECORDS = "records"
    DOSSIERS = "dossiers"
    REQUIRED = "required"  # dossiers that follow a template of required papers
    NOTHING = "nothing"
    ELSEWHERE = "elsewhere"
    """What a page of its own prints: a batch, a stock-taking, a loan, an appraisal."""


@dataclass(frozen=True)
class Kind:
    """A form: its key (the name of its template), its name, what it takes, and what makes its sheets.

    ``columns`` are those of its spreadsheet, with their width in characters; none: it is no list. ``lies_open``: it is
    seen by who passes, so that of upper levels and under need-to-know it shows number and level alone.
    """

    key: str
    words: str
    takes: Takes
    sheets: Callable[[Sequence[Any], Words], list[dict[str, Any]]]
    columns: Sequence[tuple[str, int]] = ()
    lies_open: bool = False


KINDS: Mapping[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind("filed_items", mark("List of filed items"), Takes.ITEMS, lists.filed_items, lists.FILED_ITEMS),
        Kind(
            "dossier_contents", mark("Contents of a dossier"), Takes.DOSSIERS, lists.dossier_contents,
            lists.DOSSIER_CONTENTS,
        ),
        Kind("closing_note", mark("Closing note"), Takes.DOSSIERS, boxes.closing_notes),
        Kind("dossier_cover", mark("Cover of a dossier"), Takes.DOSSIERS, boxes.covers),
        Kind("spine", mark("Spine label"), Takes.DOSSIERS, boxes.spines, lies_open=True),
        Kind("dossier_list", mark("List of dossiers"), Takes.DOSSIERS, lists.dossier_list, lists.DOSSIER_LIST),
        Kind("filing_stamp", mark("Filing stamp"), Takes.ITEMS, boxes.stamps),
        Kind("handover_list", mark("Hand-over list"), Takes.RECORDS, lists.handover_list, lists.HANDOVER_LIST),
        Kind("transfer_list", mark("Transfer list"), Takes.ELSEWHERE, transfer.sheets, transfer.TRANSFER_LIST),
        Kind("handover_receipt", mark("Register entry of a hand-over"), Takes.RECORDS, boxes.receipts),
        Kind("filing_register", mark("Register entry of a filing"), Takes.RECORDS, boxes.receipts),
        Kind("quality_report", mark("Quality report"), Takes.ELSEWHERE, reports.as_given, reports.QUALITY_REPORT),
        Kind("circulation_slip", mark("Circulation slip"), Takes.RECORDS, boxes.slips),
        Kind(
            "stocktaking_report", mark("Report of a stock-taking"), Takes.ELSEWHERE, stock.stock_reports,
            stock.STOCK_REPORT,
        ),
        Kind(
            "destruction_register", mark("Destruction register"), Takes.ELSEWHERE, destruction.sheets,
            destruction.DESTRUCTION_REGISTER,
        ),
        Kind("destruction_certificate", mark("Certificate of destruction"), Takes.ELSEWHERE, destruction.sheets),
        Kind(
            "electronic_destruction", mark("Register entry of a destruction of files"), Takes.ELSEWHERE,
            destruction.sheets,
        ),
        Kind(
            "appraisal_report", mark("Appraisal report"), Takes.ELSEWHERE, appraisals.appraisal_reports,
            appraisals.APPRAISAL_REPORT,
        ),
        Kind("audit_report", mark("Audit report"), Takes.ELSEWHERE, audits.audit_reports, audits.AUDIT_REPORT),
        Kind("completeness", mark("Certificate of completeness"), Takes.REQUIRED, required.certificates),
        Kind("filing_form", mark("Filing form"), Takes.REQUIRED, required.filings),
        Kind("use_register", mark("Use register"), Takes.ELSEWHERE, reports.as_given, reports.USE_REGISTER),
        Kind("loan_register", mark("Loan register"), Takes.ELSEWHERE, reports.as_given, reports.LOAN_REGISTER),
        Kind("loan_request", mark("Request for a loan"), Takes.RECORDS, boxes.requests),
        Kind("recall_notice", mark("Notice to return"), Takes.ELSEWHERE, reports.as_given),
        Kind("loan_slip", mark("Loan slip"), Takes.ELSEWHERE, reports.as_given),
        Kind("labels", mark("Labels"), Takes.ELSEWHERE, reports.as_given, lies_open=True),
        Kind("staff_proposal", mark("Proposal or appeal of staff"), Takes.NOTHING, boxes.blanks),
    )
}  # fmt: skip
"""In the order in which they are offered."""


@cache
def shipped(key: str) -> str:
    """Return the template that a form is shipped with."""
    return (FOLDER / f"{KINDS[key].key}.typ").read_text("utf-8")
