"""How templates write values: level shapes, personal numbers masked, terms, reasons."""

import json

from flask import Flask
from flask_babel import gettext as _

from archive.house.levels import mark as level_mark
from archive.model import Security
from indexer.kinds import PICTURED
from web.columns import COLUMNS
from web.directory import MOST_COUNTED
from web.i18n import current_locale
from web.log_words import actor, operator, told_body
from web.number_fields import number_fields
from web.services import services
from web.words.blocks import BLOCKS, CAUSES
from web.words.facets import TITLES
from web.words.faults import explain_reason, field_label
from web.words.field_rules import across_told
from web.words.jobs import JOBS, job_fault
from web.words.parts import PARTS
from web.words.proposals import place_words
from web.words.records import (
    KINDS,
    MATERIALS,
    MEDIA,
    field_value,
    importance_words,
    masked,
    scan_words,
    term_words,
    unscanned_of,
    word,
)
from web.words.remarks import file_remarks, remark_words, unscanned_help
from web.words.roles import place_kind, role_help, role_word
from web.words.shelves import CARRIERS, CONDITIONS, SECURITIES, SHELF_KINDS
from web.words.stock import FOLLOW_UPS, STOCK_STATES

SHAPES = {"■": "square", "◆": "diamond", "▲": "triangle", "●": "circle"}


def shape(symbol: str) -> str:
    """Return the name of a level's shape, for its colour; levels differ by shape and word first."""
    return SHAPES.get(symbol, "circle")


def count(number: int, most: int = MOST_COUNTED) -> str:
    """Write a count; one that was not counted beyond ``most`` as at least so many."""
    return f"{number:,}" if number <= most else f"{most:,}+"


BROWSERS = (
    ("MicroMessenger/", "WeChat"),
    ("Edg/", "Edge"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
"""What browsers and systems call themselves; the first that is found counts."""


def browser(agent: str | None) -> str:
    """Name the browser and the system of a session, or what it called itself."""
    said = agent or "—"
    found = [next((name for sign, name in names if sign in said), "") for names in (BROWSERS, SYSTEMS)]
    return " · ".join(filter(None, found)) if found[0] else said[:60]


def init_app(app: Flask) -> None:
    """Give an app its filters and tests."""
    app.jinja_env.tests["pictured"] = lambda file: (
        file.media_type in PICTURED and file.reason != "encrypted" and not file.virus
    )
    app.jinja_env.tests["printed"] = lambda file: not file.virus and services().office.stand(file.content_id)
    app.jinja_env.globals["unscanned_help"] = lambda: unscanned_help(services().aids, current_locale())
    app.jinja_env.filters.update(
        shape=shape,
        actor=actor,
        operator=operator,
        browser=browser,
        counted=count,
        told_body=lambda body: told_body(body, number_fields()) if body else [],
        masked=masked,
        field_value=lambda pair: field_value(pair[0], pair[1], current_locale()),
        term=lambda code: term_words(code, current_locale()),
        level_mark=lambda level: level_mark(level, current_locale()),
        kind_word=lambda kind: word(KINDS, kind, current_locale()),
        job_word=lambda kind: word(JOBS, kind, current_locale()),
        job_fault=lambda code: job_fault(code, current_locale()),
        part_word=lambda part: word(PARTS, part, current_locale()),
        medium_word=lambda medium: word(MEDIA, medium, current_locale()),
        material_word=lambda material: word(MATERIALS, material, current_locale()),
        importance=lambda step: importance_words(step, current_locale()),
        across=lambda each, fields: across_told(each, fields, current_locale()),
        column_words=lambda key: _(COLUMNS[key].words),
        field_label=lambda name: field_label(name, current_locale()),
        facet_title=lambda name: _(TITLES[name]),
        place_words=lambda each: place_words(each, current_locale()),
        scan_words=lambda file: scan_words(file, current_locale(), services().aids),
        remarks=lambda file: [remark_words(each, current_locale()) for each in file_remarks(file, services().aids)],
        unscanned=lambda file: unscanned_of(file, services().aids, current_locale()),
        shelf_kind=lambda kind: word(SHELF_KINDS, kind, current_locale()),
        security_word=lambda security: word(SECURITIES, security, current_locale()),
        security_of=lambda strength: word(SECURITIES, Security.of(strength).value, current_locale()),
        carrier_word=lambda carrier: word(CARRIERS, carrier, current_locale()),
        stock_state=lambda state: word(STOCK_STATES, state, current_locale()),
        follow_up_word=lambda done: word(FOLLOW_UPS, done, current_locale()),
        json_text=lambda rows: json.dumps([[str(key), path] for key, path in rows]),
        block_word=lambda kind: word(BLOCKS, kind, current_locale()),
        cause_word=lambda cause: word(CAUSES, cause, current_locale()),
        condition_word=lambda condition: word(CONDITIONS, condition, current_locale()),
        place_kind=lambda kind: place_kind(kind, current_locale()),
        role_word=lambda role: role_word(role, current_locale()),
        role_help=lambda role: role_help(role, current_locale()),
        reason=lambda reason: explain_reason(reason, current_locale()),
    )
