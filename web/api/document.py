"""The OpenAPI 3.1 document, made from the operations and shapes that serve the requests."""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from inspect import getdoc
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, TypeAdapter

from web.api import (
    acts,
    appraising,
    arranging,
    batches,
    bulk,
    circulating,
    classing,
    correcting,
    counter,
    counting,
    deciding,
    describing,
    forms,
    hanging,
    judging,
    keeping,
    leaving,
    leaving_acts,
    lending,
    organising,
    renewing,
    required,
    retaining,
    rights,
    running,
    scheduling,
    sending,
    shelving,
    spreadsheets,
    telling,
)
from web.api.once import HEADER
from web.api.operations import OPERATIONS, Operation
from web.api.problems import MEDIA_TYPE
from web.api.reading import BYTES, JSON
from web.api.shapes import Problem

PARTS = (
    acts,
    describing,
    correcting,
    arranging,
    sending,
    hanging,
    judging,
    keeping,
    shelving,
    counting,
    batches,
    required,
    bulk,
    circulating,
    lending,
    telling,
    retaining,
    forms,
    leaving,
    renewing,
    counter,
    deciding,
    spreadsheets,
    rights,
    scheduling,
    running,
    leaving_acts,
    appraising,
    classing,
    organising,
)
"""The modules whose operations are served."""

VERSION = "1.4"
REFERENCE = "#/components/schemas/{model}"
PROBLEM = "#/components/responses/{name}"
_TEXT = {"schema": {"type": "string"}}
_AUTHENTICATE = {"WWW-Authenticate": _TEXT}
_RANGE_HEADER = {"Content-Range": _TEXT}
_WAIT = {"Retry-After": {"schema": {"type": "integer"}}}
_LOCATION = {"Location": {"description": "Where what was made is shown.", **_TEXT}}
_TAG = {"ETag": _TEXT}

REFUSALS: Mapping[int, str] = {
    401: "There is no valid token; one answer for a missing, wrong, ended or foreign one.",
    403: "This person may not do this, or not on this; or the token is for reading alone.",
    404: "There is nothing here that this person can see: absent and hidden are the same answer.",
    409: "It cannot be done as things stand; `code` and `detail` say why. With a key, the same request may be running.",
    412: "The thing is no longer at the version that `If-Match` names.",
    413: "The body is larger than what is taken.",
    415: "The body is not of the media type that is taken.",
    416: "The range cannot be sent.",
    422: "Some parameters or fields cannot be taken; `fields` names each.",
    428: "`If-Match` is missing.",
    429: "There were too many requests; `Retry-After` says how long to wait.",
    503: "A part of the system does not answer.",
}


@cache
def written() -> tuple[bytes, str]:
    """Return the document as it is served, and its entity tag."""
    text = json.dumps(document(), ensure_ascii=False).encode()
    return text, hashlib.sha256(text).hexdigest()[:16]


