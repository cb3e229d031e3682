"""The OpenAPI 3.1 document, made from the operations and shapes that serve the requests."""

from collections.abc import Mapping
from http import HTTPStatus
from inspect import getdoc
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, TypeAdapter

from web.api import acts
from web.api.operations import OPERATIONS, Operation
from web.api.problems import MEDIA_TYPE
from web.api.shapes import Problem

VERSION = "1.0"
REFERENCE = "#/components/schemas/{model}"
_AUTHENTICATE = {"WWW-Authenticate": {"schema": {"type": "string"}}}
_RANGE_HEADER = {"Content-Range": {"schema": {"type": "string"}}}

REFUSALS: Mapping[int, str] = {
    401: "There is no valid token; one answer for a missing, wrong, ended or foreign one.",
    403: "This person may see the record, but not read its files.",
    404: "There is nothing here that this person can see: absent and hidden are the same answer.",
    409: "The number may mean several records that this person sees; `detail` names them.",
    416: "The range cannot be sent.",
    422: "Some parameters cannot be taken; `fields` names each.",
    503: "A part of the system does not answer.",
}


def document() -> dict[str, Any]:
    """Return the document. It needs no archive."""
    answers = [(each.name, each.answer) for each in OPERATIONS if each.answer is not None]
    inputs: list[tuple[str, Literal["serialization"], TypeAdapter[Any]]] = [
        (name, "serialization", adapter) for name, adapter in [*answers, ("problem", TypeAdapter(Problem))]
    ]
    made, shared = TypeAdapter.json_schemas(inputs, ref_template=REFERENCE)
    schemas = {name: schema for (name, _mode), schema in made.items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Juanku 卷库",
            "version": VERSION,
            "description": (
                f"{getdoc(acts)}\n\nMake a token with `juanku user token LOGIN --name WHAT` and send it as "
                "`Authorization: Bearer TOKEN`. Words of errors and marks follow `Accept-Language` (zh-CN, zh-TW, en)."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"token": []}],
        "paths": {each.path: {"get": _operation(each, schemas)} for each in OPERATIONS},
        "components": {
            "schemas": shared.get("$defs", {}),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(one: Operation, schemas: Mapping[str, Any]) -> dict[str, Any]:
    responses = _bytes() if one.answer is None else {"200": _json("The answer.", schemas[one.name])}
    for status in sorted({401, *one.refusals}):
        responses[str(status)] = _problem(REFUSALS[status], schemas)
    responses["401"]["headers"] = _AUTHENTICATE
    if "416" in responses:
        responses["416"]["headers"] = _RANGE_HEADER
    responses["default"] = _problem("Any other error.", schemas)
    return {
        "operationId": one.name,
        "summary": (getdoc(one.act) or "").splitlines()[0],
        "parameters": _parameters(one),
        "responses": responses,
    }


def _parameters(one: Operation) -> list[dict[str, Any]]:
    places = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "format": "uuid"} if kind is UUID else {"type": "string"},
        }
        for name, kind in one.places.items()
    ]
    header = {"in": "header", "required": False, "schema": {"type": "string"}}
    language = {"name": "Accept-Language", "description": "The language of words.", **header}
    span = [{"name": "Range", "description": "One range, such as bytes=0-1023.", **header}] if not one.answer else []
    return [*places, *_query(one.query), *span, language]


def _query(shape: type[BaseModel] | None) -> list[dict[str, Any]]:
    if shape is None:
        return []
    parameters = []
    for name, schema in shape.model_json_schema(ref_template=REFERENCE)["properties"].items():
        described = {"description": schema.pop("description")} if "description" in schema else {}
        parameters.append({"name": name, "in": "query", "required": False, **described, "schema": schema})
    return parameters


def _json(description: str, schema: Any, media_type: str = "application/json") -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": schema}}}


def _problem(description: str, schemas: Mapping[str, Any]) -> dict[str, Any]:
    return _json(description, schemas["problem"], MEDIA_TYPE)


def _bytes() -> dict[str, dict[str, Any]]:
    text = {"schema": {"type": "string"}}
    headers = {"Content-Disposition": text, "Accept-Ranges": text}
    content: dict[str, Any] = {"*/*": {}}
    return {
        "200": {"description": HTTPStatus.OK.phrase, "headers": headers, "content": content},
        "206": {
            "description": HTTPStatus.PARTIAL_CONTENT.phrase,
            "headers": headers | _RANGE_HEADER,
            "content": content,
        },
    }
