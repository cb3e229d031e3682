"""What is printed of loans: the slip that goes with papers, and the register."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from archive.house.levels import mark as level_mark
from archive.loans.custody import CustodyShown
from archive.loans.looks import LoanShown
from archive.loans.slips import SlipShown
from archive.loans.used import Used
from archive.model import LoanState
from web.filters import shape
from web.i18n import current_locale
from web.prints.filled import set_form, words_now
from web.prints.head_words import heads
from web.prints.kinds import KINDS
from web.services import services
from web.words import listed, mark, minute, named, translator
from web.words.loans import SHORT_FORMS, STATES, USED_HOW
from web.words.shelves import CONDITIONS

NOBODY = UUID(int=0)
CAME_BACK = {LoanState.RETURNED, LoanState.ENDED}
"""How a loan ends that was handed out and is there again; what was refused, lapsed or lost ends otherwise."""

NOTICE = mark("The papers below, which you have borrowed, are overdue or were called back. Please bring them back.")


def register_rows(found: Sequence[LoanShown], locale: str) -> tuple[list[tuple[str, int]], list[list[str | int]]]:
    """Return the columns of the register, with their width in characters, and its rows."""
    said, columns = heads(locale), KINDS["loan_register"].columns
    return [(said[key], width) for key, width in columns], [
        [row[key] for key, _ in columns] for row in _register(found)
    ]


def register_pdf(found: Sequence[LoanShown]) -> bytes:
    """Return the register as a PDF/A."""
    return _set("loan_register", [{**_level(found), "rows": _register(found)}])


def _register(found: Sequence[LoanShown]) -> list[dict[str, str]]:
    """Return the lines of the register, with all that the trade's book holds of a loan."""
    locale = current_locale()
    say, more = translator(locale), services().lending.registered.of(found)
    told = []
    for each in found:
        one = more[each.loan.id]
        told.append({
            **_row(each), "department": named(one.department, locale) if one.department else "",
            "loan_purpose": named(one.purpose, locale) if one.purpose else one.code,
            "approved_by": listed(one.decided_by, locale), "staff": listed(one.staff, locale), "effect": one.effect,
            "extended": say(mark("+%(days)s days"), days=one.extended) if one.extended else "",
        })  # fmt: skip
    return told


def slip_pdf(found: Sequence[LoanShown]) -> bytes:
    """Return the slip of what was handed out at once as a PDF/A."""
    first = found[0]
    sheet = {
        **_level(found),
        "borrower": first.borrower,
        "issued": str(first.loan.issued_on or ""),
        "due": str(max((each.loan.due_on for each in found if each.loan.due_on), default="")),
        "rows": [_row(each) for each in found],
    }
    return _set("loan_slip", [sheet])


def custody_pdf(found: CustodyShown) -> bytes:
    """Return the slip that goes with a paper into standing custody as a PDF/A."""
    locale = current_locale()
    row, post = found.row, f"{named(found.department, locale)} {named(found.post, locale)}"
    condition = translator(locale)(CONDITIONS[row.condition_out.value]) if row.condition_out else ""
    line = {
        "loan": "", "number": found.number or "", "title": found.title or "", "condition": condition, "due": "",
        "pages": "" if row.pages_out is None else str(row.pages_out),
    }  # fmt: skip
    issued = str(services().guard.day(row.issued_at)) if row.issued_at else ""
    sheet = {
        **_level_of(found.level), "borrower": f"{found.names.get(row.person_id, '')} ({post})", "issued": issued,
        "due": "", "rows": [line],
    }  # fmt: skip
    return _set("loan_slip", [sheet])


def use_rows(found: Sequence[Used], locale: str) -> tuple[list[tuple[str, int]], list[list[str | int]]]:
    """Return the columns of the use register, with their width in characters, and its rows."""
    said, columns = heads(locale), KINDS["use_register"].columns
    return [(said[key], width) for key, width in columns], [
        [row[key] for key, _ in columns] for row in map(_use_row, found)
    ]


def uses_pdf(found: Sequence[Used]) -> bytes:
    """Return the use register as a PDF/A."""
    head = _level_of(max((each.level for each in found), default=0))
    return _set("use_register", [{**head, "rows": [_use_row(each) for each in found]}])


