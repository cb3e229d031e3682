"""The register of what was destroyed 销毁清册: on screen, as a spreadsheet, and the forms of one destruction."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for

from archive.dates import BadDate, parse_civil
from archive.errors import InvalidInput, NotFound
from archive.house.levels import mark as level_mark
from archive.model import DestructionState
from archive.policy.rules import Act
from retention.destroying.register import FORMS, Asked, Gone
from retention.destroying.shown import Shown
from retention.gone.looks import findings
from web import paging
from web.asking import may
from web.days import first_of, last_of
from web.filters import shape
from web.i18n import current_locale
from web.lending.words import token_words
from web.prints.destruction import Given, Line
from web.prints.filled import words_now
from web.prints.kinds import KINDS
from web.prints.papers import span
from web.prints.setting import printed
from web.services import identity, services
from web.sheets import TYPE, workbook
from web.words import day, minute
from web.words.destructions import DUTIES, METHODS
from web.words.proof import online_lines, outside_lines, proof_lines
from web.words.records import number_words, word

pages = Blueprint("destroyed", __name__, url_prefix="/destroyed")

PAGE = 100


@pages.get("")
def every() -> str:
    """List what is gone, by number and time."""
    typed = {name: request.args.get(name, "").strip()[:60] for name in ("number", "since", "until")}
    bad = False
    try:
        since, until = first_of(typed["since"], "since"), last_of(typed["until"], "until")
    except InvalidInput:
        since, until, bad = None, None, True
    asked = Asked(typed["number"], since, until)
    register = services().retention.destructions.register
    found = register.every(identity(), asked, after=paging.read(request.args.get("after", "")), limit=PAGE + 1)
    rows, more = found[:PAGE], None
    if len(found) > PAGE and rows[-1].gone_at:
        behind: dict[str, Any] = {**typed, "after": paging.told((rows[-1].gone_at, rows[-1].row.record_id))}
        more = url_for("destroyed.every", **behind)
    return render_template("destroyed.html", rows=rows, more=more, typed=typed, bad=bad, may_export=may(Act.VERIFY_LOG))


@pages.get("/export.zip")
def export() -> Response:
    """Send an auditor the package of a period: register, its part of the log, signature and checker."""
    days = []
    for name in ("since", "until"):
        try:
            days.append(parse_civil(request.args.get(name, "")))
        except BadDate as bad:
            raise InvalidInput(bad.fault(name)) from None
    made = services().retention.destructions.audit.package(identity(), days[0].first, days[1].last)
    name = f'attachment; filename="juanku-destructions-{days[0].first}-{days[1].last}.zip"'
    return Response(made, mimetype="application/zip", headers={"Content-Disposition": name})


@pages.get("/<uuid:key>/<form>.pdf")
def form(key: UUID, form: str) -> Response:
    """Send a form of a destruction: as it was kept when it was closed, or as it would be now."""
    if form not in FORMS:
        raise NotFound
    register, locale = services().retention.destructions.register, current_locale()
    whole = all(each.title is not None for each in register.lines(identity(), key))
    made = register.form(identity(), key, form, locale) if whole else None  # it has every title
    if made is None:
        one = services().retention.destructions.looks.show(identity(), key)
        made = printed(services().typesetter, services().forms.current(identity(), form), _data(one, form))
        if whole and one.row.state is DestructionState.CLOSED:
            made = register.keep_form(identity(), key, form, locale, made)
    services().readings.begin(identity(), "form.print", body={"form": form, "destruction": str(key)}).result()
    name = f'inline; filename="juanku-{form.replace("_", "-")}.pdf"'
    return Response(made, mimetype="application/pdf", headers={"Content-Disposition": name})


@pages.get("/<uuid:key>/register.xlsx")
def sheet(key: UUID) -> Response:
    """Send the register of one destruction as a spreadsheet."""
    one = services().retention.destructions.looks.show(identity(), key)
    kind = KINDS["destruction_register"]
    data = _data(one, kind.key)
    heads = [(data["words"][name], width) for name, width in kind.columns]
    rows = [[row[name] for name, _width in kind.columns] for row in data["sheets"][0]["rows"]]
    body = {"form": kind.key, "destruction": str(key), "rows": len(rows)}
    services().readings.begin(identity(), "form.sheet", body=body).result()
    name = 'attachment; filename="juanku-destruction-register.xlsx"'
    return Response(workbook(heads, rows), mimetype=TYPE, headers={"Content-Disposition": name})


def _data(one: Shown, form: str) -> dict[str, Any]:
    if one.row.run_at is None:
        raise NotFound
    locale, zone = current_locale(), services().zone()
    lines = services().retention.destructions.register.lines(identity(), one.row.id)
    words = words_now()
    levels = services().directory.levels()
    top = levels.get(max((each.row.level_rank for each in lines), default=0))
    row = one.row
    with services().db.reading() as session:
        proof = next(iter(findings(session, row.id, 1)), None)
    given = Given(
        number=row.number, purpose=row.purpose, method=word(METHODS, row.method.value, locale), place=row.place or "",
        contractor=row.contractor or "", weight=row.weight or "", weighed=row.weighed or "",
        taken_by=row.taken_by or "", begun=minute(row.run_at, zone),
        ended=minute(row.gone_at, zone) if row.gone_at else "",
        executor=services().directory.people([row.run_by]).get(row.run_by, "") if row.run_by else "",
        fonds=", ".join(dict.fromkeys(each.row.fonds for each in lines)),
        level_rank=top.rank if top else 0, level=level_mark(top, locale) if top else "",
        shape=shape(top.symbol) if top else "", digest=row.digest or "", lines=[_line(each, zone) for each in lines],
        files=sum(each.row.files for each in lines), bytes=sum(each.row.bytes for each in lines),
        signers=list(_signers(one, locale, zone)), proof=proof_lines(proof, locale, zone) if proof else [],
        online=online_lines(proof, locale) if proof else [],
        outside=outside_lines(proof, locale, zone) if proof else [],
        pictures=[f"{name} · SHA-256 {told[:16]}…" for _key, name, told in one.files],
    )  # fmt: skip
    kind = KINDS[form]
    return words.data(words.said(kind.words), kind.sheets([given], words))


def _line(each: Gone, zone: str) -> Line:
    row = each.row
    return Line(
        each.title or "", row.dossier, row.volumes, span(str(year or "") for year in (row.year, row.year_to)),
        number_words(row.archive_number, row.registration_number, current_locale()), row.term, row.kept_years,
        row.pages,
        minute(each.gone_at, zone) if each.gone_at else "",
    )  # fmt: skip


def _signers(one: Shown, locale: str, zone: str) -> Iterator[tuple[str, str, str]]:
    """Yield whose panel gave it up, who asked, decided at which step, confirmed, watched and did it, with the day."""
    row = one.row
    who = {row.begun_by, row.confirmed_by} | {each.row.person_id for each in one.duties}
    who |= {chair for chair, _at in one.chairs}
    who |= {done[0] for step in one.steps for done in step.done}
    names = services().directory.people({each for each in who if each})
    for chair, at in one.chairs:
        yield word(DUTIES, "chair", locale), names.get(chair, ""), day(at, zone)
    yield word(DUTIES, "asker", locale), names.get(row.begun_by, ""), day(row.begun_at, zone)
    for step in one.steps:
        told = ", ".join(token_words(token, locale, names) for token in step.tokens)
        for person, _yes, at, _why in step.done:
            yield told, names.get(person, ""), day(at, zone)
    if row.confirmed_by and row.confirmed_at:
        yield word(DUTIES, "confirmer", locale), names.get(row.confirmed_by, ""), day(row.confirmed_at, zone)
    for each in one.duties:
        name = each.name or (names.get(each.row.person_id, "") if each.row.person_id else "")
        signed = each.row.after_at
        yield word(DUTIES, each.row.duty.value, locale), name if signed else "", minute(signed, zone) if signed else ""
