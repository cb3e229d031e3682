"""The list of a transfer 移交清册: what goes to another archive, signed by both sides and by who watched."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from web.prints.lists import handover_lines
from web.prints.papers import Paper, Words, bytes_of, counted, highest, pages_of, span

TRANSFER_LIST = (
    ("transfer", 14), ("serial", 6), ("title", 60), ("dossier_serial", 10), ("copies", 8), ("years", 10),
    ("number", 36), ("due_term", 14), ("kept", 14), ("pages", 8), ("notes", 28),
)  # fmt: skip
"""名称、卷号、册数、起止年度、档案编号、应保管期限、已保管期限 (as the law names them), and pages and remarks."""


@dataclass(frozen=True)
class Given:
    """A transfer as its list needs it; ``papers`` in the order of the list."""

    number: str
    receiver: str
    purpose: str
    bag: str
    received_by: str
    received_on: str
    papers: Sequence[Paper]


def sheets(given: Sequence[Given], words: Words) -> list[dict[str, Any]]:
    """Return a sheet for each transfer."""
    return [_sheet(each, words) for each in given]


def _sheet(given: Given, words: Words) -> dict[str, Any]:
    lines = handover_lines(given.papers, words)  # the order is that of the list, whatever their fonds
    return {
        **highest(given.papers),
        "number": given.number,
        "receiver": given.receiver,
        "purpose": given.purpose,
        "bag": given.bag,
        "received_by": given.received_by,
        "received_on": given.received_on,
        "years": span(each.year for each in given.papers),
        "count": str(len(given.papers)),
        "page_count": pages_of(given.papers),
        "size": bytes_of(given.papers),
        "rows": [
            {**line, "transfer": given.number, "pages": counted(each.pages)}
            for line, each in zip(lines, given.papers, strict=True)
        ],
    }
