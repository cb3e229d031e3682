"""Errors as ``application/problem+json`` (RFC 9457), told through the one table of faults.

A problem holds nothing of the request but the fields at fault, so that hidden and absent answer byte for byte alike.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import cast

from flask import Flask, Response, current_app, g, request
from pydantic import JsonValue
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError, InvalidInput
from web import security, words
from web.api.shapes import FieldFault, Problem
from web.words.errors import ERRORS
from web.words.faults import explain, explain_fault, status_of

MEDIA_TYPE = "application/problem+json"


def language() -> str:
    """Return the language that the request asks for; a person's own choice is for pages, not for programs."""
    return words.best_locale(request.headers.get("Accept-Language"))


def of_error(error: ArchiveError) -> Response:
    """Tell an error of the archive."""
    locale = language()
    faults = error.faults if isinstance(error, InvalidInput) else ()
    fields = [
        FieldFault(
            field=fault.field,
            pointer=_pointer(fault.field),
            code=fault.code,
            detail=explain_fault(fault, locale),
            facts=plain(fault.facts),
        )
        for fault in faults
    ]
    reply = _problem(status_of(error), error.code, explain(error, locale), fields)
    if "seconds" in error.facts:
        reply.headers["Retry-After"] = str(error.facts["seconds"])
    return reply


def plain(facts: Mapping[str, object]) -> dict[str, JsonValue]:
    """Return facts as JSON holds them."""
    found: dict[str, JsonValue] = json.loads(json.dumps(facts, default=str))
    return found


def _pointer(field: str) -> str | None:
    """Return where a field stands in the body, by the shape that the operation takes; a record's own stand below."""
    known = getattr(g.get("sent_shape"), "model_fields", {})
    plain = field.removesuffix("_id")
    steps = plain.removeprefix("fields.").split(".")
    if field in g.get("sent_as_named", ()):
        steps = [] if field == "body" else field.split(".")
    elif not known:
        return None
    elif plain.startswith("fields.") or steps[0] not in known:
        holder = next((name for name in ("fields", "values", "facts") if name in known), None)
        steps = [holder, *steps] if holder else steps
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


def told(code: str) -> Response:
    """Tell one of the table's own errors, those that no service raises."""
    gettext = words.translator(language())
    entry = ERRORS[code]
    lines = [gettext(text) for text in (entry.happened, entry.kept, entry.todo) if text]
    return _problem(entry.status, code, lines, [])


def _problem(status: int, code: str, lines: list[str], fields: list[FieldFault]) -> Response:
    body = Problem(title=HTTPStatus(status).phrase, status=status, code=code, detail="\n".join(lines), fields=fields)
    return Response(body.model_dump_json(), status, mimetype=MEDIA_TYPE)


def init_app(app: Flask) -> None:
    """Let every error leave as a problem."""
    app.register_error_handler(ArchiveError, of_error)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _http(error: HTTPException) -> BaseResponse:
    if error.code is not None and 300 <= error.code < 400:
        return error.get_response()
    if error.code == HTTPStatus.METHOD_NOT_ALLOWED:
        reply = told("wrong_method")
        reply.headers.extend((name, value) for name, value in error.get_headers() if name == "Allow")
        return reply
    if error.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return of_error(cast("security.MemoryRequest", request).too_large())
    if error.code == HTTPStatus.NOT_FOUND:
        return told("not_found")
    return told("bad_request" if error.code and error.code < 500 else "error")


def _unexpected(error: Exception) -> BaseResponse:
    current_app.logger.error("operation failed: %s", request.endpoint, exc_info=error)
    return told("error")
