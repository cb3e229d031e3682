"""Forms whose sheets are made elsewhere, of more than records."""

from collections.abc import Mapping, Sequence
from typing import Any

from web.prints.papers import Words

QUALITY_REPORT = (
    ("serial", 6), ("number", 24), ("title", 60), ("pages", 8), ("carriers", 16), ("check_result", 12), ("reason", 28),
    ("notes", 40),
)  # fmt: skip

LOAN_REGISTER = (
    ("loan", 8), ("number", 30), ("title", 50), ("level_words", 16), ("borrower", 14), ("department", 18), ("how", 14),
    ("loan_purpose", 18), ("asked", 12), ("approved_by", 20), ("issued", 12), ("due", 12), ("extended", 12),
    ("ended", 12), ("pages", 8), ("condition_in", 14), ("effect", 40), ("staff", 18), ("state", 14),
)  # fmt: skip

USE_REGISTER = (
    ("day", 12), ("use", 14), ("reader", 14), ("organisation", 24), ("need", 30), ("number", 30), ("title", 50),
    ("how", 14), ("pages", 8), ("staff", 14), ("effect", 40),
)  # fmt: skip


def as_given(sheets: Sequence[Mapping[str, Any]], _words: Words) -> list[dict[str, Any]]:
    """Return sheets that are made already."""
    return [dict(each) for each in sheets]


def sample_report(rows: int, name: str, title: str) -> dict[str, Any]:
    """Return a made quality report that a template is tried with."""
    made = [
        {
            "serial": str(at),
            "number": f"2024-{at:03}",
            "title": title,
            "pages": str(at),
            "carriers": name,
            "check_result": name,
            "reason": name if at % 3 == 0 else "",
            "notes": title if at % 3 == 0 else "",
        }
        for at in range(1, rows + 1)
    ]
    return {
        "level_rank": 1, "level": name, "shape": "square", "fonds": name, "fonds_name": name, "categories": name,
        "department": name, "name": title, "round": "1", "count": str(rows), "passed": str(rows), "failed": "0",
        "rows": made,
    }  # fmt: skip


def sample_loans(rows: int, name: str, title: str, day: str) -> dict[str, Any]:
    """Return made loans, as register and slip have them."""
    told = {"title": title, "borrower": name, "how": name, "asked": day, "issued": day, "due": day, "ended": day}
    made = [
        {
            **told,
            "loan": str(at),
            "number": f"2024-{at:03}",
            "pages": str(at),
            "condition_in": name,
            "level_words": name,
            "condition": name,
            "state": name,
            "overdue_days": str(at),
            "department": name,
            "loan_purpose": name,
            "approved_by": name,
            "staff": name,
            "extended": "+7" if at % 2 else "",
            "effect": title if at % 3 == 0 else "",
        }
        for at in range(1, rows + 1)
    ]
    return {
        "level_rank": 1,
        "level": name,
        "shape": "square",
        "borrower": name,
        "issued": day,
        "due": day,
        "day": day,
        "told": title,
        "rows": made,
    }


def sample_uses(rows: int, name: str, title: str, day: str) -> dict[str, Any]:
    """Return made uses, as the register of them has them."""
    told = {"title": title, "day": day, "reader": name, "organisation": name, "need": title, "how": name, "staff": name}
    made = [
        {**told, "use": str(at), "number": f"2024-{at:03}", "pages": str(at), "effect": title if at % 2 else ""}
        for at in range(1, rows + 1)
    ]
    return {"level_rank": 1, "level": name, "shape": "square", "rows": made}