def _use_row(each: Used) -> dict[str, str]:
    locale = current_locale()
    say = translator(locale)
    department = named(each.department, locale) if each.department else ""
    words = mark("visit %(number)s") if each.use_id else mark("loan %(number)s")
    return {
        "day": services().guard.day(each.at).isoformat(), "use": say(words, number=each.number),
        "reader": each.reader, "organisation": each.organisation or department,
        "need": named(each.need_names, locale) if each.need_names else each.need or "", "number": each.record,
        "title": each.title or "", "how": say({**SHORT_FORMS, **USED_HOW}[each.how.value]),
        "pages": "" if each.pages is None else str(each.pages), "staff": each.staff, "effect": each.effect or "",
    }  # fmt: skip


def notices_pdf(found: Sequence[LoanShown], today: date) -> bytes:
    """Return a notice for each borrower of some loans as a PDF/A: bring back what is overdue or was called back."""
    parts: dict[UUID, list[LoanShown]] = {}
    for each in found:
        parts.setdefault(each.loan.borrower_id, []).append(each)
    told = translator(current_locale())(NOTICE)
    sheets = [
        {
            **_level(some), "borrower": some[0].borrower, "day": today.isoformat(), "told": told,
            "rows": [{**_row(each), "overdue_days": str(each.overdue or "")} for each in some],
        }
        for some in parts.values()
    ]  # fmt: skip
    return _set("recall_notice", sheets)


def circulation_pdf(found: SlipShown) -> bytes:
    """Return a circulation slip as a PDF/A: who has signed so far, and lines for those to come."""
    signed = [each for each in found.stops if each.signed_at]
    rows = [
        {
            "serial": str(each.position), "passed_to": found.names.get(each.person_id, ""),
            "sent_at": minute(each.signed_at, services().zone()), "returned_at": "", "signature": "", "notes": "",
        }
        for each in found.stops
    ]  # fmt: skip
    if signed and found.row.ended_at:
        rows[len(signed) - 1]["returned_at"] = minute(found.row.ended_at, services().zone())
    sheet = {
        **_level_of(found.level), "number": found.number or "", "document_number": "", "responsible": "",
        "date": "", "title": found.title or "", "rows": rows,
        "pages": "" if found.row.pages_out is None else str(found.row.pages_out),
        "purpose": found.purpose or "", "scope": found.scope or "", "return_by": str(found.row.until),
        "returned": _returned(found), "checked_by": found.names.get(found.row.received_by or NOBODY, ""),
    }  # fmt: skip
    return _set("circulation_slip", [sheet])


def _returned(found: SlipShown) -> str:
    """Say with how many pages, and in what condition, a paper came back."""
    if found.row.ended_at is None or found.row.condition_in is None:
        return ""
    condition = translator(current_locale())(CONDITIONS[found.row.condition_in.value])
    return f"{'' if found.row.pages_in is None else found.row.pages_in} {condition}".strip()


def _level(found: Sequence[LoanShown]) -> dict[str, Any]:
    """Return the highest level on a sheet, as its head shows it."""
    return _level_of(max((each.level or 0 for each in found), default=0))


def _level_of(rank: int) -> dict[str, Any]:
    level = services().directory.levels().get(rank)
    if level is None:
        return {"level_rank": 0, "level": "", "shape": ""}
    return {"level_rank": rank, "level": named(level.names, current_locale()), "shape": shape(level.symbol)}


def _level_words(rank: int | None) -> str:
    level = services().directory.levels().get(rank or 0)
    return level_mark(level, current_locale()) if level else ""


def _row(each: LoanShown) -> dict[str, str]:
    say, day = translator(current_locale()), services().guard.day
    loan = each.loan
    condition = loan.condition_out.value if loan.condition_out else ""
    return {
        "loan": str(loan.number),
        "number": (each.number or "") + (f" *{each.copy}" if each.copy and each.copy > 1 else ""),
        "title": each.title or "",
        "borrower": each.borrower,
        "how": say(SHORT_FORMS[loan.form.value]),
        "asked": str(day(loan.asked_at)),
        "issued": str(loan.issued_on or ""),
        "due": str(loan.due_on or ""),
        "ended": str(day(loan.ended_at)) if loan.ended_at and loan.state in CAME_BACK else "",
        "pages": "" if loan.pages_out is None else str(loan.pages_out),
        "condition": say(CONDITIONS[condition]) if condition else "",
        "condition_in": say(CONDITIONS[loan.condition_in.value]) if loan.condition_in else "",
        "level_words": _level_words(each.level),
        "state": say(STATES[loan.state.value]),
    }


def _set(key: str, sheets: list[dict[str, Any]]) -> bytes:
    return set_form(KINDS[key], sheets, words_now())
