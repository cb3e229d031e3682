"""Forms that are filled in, as they are sent: set by the house's template, or as a spreadsheet."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, g

from web.i18n import current_locale
from web.prints.gather import house_name
from web.prints.kinds import Kind
from web.prints.papers import Words
from web.prints.setting import printed
from web.services import identity, services
from web.sheets import TYPE, workbook


def words_now() -> Words:
    """Return the language of the page, the day, and who prints; a program prints for its person."""
    locale, person = current_locale(), g.get("person")
    name = person.name if person is not None else identity().name
    return Words(locale, services().guard.day(), person=name, house=house_name(locale))


def set_form(kind: Kind, sheets: Sequence[Mapping[str, Any]], words: Words) -> bytes:
    """Return the PDF of a form. Raises ``InvalidInput``: the house's template cannot be set."""
    template = services().forms.current(identity(), kind.key)
    return printed(services().typesetter, template, words.data(words.said(kind.words), sheets))


def listed(kind: Kind, sheets: Sequence[Mapping[str, Any]], words: Words) -> bytes:
    """Return the rows of all sheets of a form as a workbook."""
    heads = words.data("", [])["words"]
    rows = [[row[key] for key, _width in kind.columns] for sheet in sheets for row in sheet["rows"]]
    return workbook([(heads[key], width) for key, width in kind.columns], rows)


def pdf_sent(made: bytes, name: str) -> Response:
    """Send a PDF to be looked at; ``name`` without its ending."""
    return Response(made, mimetype="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}.pdf"'})


def book_sent(made: bytes, name: str) -> Response:
    """Send a workbook to be saved; ``name`` without its ending."""
    return Response(made, mimetype=TYPE, headers={"Content-Disposition": f'attachment; filename="{name}.xlsx"'})
