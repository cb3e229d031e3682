"""Templates, routes and statements compiled once for a whole run: most tests make a house of their own."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug.routing import BaseConverter, Rule
from werkzeug.routing.rules import RulePart

_Builder = Callable[..., tuple[str, str]]


class _Kept(BytecodeCache):
    """What templates compile to, by name and source, in this process's memory."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if (kept := self._kept.get((bucket.key, bucket.checksum))) is not None:
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


def compile_once() -> None:
    """Let all applications and databases of this process share what templates, routes and statements compile to."""
    _share_statements()
    Flask.jinja_options = {"bytecode_cache": _Kept()}
    _share_routes()


def _share_routes() -> None:
    """Let a route that an earlier application had take over what its rule was parsed and compiled to."""
    compiled: dict[Any, _Builder] = {}
    parsed: dict[Any, tuple[list[RulePart], list[tuple[bool, str]], dict[str, BaseConverter], set[str]]] = {}
    plain_builder, plain_parse = Rule._compile_builder, Rule._parse_rule

    def builder(rule: Rule, append_unknown: bool = True) -> _Builder:
        key = (rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown)
        if key not in compiled:
            compiled[key] = plain_builder(rule, append_unknown)
        return compiled[key]

    def parse(rule: Rule, text: str) -> Iterable[RulePart]:
        assert rule.map is not None
        key = (text, tuple(rule.map.converters.values()))
        if key not in parsed:
            own = Rule(text)
            own.map, own._trace, own._converters = rule.map, [], {}
            parsed[key] = [*plain_parse(own, text)], own._trace, own._converters, own.arguments
        parts, trace, converters, arguments = parsed[key]
        rule._trace += trace
        rule._converters |= converters
        rule.arguments |= arguments
        return parts

    Rule._compile_builder = builder  # type: ignore[method-assign]
    Rule._parse_rule = parse  # type: ignore[method-assign]


def _share_statements() -> None:
    """Let all databases of a kind share one cache of statements: opened in one way, their dialects are equal."""
    DefaultDialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign, assignment]
    DefaultDialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign, assignment]
    shared: LRUCache[Any, Any] = LRUCache(3_000)
    Engine._compiled_cache = property(lambda _: shared, lambda _, _own: None)  # type: ignore[assignment]
