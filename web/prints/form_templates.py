"""The templates of printed forms: looked at, changed with a live preview, kept as versions, put back."""

from base64 import b64encode

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, Fault, InvalidInput, NotAllowed, NotFound
from archive.forms import LONGEST_REASON, LONGEST_SOURCE
from archive.policy.rules import Act
from indexer.sandbox.typeset import NotSet
from web.asking import require, told
from web.i18n import current_locale
from web.prints.kinds import KINDS, Kind, shipped
from web.prints.samples import sample
from web.prints.setting import fault_of
from web.services import identity, services
from web.words.faults import explain_fault, status_of

pages = Blueprint("form_templates", __name__, url_prefix="/house/forms")

SHOWN_PAGES = 2
"""Pages of a preview."""


@pages.get("")
def every() -> str:
    """List the forms, with the version that is printed and who made it."""
    newest = services().forms.newest(identity())
    names = services().directory.people(row.kept_by for row in newest.values())
    return render_template("house/form_templates.html", kinds=KINDS.values(), newest=newest, names=names)


@pages.get("/<key>")
def show(key: str) -> BaseResponse:
    """Show a form's template to be changed, beside its pages; one of its versions where the address names it."""
    kind = _known(key)
    versions = services().forms.versions(identity(), key)
    current = services().forms.current(identity(), key)
    asked = request.args.get("version", "")
    older = next((row for row in versions if str(row.version) == asked), None)
    source = current.source if older is None else older.source or shipped(key)
    values = {"source": shipped(key) if asked == "shipped" else source, "version": current.version}
    return _page(kind, values)


@pages.post("/<key>/preview")
def preview(key: str) -> BaseResponse:
    """Draw the pages of a template that is being written, as a part of the page that asks for it, or whole."""
    kind = _known(key)
    require(Act.MANAGE_FORMS)
    if request.headers.get("HX-Request"):
        return make_response(_drawn(kind, _typed()))
    return _page(kind, request.form)


@pages.post("/<key>")
def keep(key: str) -> BaseResponse:
    """Keep a template as the form's newest version."""
    kind, form = _known(key), request.form
    try:
        services().forms.keep(identity(), key, _typed(), form.get("reason", ""), version=_base())
    except (NotAllowed, NotFound):
        raise
    except ArchiveError as error:
        return _page(kind, form, error)
    flash(_("The template is kept. The form is printed by it from now on."))
    return redirect(url_for(".show", key=key), 303)


@pages.post("/<key>/back")
def back(key: str) -> BaseResponse:
    """Have a form printed by its shipped template again."""
    _known(key)
    services().forms.back(identity(), key, version=_base())
    flash(_("The form is printed by the shipped template again. Your versions stay listed."))
    return redirect(url_for(".show", key=key), 303)


def _known(key: str) -> Kind:
    if key not in KINDS:
        raise NotFound
    return KINDS[key]


def _typed() -> str:
    return request.form.get("source", "")[: LONGEST_SOURCE + 1].replace("\r\n", "\n")


def _base() -> int:
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1


def _drawn(kind: Kind, source: str) -> str:
    """Return the part of the page that shows a template's pages, or what is wrong with it."""
    made: tuple[list[bytes], int] | NotSet | None = None
    fault = Fault("source", "too_long", {"limit": LONGEST_SOURCE}) if len(source) > LONGEST_SOURCE else None
    if fault is None:
        made = services().typesetter.pictures(source, sample(kind.key, current_locale()), SHOWN_PAGES)
        fault = fault_of(made) if isinstance(made, NotSet) else None
    shown, count = made if isinstance(made, tuple) else ([], 0)
    return render_template(
        "house/form_preview.html", pictures=[b64encode(each).decode() for each in shown], count=count,
        fault=explain_fault(fault, current_locale()) if fault else "",
    )  # fmt: skip


def _page(kind: Kind, values: object, error: ArchiveError | None = None) -> BaseResponse:
    require(Act.MANAGE_FORMS)
    lines, faults = told(error, ("source", "reason")) if error else ([], {})
    versions = services().forms.versions(identity(), kind.key)
    source = values["source"] if isinstance(values, dict) else _typed()
    page = render_template(
        "house/form_template.html", kind=kind, values=values, lines=lines, faults=faults, versions=versions,
        names=services().directory.people(row.kept_by for row in versions), limit=LONGEST_REASON,
        current=services().forms.current(identity(), kind.key),
        preview=_drawn(kind, source) if not isinstance(error, InvalidInput) else "",
        labels={"source": _("Template"), "reason": _("What was changed")},
    )  # fmt: skip
    return make_response(page, status_of(error) if error else 200)
