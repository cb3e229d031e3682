"""Dangerous acts are asked about once more: in a dialog of the page, or without script on a page of its own."""

from collections.abc import Mapping, Sequence

from flask import make_response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from archive.spelling import whole_of
from web.security import local_path

SURE = "sure"
"""The field that says that the act is meant: ``1``, or what had to be typed."""

COUNTED = "counted"
"""The field that says how many things were asked about."""


def asked(
    words: str, button: str, *, back: str, typed: str = "", which: Sequence[tuple[str, str]] = (),
    counted: int | None = None, carried: Mapping[str, str] | None = None,
) -> BaseResponse | None:  # fmt: skip
    """Return the page that asks whether an act is meant, or None once its form says so.

    Args:
        words: what will be gone and what stays, in a plain sentence.
        button: the act, as its button says it.
        back: where whoever does not mean it goes.
        typed: what has to be typed for it, such as a number; "" when pressing the button is enough.
        which: what the act is about, where that takes more than a sentence: labels and values.
        counted: how many things it is about now; when they are more than were asked about, it is asked again.
        carried: fields that the form takes along beside those that it came with, or in their place.
    """
    said = request.form.get(SURE, "").strip()
    before = whole_of(request.form.get(COUNTED, ""))
    grown = counted is not None and counted > (before or 0)
    if said == (typed or "1") and not grown:
        return None
    own = {**(carried or {}), **({} if counted is None else {COUNTED: f"{counted}"})}
    kept = [each for each in request.form.items(multi=True) if each[0] not in {SURE, "csrf_token", *own}]
    page = render_template(
        "sure.html", words=words, button=button, back=local_path(back), typed=typed, fields=[*kept, *own.items()],
        which=which, wrong=bool(said and typed and said != "1"), grown=bool(said and grown and before),
    )  # fmt: skip
    return make_response(page, 200 if not said else 422)
