"""Operations: a function with types is declared once, and is served, checked and described from that declaration."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ParamSpec, TypeVar, cast, get_origin, get_type_hints
from uuid import UUID

from flask import Response, request
from pydantic import BaseModel, TypeAdapter, ValidationError
from werkzeug.datastructures import MultiDict

from archive.errors import Fault, InvalidInput

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound=BaseModel)

CONVERTERS: Mapping[type, str] = {UUID: "uuid", str: "path"}
"""How parts of a path are read; a number may hold slashes."""

_CODES: Mapping[str, str] = {
    "extra_forbidden": "unknown_field",
    "int_parsing": "not_a_number",
    "int_parsing_size": "not_a_number",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
    "string_too_long": "too_long",
    "too_long": "too_long",
}


@dataclass(frozen=True)
class Operation:
    """One thing a program can ask for with GET.

    ``refusals`` are the statuses, beside 401, that this operation answers with in its ordinary life.
    """

    path: str
    act: Callable[..., Any]
    refusals: Sequence[int]

    @property
    def name(self) -> str:
        """The function's name, which is also the operation's id."""
        return self.act.__name__

    @cached_property
    def _hints(self) -> dict[str, Any]:
        return get_type_hints(self.act, include_extras=True)

    @property
    def places(self) -> dict[str, type]:
        """The parts of the path, by name, with their types."""
        return {name: kind for name, kind in self._hints.items() if f"{{{name}}}" in self.path}

    @property
    def query(self) -> type[BaseModel] | None:
        """The shape of the query string; None when the operation takes none."""
        found: type[BaseModel] | None = self._hints.get("query")
        return found

    @cached_property
    def answer(self) -> TypeAdapter[Any] | None:
        """What writes the answer as JSON; None for an operation that sends bytes."""
        shape = self._hints["return"]
        return None if shape is Response else TypeAdapter(shape)

    @property
    def rule(self) -> str:
        """The path as Flask routes it."""
        rule = self.path
        for name, kind in self.places.items():
            rule = rule.replace(f"{{{name}}}", f"<{CONVERTERS[kind]}:{name}>")
        return rule

    def serve(self, **places: Any) -> Response:
        """Answer the present request."""
        shape = self.query or _Nothing
        query = read(shape, request.args)
        found: Any = self.act(**places, query=query) if self.query else self.act(**places)
        if isinstance(found, Response) or self.answer is None:
            return cast("Response", found)
        return Response(self.answer.dump_json(found), mimetype="application/json")


class _Nothing(BaseModel, extra="forbid"):
    """The query of an operation that takes none."""


OPERATIONS: list[Operation] = []
"""Every operation under ``/api/v1``, in the order of the document."""


def operation(path: str, *refusals: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a function as the operation at ``path`` (written as OpenAPI writes it: ``/records/{record_id}``)."""

    def declare(act: Callable[P, R]) -> Callable[P, R]:
        OPERATIONS.append(Operation(f"/api/v1{path}", act, refusals))
        return act

    return declare


def read(shape: type[S], given: MultiDict[str, str]) -> S:
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


def _fault(shape: type[BaseModel], found: Mapping[str, Any]) -> Fault:
    name = str(found["loc"][0])
    facts = {}
    code = _CODES.get(found["type"], "unknown")
    if code == "out_of_range":
        rule = shape.model_json_schema()["properties"][name]
        facts = {"low": rule["minimum"], "high": rule["maximum"]}
    elif code == "too_long":
        facts = {"limit": found["ctx"]["max_length"]}
    return Fault(name[:100], code, facts)
