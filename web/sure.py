"""Dangerous acts are asked about once more: in a dialog of the page, or without script on a page of its own."""

from collections.abc import Sequence

from flask import make_response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from web.security import local_path

SURE = "sure"
"""The field that says that the act is meant: ``1``, or what had to be typed."""


def asked(
    words: str, button: str, *, back: str, typed: str = "", which: Sequence[tuple[str, str]] = ()
) -> BaseResponse | None:
    """Return the page that asks whether an act is meant, or None once its form says so.

    Args:
        words: what will be gone and what stays, in a plain sentence.
        button: the act, as its button says it.
        back: where whoever does not mean it goes.
        typed: what has to be typed for it, such as a number; "" when pressing the button is enough.
        which: what the act is about, where that takes more than a sentence: labels and values.
    """
    said = request.form.get(SURE, "").strip()
    if said == (typed or "1"):
        return None
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in {SURE, "csrf_token"}]
    page = render_template(
        "sure.html", words=words, button=button, back=local_path(back), typed=typed, fields=fields,
        which=which, wrong=bool(said and typed and said != "1"),
    )  # fmt: skip
    return make_response(page, 200 if not said else 422)
