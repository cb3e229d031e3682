"""Dangerous acts are asked about once more: in a dialog of the page, or without script on a page of its own."""

from collections.abc import Mapping, Sequence

from flask import make_response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from web.security import local_path

SURE = "sure"
"""The field that says that the act is meant: ``1``, or what had to be typed."""

ABOUT = "about"
"""The field with the mark of what was asked about."""


def asked(
    words: str, button: str, *, back: str, typed: str = "", which: Sequence[tuple[str, str]] = (),
    about: str = "", carried: Mapping[str, str] | None = None,
) -> BaseResponse | None:  # fmt: skip
    """Return the page that asks whether an act is meant, or None once its form says so.

    Args:
        words: what will be gone and what stays, in a plain sentence.
        button: the act, as its button says it.
        back: where whoever does not mean it goes.
        typed: what has to be typed for it, such as a number; "" when pressing the button is enough.
        which: what the act is about, where that takes more than a sentence: labels and values.
        about: a mark of what it is about now, such as how many; where it changes after the question, that is put again.
        carried: fields that the form takes along beside those that it came with, or in their place.
    """
    said = request.form.get(SURE, "").strip()
    before = request.form.get(ABOUT, "")
    changed = bool(about) and before != about
    if said == (typed or "1") and not changed:
        return None
    own = {**(carried or {}), **({ABOUT: about} if about else {})}
    kept = [each for each in request.form.items(multi=True) if each[0] not in {SURE, "csrf_token", *own}]
    page = render_template(
        "sure.html", words=words, button=button, back=local_path(back), typed=typed, fields=[*kept, *own.items()],
        which=which, wrong=bool(said and typed and said != "1"), changed=bool(said and changed and before),
    )  # fmt: skip
    return make_response(page, 200 if not said else 422)
