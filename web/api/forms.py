"""Printed forms: which there are, their templates, and one filled in with records. Templates are changed on pages."""

from typing import Annotated, Literal
from uuid import UUID

from flask import Response
from pydantic import AwareDatetime, Field

from archive.errors import Fault, InvalidInput, NotFound
from web.api import problems
from web.api.operations import operation
from web.api.shapes import Shape
from web.prints.gather import gathered, house_name
from web.prints.kinds import KINDS, Kind, Takes
from web.prints.pages import THICKNESSES, kind_for, pdf_of
from web.prints.papers import Words
from web.services import identity, services
from web.words import translator

MOST = 100
"""Records of one form."""


class FormShown(Shape):
    """A form: what it is filled in with, whether it is a list, and which version of its template is printed."""

    form: str
    name: str
    takes: Takes = Field(description="`elsewhere`: a page of its own prints it.")
    is_list: bool
    version: int = Field(description="0: nobody has changed the shipped one yet.")
    is_own: bool = Field(description="Whether the house's own template is printed.")


class FormsShown(Shape):
    """All forms."""

    forms: list[FormShown]


class FormVersionShown(Shape):
    """A version of a template that was kept; ``source`` None: back to the shipped one."""

    version: int
    kept_at: AwareDatetime
    reason: str
    source: str | None


class FormTemplateShown(FormShown):
    """A form with the template that is printed, and every version that was kept, the newest first."""

    source: str
    versions: list[FormVersionShown]


class FormFilled(Shape):
    """What a form is filled in with."""

    record: Annotated[list[UUID], Field(max_length=MOST)] = Field(default_factory=list, description="Records, by id.")
    language: Literal["zh_CN", "zh_TW", "en"] | None = Field(None, description="Else that of Accept-Language.")
    thickness: int = Field(20, ge=10, le=50, description="Of a box or dossier, in mm, for a spine label.")


@operation("/forms")
def forms() -> FormsShown:
    """List the forms."""
    return FormsShown(forms=[_shown(kind) for kind in KINDS.values()])


@operation("/forms/{form}/template", 403, 404)
def form_template(form: str) -> FormTemplateShown:
    """Show the template of a form with its versions, to who manages forms."""
    kind = _known(form)
    versions = services().forms.versions(identity(), form)
    rows = [
        FormVersionShown(version=row.version, kept_at=row.kept_at, reason=row.reason, source=row.source)
        for row in versions
    ]
    source = services().forms.current(identity(), form).source
    return FormTemplateShown(**_shown(kind).model_dump(), source=source, versions=rows)


@operation("/forms/{form}/pdf", 404)
def form_pdf(form: str, query: FormFilled) -> Response:
    """Print a form, filled in with records as far as you see them, as PDF/A; each printing is logged."""
    _known(form)
    if query.thickness not in THICKNESSES:
        raise InvalidInput(Fault("thickness", "unknown"))
    locale = query.language or problems.language()
    found = gathered(query.record, locale)
    who = services().directory.person(person) if (person := identity().person_id) else None
    words = Words(
        locale, services().guard.day(), person=who.name if who else "", house=house_name(locale),
        options={"thickness": query.thickness},
    )  # fmt: skip
    return pdf_of(kind_for(form, found), found, words)


def _known(form: str) -> Kind:
    if form not in KINDS:
        raise NotFound
    return KINDS[form]


def _shown(kind: Kind) -> FormShown:
    current = services().forms.current(identity(), kind.key)
    return FormShown(
        form=kind.key, name=translator(problems.language())(kind.words), takes=kind.takes, is_list=bool(kind.columns),
        version=current.version, is_own=current.is_own,
    )  # fmt: skip
