"""Operations: a function with types is declared once, and is served, checked and described from that declaration.

What the function's parameters are called says where they come from: the parts of the path by their names, ``query`` the
query string, ``body`` what was sent, ``version`` the version that ``If-Match`` names.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from inspect import signature
from types import NoneType
from typing import Any, ParamSpec, TypeVar, cast, get_type_hints
from uuid import UUID

from flask import Response, g, request
from pydantic import BaseModel, TypeAdapter

from archive.errors import Conflict, Fault
from web.api import reading
from web.api.refusals import Stale

P = ParamSpec("P")
R = TypeVar("R")

PREFIX = "/api/v1"

CONVERTERS: Mapping[type, str] = {UUID: "uuid", str: "path"}
"""How parts of a path are read; a number may hold slashes. One that is followed by more of the path holds none."""


@dataclass(frozen=True)
class Operation:
    """One thing a program can ask for.

    Args:
        path: as OpenAPI writes it.
        act: the function that does it.
        refusals: the statuses, beside those that any operation may have, that it answers with in its ordinary life.
        method: of HTTP.
        status: of an answer.
        tagged: whether the answer carries an ``ETag`` (it has a ``version``), and ``If-None-Match`` is heeded.
        unlogged: whether the act writes no log, so that its first transaction is the one that counts.
        again: makes the answer anew when the first one was lost: from what was acted on, which stands first in the
            path; where something was made (201), from what the log's entry is about.
        speaks: whether the answer holds words, so that it is not kept.
        made_at: where what was made is shown, with names of the answer in it: what ``Location`` says.
        check: what is wrong with a body besides its shape, to be told with a name that is not known.
    """

    path: str
    act: Callable[..., Any]
    refusals: Sequence[int]
    method: str = "GET"
    status: int = 200
    tagged: bool = False
    unlogged: bool = False
    again: Callable[[UUID], BaseModel] | None = None
    speaks: bool = False
    made_at: str = ""
    check: Callable[[Any], Sequence[Fault]] | None = None

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

    @property
    def body(self) -> type[BaseModel | bytes] | None:
        """The shape of what is sent, ``bytes`` for a piece of a file; None when nothing is."""
        found: type[BaseModel | bytes] | None = self._hints.get("body")
        return found

    @property
    def takes_version(self) -> bool:
        """Whether the caller must name the version that the change is made on."""
        return "version" in signature(self.act).parameters

    @property
    def repeatable(self) -> bool:
        """Whether a key makes that the same request is done once."""
        return self.method == "POST"

    @cached_property
    def answer(self) -> TypeAdapter[Any] | None:
        """What writes the answer as JSON; None for an operation that sends bytes or nothing."""
        shape = self._hints["return"]
        return None if shape in {Response, NoneType} else TypeAdapter(shape)

    @property
    def sends_bytes(self) -> bool:
        """Whether the answer is a file."""
        return self._hints["return"] is Response

    @property
    def rule(self) -> str:
        """The path as Flask routes it."""
        rule = self.path
        for name, kind in self.places.items():
            converter = CONVERTERS[kind] if self.path.endswith(f"{{{name}}}") or kind is UUID else "string"
            rule = rule.replace(f"{{{name}}}", f"<{converter}:{name}>")
        return rule

    def perform(self, **places: Any) -> Response:
        """Do what the present request asks for, and answer it."""
        asked: dict[str, Any] = dict(places)
        query = reading.query(self.query or reading.Nothing, request.args)
        if self.query:
            asked["query"] = query
        if self.body:
            g.sent_shape = self.body
            asked["body"] = reading.body(self.body, self.check)
        if self.takes_version:
            asked["version"] = reading.version()
        try:
            found: Any = self.act(**asked)
        except Conflict as error:
            if self.takes_version and type(error) is Conflict and error.facts.get("what") != "request":
                raise Stale(**error.facts) from error
            raise
        return self.written(found)

    def written(self, found: Any) -> Response:
        """Write an answer."""
        if found is None:
            return Response(status=204)
        if self.answer is None:
            return cast("Response", found)
        text = self.answer.dump_json(found)
        reply = Response(text, self.status, mimetype="application/json")
        if self.tagged and (number := getattr(found, "version", None)) is not None:
            reply.set_etag(reading.tag(number, text))
            reply.make_conditional(request)
        return self.located(reply)

    def located(self, reply: Response) -> Response:
        """Say where what an answer tells of is shown."""
        if self.made_at:
            reply.location = PREFIX + self.made_at.format(**reply.get_json())
        return reply


OPERATIONS: list[Operation] = []
"""Every operation under ``/api/v1``, in the order of the document."""


def operation(path: str, *refusals: int, **more: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a function as the operation at ``path`` (written as OpenAPI writes it: ``/records/{record_id}``).

    ``more`` is what else an ``Operation`` is made of.
    """

    def declare(act: Callable[P, R]) -> Callable[P, R]:
        OPERATIONS.append(Operation(PREFIX + path, act, refusals, **more))
        return act

    return declare
