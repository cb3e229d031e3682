"""What a request says, read by shapes: query string, body, and the version that a change is made on."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, get_origin

from flask import g, request
from pydantic import BaseModel, ValidationError
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from archive.errors import Fault, InvalidInput, TooLarge
from archive.ports import PIECE_BYTES
from web.api.refusals import VersionNeeded, WrongType

S = TypeVar("S", bound=BaseModel)

JSON = "application/json"
BYTES = "application/octet-stream"
MOST_JSON = 1024 * 1024
"""Bytes of a JSON body."""

_CODES: Mapping[str, str] = {
    "extra_forbidden": "unknown_field",
    "missing": "required",
    "string_too_short": "required",
    "too_short": "required",
    "int_parsing": "not_a_number",
    "int_parsing_size": "not_a_number",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
    "string_too_long": "too_long",
    "too_long": "too_long",
    "json_invalid": "bad_json",
}

_MOMENTS = (("datetime_", "not_a_moment"), ("timezone_", "not_a_moment"), ("date_", "not_a_day"))
"""Codes by how what is wrong with days and moments begins."""


class Nothing(BaseModel, extra="forbid"):
    """The query of an operation that takes none."""


def query(shape: type[S], given: MultiDict[str, str]) -> S:
    """Read a query string.

    Raises:
        InvalidInput: names each parameter that is unknown, given twice, or of a value that cannot be.
    """
    lists = {name for name, field in shape.model_fields.items() if get_origin(field.annotation) is list}
    values = {name: given.getlist(name) if name in lists else given[name] for name in given}
    repeated = [name for name in given if name not in lists and len(given.getlist(name)) > 1]
    if repeated:
        raise InvalidInput(*(Fault(name[:100], "repeated") for name in repeated))
    try:
        return shape.model_validate(values)
    except ValidationError as error:
        raise InvalidInput(*(_fault(shape, each) for each in error.errors())) from None


def body(shape: Any, check: Callable[[Any], Sequence[Fault]] | None = None) -> Any:
    """Read what was sent: a piece of a file, or a document of ``shape``; nothing unknown, nothing of another type.

    Raises:
        WrongType: it is said to be something else.
        TooLarge: more bytes than are taken.
        InvalidInput: names each field at fault; where ``check`` finds more than the shape forbids, that too.
    """
    wanted, most = (BYTES, PIECE_BYTES) if shape is bytes else (JSON, MOST_JSON)
    if request.mimetype != wanted:
        raise WrongType(wanted=wanted)
    if (request.content_length or 0) > most:
        raise TooLarge(limit=most, size=request.content_length)
    try:
        data = request.get_data()
    except RequestEntityTooLarge as error:
        raise TooLarge(limit=most, size=most + 1) from error
    if len(data) > most:
        raise TooLarge(limit=most, size=len(data))
    if shape is bytes:
        return data
    try:
        return shape.model_validate_json(data, strict=True)
    except ValidationError as error:
        faults = [_fault(shape, each) for each in error.errors()]
        g.sent_as_named = {each.field for each in faults}  # by where they stand
        if check and all(each["type"] == "extra_forbidden" and len(each["loc"]) == 1 for each in error.errors()):
            known = {name: value for name, value in json.loads(data).items() if name in shape.model_fields}
            faults += check(shape.model_validate_json(json.dumps(known), strict=True))
        raise InvalidInput(*faults) from None


def version() -> int:
    """Return the version that ``If-Match`` names; one that cannot be any is told as one that has passed.

    Raises:
        VersionNeeded: none is named.
    """
    asked = request.if_match
    if not asked or asked.star_tag:
        raise VersionNeeded
    numbers = [part for tag in asked for part in [tag.partition("-")[0]] if part.isascii() and part.isdigit()]
    return int(numbers[0]) if len(numbers) == 1 and len(numbers[0]) < 10 else -1


def tag(number: int, text: bytes) -> str:
    """Return the entity tag of an answer: its version, and what tells two answers of one version apart."""
    return f"{number}-{hashlib.sha256(text).hexdigest()[:16]}"


def _fault(shape: type[BaseModel], found: Mapping[str, Any]) -> Fault:
    kind = str(found["type"])
    where = [str(part) for part in found["loc"]]
    name = ".".join(where) or "body"
    code = _CODES.get(kind) or next((code for start, code in _MOMENTS if kind.startswith(start)), "")
    code = code or ("wrong_type" if kind.endswith(("_type", "_parsing")) else "unknown")
    facts: dict[str, Any] = {}
    if code == "out_of_range":
        rule, own = _rule(shape.model_json_schema()["properties"].get(where[0], {})), found.get("ctx", {})
        low, high = rule.get("minimum", own.get("ge", 0)), rule.get("maximum", own.get("le", ""))
        facts = {
            name: one if isinstance(one, int | float) else str(one) for name, one in (("low", low), ("high", high))
        }
    elif code == "too_long":
        facts = {"limit": found["ctx"]["max_length"]}
    return Fault(name[:100], code, facts)


def _rule(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((each for each in [schema, *schema.get("anyOf", ())] if "minimum" in each), {})
