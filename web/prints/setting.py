"""A form set: the template that holds now, its data, and what is said when it cannot be."""

from collections.abc import Callable, Mapping
from typing import Any

from archive.errors import Fault, InvalidInput
from archive.forms import Template
from indexer.extract.answer import Reason
from indexer.sandbox.typeset import TRIAL, NotSet, Typesetter
from web.prints.kinds import FOLDER, KINDS, shipped
from web.prints.samples import sample
from web.words import DEFAULT_LOCALE

_CODES: Mapping[Reason, str] = {
    Reason.TIME: "form_time",
    Reason.MEMORY: "form_memory",
    Reason.TOO_LARGE: "form_size",
    Reason.UNSUPPORTED: "form_walls",
}


def typesetter() -> Typesetter:
    """Return what sets the forms of this program."""
    return Typesetter(FOLDER)


def shipped_forms() -> Mapping[str, Callable[[], str]]:
    """Return the shipped templates by the keys of their forms, each read when it is asked for."""
    return {key: lambda key=key: shipped(key) for key in KINDS}  # type: ignore[misc]  # bound as it is made


def trial(setter: Typesetter) -> Callable[[str, str], None]:
    """Return what tries a template: it sets it with made data, or raises ``InvalidInput`` of ``source``."""

    def try_out(key: str, source: str) -> None:
        made = setter.pdf(source, sample(key, DEFAULT_LOCALE), limits=TRIAL)
        if isinstance(made, NotSet):
            raise InvalidInput(fault_of(made))

    return try_out


def printed(setter: Typesetter, template: Template, data: Mapping[str, Any]) -> bytes:
    """Return the PDF/A of a form.

    Raises:
        InvalidInput: the house's own template does not take this data; the fault is of ``source``.
        Unavailable: no process can be started.
    """
    made = setter.pdf(template.source, data, hostile=template.is_own)
    if isinstance(made, NotSet):
        raise InvalidInput(fault_of(made))
    return made


def fault_of(made: NotSet) -> Fault:
    """Return what is said of a form that was not set."""
    if made.reason is Reason.BROKEN:
        code = "form_broken" if made.line is None else "form_broken_line"
        return Fault("source", code, {"told": made.words, "line": made.line})
    return Fault("source", _CODES.get(made.reason, "form_crashed"))