@cache
def document() -> dict[str, Any]:
    """Return the document; it needs no archive, and is the same in all of a process's life."""
    made, shared = TypeAdapter.json_schemas(_shapes(), ref_template=REFERENCE)
    schemas = {name: schema for (name, _mode), schema in made.items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Juanku 卷库",
            "version": VERSION,
            "description": (
                "What programs can ask for, under the same policy as the pages.\n\nMake a token on the page of your "
                " account, or with `juanku user token LOGIN --name WHAT`, and send it as "
                "`Authorization: Bearer TOKEN`. Words of errors and marks follow `Accept-Language` (zh-CN, zh-TW, en)."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"token": []}],
        "paths": _paths(schemas),
        "components": {
            "schemas": shared.get("$defs", {}),
            "responses": _problems(schemas),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _shapes() -> list[tuple[str, Literal["validation", "serialization"], TypeAdapter[Any]]]:
    """Return every shape with what it is called here: ``NAME`` for an answer, ``NAME.sent`` for what is sent."""
    shapes: list[tuple[str, Literal["validation", "serialization"], TypeAdapter[Any]]] = [
        ("problem", "serialization", TypeAdapter(Problem))
    ]
    for each in OPERATIONS:
        if each.answer is not None:
            shapes.append((each.name, "serialization", each.answer))
        if each.body not in {None, bytes}:
            shapes.append((f"{each.name}.sent", "validation", TypeAdapter(each.body)))
    return shapes


def _paths(schemas: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = {}
    for each in OPERATIONS:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, schemas)
    return paths


def _operation(one: Operation, schemas: Mapping[str, Any]) -> dict[str, Any]:
    responses = _answers(one, schemas)
    for status in sorted(refusals(one)):
        responses[str(status)] = {"$ref": PROBLEM.format(name=status)}
    responses["default"] = {"$ref": PROBLEM.format(name="other")}
    sent = {"requestBody": _sent(one, schemas)} if one.body else {}
    return {
        "operationId": one.name,
        "summary": (getdoc(one.act) or "").splitlines()[0],
        "parameters": _parameters(one),
        **sent,
        "responses": responses,
    }


def _problems(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers that refuse, by status; each operation names those that it may give."""
    told = {str(status): _problem(words, schemas) for status, words in REFUSALS.items()}
    told["other"] = _problem("Any other error.", schemas)
    told["401"]["headers"], told["416"]["headers"], told["429"]["headers"] = _AUTHENTICATE, _RANGE_HEADER, _WAIT
    return told


def refusals(one: Operation) -> set[int]:
    """Return every status of an error that an operation may answer with."""
    found = {401, 422, 429, *one.refusals}
    if one.method != "GET":
        found.add(403)
    if one.repeatable:
        found.add(409)
    if one.body:
        found |= {413, 415}
    if one.takes_version:
        found |= {412, 428}
    return found


def _answers(one: Operation, schemas: Mapping[str, Any]) -> dict[str, Any]:
    if one.sends_bytes:
        return _bytes()
    if one.answer is None:
        return {str(one.status): {"description": "Done."}}
    answer = _json("The answer.", schemas[one.name])
    if one.made_at:
        answer["headers"] = _LOCATION
    if not one.tagged:
        return {str(one.status): answer}
    unchanged = {"description": "It is as it was when it had this tag.", "headers": _TAG}
    return {str(one.status): answer | {"headers": _TAG}, "304": unchanged}


def _sent(one: Operation, schemas: Mapping[str, Any]) -> dict[str, Any]:
    if one.body is bytes:
        return {"required": True, "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}}}
    return {"required": True, "content": {JSON: {"schema": schemas[f"{one.name}.sent"]}}}


def _parameters(one: Operation) -> list[dict[str, Any]]:
    places = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "format": "uuid"} if kind is UUID else {"type": "string", "minLength": 1},
        }
        for name, kind in one.places.items()
    ]
    headers = [("Accept-Language", "The language of words.", False)]
    if one.sends_bytes:
        headers.append(("Range", "One range, such as bytes=0-1023.", False))
    if one.tagged:
        headers.append(("If-None-Match", "The tag of an answer that you have.", False))
    if one.takes_version:
        headers.append(("If-Match", "The ETag, or the quoted version, that the change is made on.", True))
    if one.repeatable:
        headers.append((HEADER, "A name of this request: sent again under it, it is done once. Kept 7 days.", False))
    told = [
        {"name": name, "in": "header", "description": text, "required": needed, "schema": {"type": "string"}}
        for name, text, needed in headers
    ]
    return [*places, *_query(one.query), *told]


def _query(shape: type[BaseModel] | None) -> list[dict[str, Any]]:
    if shape is None:
        return []
    parameters = []
    whole = shape.model_json_schema()
    for name, part in whole["properties"].items():
        schema = _plain(part, whole.get("$defs", {}))
        described = {"description": schema.pop("description")} if "description" in schema else {}
        required = name in whole.get("required", ())
        parameters.append({"name": name, "in": "query", "required": required, **described, "schema": schema})
    return parameters


def _plain(schema: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """Return a parameter's schema on its own: nothing referred to, and no null, which no query string can say."""
    choices = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    rest = {name: value for name, value in schema.items() if name not in {"anyOf", "$ref", "default"}}
    for each in [*choices, schema]:
        if "$ref" in each:
            return {**shared[each["$ref"].rpartition("/")[2]], **rest}
    return {**(choices[0] if choices else {}), **rest}


def _json(description: str, schema: Any, media_type: str = JSON) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": schema}}}


def _problem(description: str, schemas: Mapping[str, Any]) -> dict[str, Any]:
    return _json(description, schemas["problem"], MEDIA_TYPE)


def _bytes() -> dict[str, dict[str, Any]]:
    headers = {"Content-Disposition": _TEXT, "Accept-Ranges": _TEXT}
    content: dict[str, Any] = {"*/*": {}}
    return {
        "200": {"description": HTTPStatus.OK.phrase, "headers": headers, "content": content},
        "206": {
            "description": HTTPStatus.PARTIAL_CONTENT.phrase,
            "headers": headers | _RANGE_HEADER,
            "content": content,
        },
    }
