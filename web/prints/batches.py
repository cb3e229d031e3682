"""Forms of a batch: the register entries signed by both, and the report of what a check found."""

from typing import Any

from archive.handin.looking import Batch, Found, Line
from archive.house.levels import mark as level_mark
from archive.model import Carrier, HandInSignature, LineState, SignedBy
from web.filters import shape
from web.prints.kinds import KINDS
from web.prints.papers import Words, span
from web.services import services
from web.words import day, listed, mark, minute, named
from web.words.hand_ins import FAILINGS
from web.words.records import word
from web.words.shelves import CARRIERS

ALL_ARRIVED = mark("%(count)s lines, all arrived")
ALL_READABLE = mark("readable, pages as listed")
ALL_LABELLED = mark("labels right, carriers sound")
FILE = mark("file")
ROUNDS = mark("Handed in %(count)s times; what did not pass was mended or withdrawn.")
WITHDRAWN = mark("%(count)s withdrawn")


def register_data(batch: Batch, form: str, words: Words) -> dict[str, Any]:
    """Return what the template of a register entry reads: counts and names, and no title."""
    kept = [each for each in batch.lines if each.row.state is not LineState.WITHDRAWN]
    amounts = [
        words.many("%(num)d item", "%(num)d items", len(kept)),
        words.many("%(num)d page", "%(num)d pages", sum((each.row.pages or 0) * each.row.copies for each in kept)),
    ]
    if gone := len(batch.lines) - len(kept):
        amounts.append(words.said(WITHDRAWN, count=gone))
    media = {CARRIERS[each.row.carrier.value] if each.row.carrier else FILE: None for each in kept}
    numbers = [
        each.number for each in kept if each.row.carrier in {Carrier.DISC, Carrier.DRIVE} and each.number
    ]  # fmt: skip
    head = _head(batch, words)
    sheet = {
        **head,
        "name": batch.name,
        "told": f"{head['fonds']} · {head['categories']}"
        + (f"\n{words.said(ROUNDS, count=batch.row.round)}" if batch.row.round > 1 else ""),
        "quantity": listed(amounts, words.locale),
        "size": "",
        "years": span(each.facts.drawn_up[:4] for each in kept if each.facts and each.facts.drawn_up),
        "media": listed((words.said(each) for each in media), words.locale),
        "carrier_numbers": listed(numbers, words.locale),
        "filed": day(batch.row.handed_at or batch.row.created_at, services().zone()),
        "whole": words.said(ALL_ARRIVED, count=len(kept)),
        "usable": words.said(ALL_READABLE),
        "carrier_found": words.said(ALL_LABELLED),
        "handed": _signature(batch.signatures.get(SignedBy.HANDED)),
        "received": _signature(batch.signatures.get(SignedBy.RECEIVED)),
        "digest": next((each.digest for each in batch.signatures.values()), ""),
    }
    return words.data(words.said(KINDS[form].words), [sheet])


def quality_data(batch: Batch, number: int, words: Words) -> dict[str, Any]:
    """Return what the template of a quality report reads, of one round."""
    rows = []
    failed = 0
    for each in batch.lines:
        found = [one for one in each.found if one.check.round == number]
        if found:
            failed += found[-1].check.reason is not None
            rows.append(_row(each, found[-1], words))
    sheet = {
        **_head(batch, words),
        "name": batch.name,
        "round": str(number),
        "count": str(len(rows)),
        "passed": str(len(rows) - failed),
        "failed": str(failed),
        "rows": rows,
    }
    return words.data(words.said(KINDS["quality_report"].words), [sheet])


def _row(line: Line, found: Found, words: Words) -> dict[str, str]:
    reason = found.check.reason
    carrier = CARRIERS[line.row.carrier.value] if line.row.carrier else FILE
    return {
        "serial": str(line.row.position),
        "number": line.number,
        "title": line.facts.title if line.facts else "",
        "pages": "" if line.facts is None or line.row.pages is None else str(line.row.pages),
        "carriers": words.said(carrier),
        "check_result": words.said(mark("failed")) if reason else words.said(mark("passed")),
        "reason": word(FAILINGS, reason.value, words.locale) if reason else "",
        "notes": found.words,
    }


def _head(batch: Batch, words: Words) -> dict[str, Any]:
    row, directory = batch.row, services().directory
    names = directory.coded_names({row.category_id}, {row.fonds_id}, {row.department_id} if row.department_id else ())
    level = directory.levels()[row.level_rank]
    fonds, category = names[row.fonds_id], names[row.category_id]
    return {
        "level_rank": row.level_rank, "level": level_mark(level, words.locale), "shape": shape(level.symbol),
        "fonds": f"{fonds[0]} {named(fonds[1], words.locale)}", "fonds_name": named(fonds[1], words.locale),
        "categories": f"{category[0]} {named(category[1], words.locale)}",
        "department": named(names[row.department_id][1], words.locale) if row.department_id else "",
    }  # fmt: skip


def _signature(row: HandInSignature | None) -> dict[str, str]:
    if row is None:
        return {"person": "", "at": ""}
    name = services().directory.people([row.person_id]).get(row.person_id, "")
    return {"person": name, "at": minute(row.signed_at, services().zone())}
