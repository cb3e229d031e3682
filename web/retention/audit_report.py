"""The report of an audit, as a PDF and as a spreadsheet."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from archive.errors import NotFound
from archive.model.auditing import AuditState
from retention.auditing.looks import FindingShown, Shown
from web.i18n import current_locale
from web.prints.audits import AUDIT_FINDINGS, AUDIT_REPORT, AuditReport
from web.prints.filled import book_sent, pdf_sent, set_form, words_now
from web.prints.kinds import KINDS as FORMS
from web.prints.papers import Words
from web.retention.audits import facts_told, said
from web.services import identity, services
from web.sheets import workbook_of
from web.words import minute, named
from web.words.audits import ANSWERS, FINDINGS, KINDS, LIKELIHOODS, STEPS

pages = Blueprint("audit_report", __name__, url_prefix="/audits")

KEY = "audit_report"


@pages.get("/<uuid:key>/report.pdf")
def pdf(key: UUID) -> Response:
    """Send the report as a PDF."""
    made_of, words = _sheet(key)
    made = set_form(FORMS[KEY], [made_of], words)
    _note("form.print", key, made_of)
    return pdf_sent(made, "juanku-audit")


@pages.get("/<uuid:key>/report.xlsx")
def sheet(key: UUID) -> Response:
    """Send it as a spreadsheet: the points, and the findings."""
    made_of, words = _sheet(key)
    heads = words.data("", [])["words"]
    parts = [(heads["points"], AUDIT_REPORT, made_of["rows"]), (heads["found"], AUDIT_FINDINGS, made_of["findings"])]
    _note("form.sheet", key, made_of)
    book = workbook_of(
        [
            (
                name,
                [(heads[column], width) for column, width in columns],
                [[row[c] for c, _w in columns] for row in rows],
            )
            for name, columns, rows in parts
        ]
    )
    return book_sent(book, "juanku-audit")


def _sheet(key: UUID) -> tuple[dict[str, Any], Words]:
    looks, zone, locale = services().retention.audits.looks, services().zone(), current_locale()
    one = looks.show(identity(), key)
    row = one.row
    if row.state is AuditState.WITHDRAWN:
        raise NotFound
    people = {row.planned_by, row.ended_by} | {each.row.responsible_id for each in one.findings}
    names = services().directory.people({each for each in people if each})
    given = AuditReport(
        number=row.number,
        name=named(row.names, locale),
        kind=said(KINDS)[row.kind],
        fonds=row.fonds or "",
        period=f"{row.since} – {row.until}",
        due=row.due.isoformat(),
        planned=f"{minute(row.planned_at, zone)} {names.get(row.planned_by or row.id, '')}".strip(),
        closed=f"{minute(row.ended_at, zone)} {names.get(row.ended_by or row.id, '')}".strip(),
        conclusion=one.conclusion,
        points=_points(one, locale),
        findings=[_finding(each) for each in one.findings],
    )
    words = words_now()
    return FORMS[KEY].sheets([given], words)[0], words


def _points(one: Shown, locale: str) -> list[tuple[str, str, str, str, str]]:
    answers = said(ANSWERS)
    return [
        (
            named(each.point.names, locale), answers[each.said] if each.said else "", each.words,
            "\n".join(told for told, _short in facts_told(each, locale)),
            each.destruction[1] if each.destruction else "",
        )
        for each in one.answers.values()
    ]  # fmt: skip


def _finding(each: FindingShown) -> tuple[str, str, str, str, str, str, str]:
    row, zone = each.row, services().zone()
    _one, steps, _acts = services().retention.audits.looks.finding(identity(), row.id)
    people = services().directory.people({row.responsible_id, *(step.row.person_id for step in steps)})
    told = said(STEPS)
    return (
        each.what, said(LIKELIHOODS)[row.likelihood] if row.likelihood else "", each.measure,
        people.get(row.responsible_id, ""), row.due.isoformat(), said(FINDINGS)[row.state],
        "\n".join(
            f"{minute(step.row.at, zone)} {people.get(step.row.person_id, '')} {told[step.row.step]}: {step.words}"
            for step in steps
        ),
    )  # fmt: skip


def _note(act: str, key: UUID, made_of: dict[str, Any]) -> None:
    body = {"form": KEY, "audit": made_of["number"], "id": str(key), "rows": len(made_of["rows"])}
    services().readings.begin(identity(), act, body=body).result()
