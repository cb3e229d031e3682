"""The forms of a destruction: the register 销毁清册 with its signatures, the certificate, and 电子档案销毁登记表."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from web.prints.papers import Words
from web.words import mark, size
from web.words.records import term_words

DESTRUCTION_REGISTER = (
    ("serial", 6), ("title", 60), ("dossier_serial", 10), ("copies", 8), ("years", 12), ("number", 36),
    ("due_term", 14), ("kept", 14), ("pages", 8), ("gone_at", 18), ("notes", 20),
)  # fmt: skip
"""序号、题名、卷号、册数、起止年度、档号、应保管期限、已保管期限、页数、销毁时间、备注: what the laws ask for."""


@dataclass(frozen=True)
class Line:
    """A line of the register; ``title`` "": it is not for who prints it. ``gone``: the moment, in words.

    ``volumes`` 0: its dossier, on the same list, tells them; None: not known.
    """

    title: str
    dossier: bool
    volumes: int | None
    years: str
    number: str
    term: str
    kept_years: int
    pages: int | None
    gone: str


@dataclass(frozen=True)
class Given:
    """A destruction as its forms need it; words are in the form's language already."""

    number: str
    purpose: str
    method: str
    place: str
    contractor: str
    weight: str
    weighed: str
    taken_by: str
    begun: str
    ended: str
    executor: str
    fonds: str
    level_rank: int
    level: str
    shape: str
    digest: str
    lines: Sequence[Line]
    files: int
    bytes: int
    signers: Sequence[tuple[str, str, str]]
    proof: Sequence[str]
    online: Sequence[str]
    outside: Sequence[str]
    pictures: Sequence[str]


def sheets(given: Sequence[Given], words: Words) -> list[dict[str, Any]]:
    """Return a sheet for each destruction; all its forms are made of it."""
    return [_sheet(each, words) for each in given]


def _sheet(given: Given, words: Words) -> dict[str, Any]:
    return {
        "level_rank": given.level_rank,
        "level": given.level,
        "shape": given.shape,
        "number": given.number,
        "purpose": given.purpose,
        "method": given.method,
        "where": given.place,
        "contractor": given.contractor,
        "weight": given.weight,
        "weighed": given.weighed,
        "taken_by": given.taken_by,
        "begun": given.begun,
        "ended": given.ended,
        "executor": given.executor,
        "fonds": given.fonds,
        "count": str(len(given.lines)),
        "pages": str(sum(each.pages or 0 for each in given.lines)),
        "copies": str(sum(each.volumes or 0 for each in given.lines) or ""),
        "files": str(given.files),
        "size": size(given.bytes),
        "digest": given.digest,
        "stays": words.said(STAYS),
        "proof": list(given.proof),
        "online": list(given.online),
        "outside": list(given.outside),
        "pictures": list(given.pictures),
        "signers": [{"duty": duty, "name": name, "when": when} for duty, name, when in given.signers],
        "rows": [
            {
                "serial": str(at), "title": each.title, "years": each.years, "year": each.years, "number": each.number,
                "dossier_serial": each.number.rpartition("-")[2] if each.dossier else "",
                "copies": str(each.volumes or ""),
                "term": term_words(each.term, words.locale), "due_term": term_words(each.term, words.locale),
                "kept": words.said(YEARS, count=each.kept_years),
                "pages": "" if each.pages is None else str(each.pages),
                "gone_at": each.gone, "notes": "",
            }
            for at, each in enumerate(given.lines, 1)
        ],
    }  # fmt: skip


YEARS = mark("%(count)s years")
STAYS = mark(
    "Destroyed were the files with their texts, pictures and descriptions, and the keys that opened them. What stays "
    "is this register. What was looked for afterwards, and which copies outside outlast it, the proof says."
)


def sample(rows: int, words: Words) -> Given:
    """Return made data that a template is tried with."""
    name, long = words.said(mark("Sample Property Management Ltd.")), words.said(STAYS)
    lines = [
        Line(
            long if at % 3 == 0 else name,
            at % 2 == 1,
            at,
            "2024-2025",
            f"WY01-WYH·2024-D10-A{at:04}",
            "D10",
            10,
            at,
            "2036-01-31 12:00",
        )
        for at in range(1, rows + 1)
    ]
    signers = [(name, name, "2036-01-31 12:00")] * (6 if rows else 0)
    return Given(
        "XH2036-0001", name, name, name if rows else "", "", "", "", name if rows else "", "2036-01-31", "", name,
        "WY01", 1, name, "square", "0" * 64 if rows else "", lines, rows, rows * 1_000_000, signers,
        [long] * (5 if rows else 0), [long] if rows else [], [long] * (3 if rows else 0),
        [f"{name}.jpg · SHA-256 0123456789abcdef…"] * (2 if rows else 0),
    )  # fmt: skip
