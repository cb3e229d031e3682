"""Templates, routes and statements compiled once for a whole run: most tests make a house of their own."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

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
    compiled: dict[Any, _Builder] = {}
    plain = Rule._compile_builder

    def builder(rule: Rule, append_unknown: bool = True) -> _Builder:
        key = (rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown)
        if key not in compiled:
            compiled[key] = plain(rule, append_unknown)
        return compiled[key]

    Rule._compile_builder = builder  # type: ignore[method-assign]


def _share_statements() -> None:
    """Let all databases of a kind share one cache of statements: opened in one way, their dialects are equal."""
    DefaultDialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign, assignment]
    DefaultDialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign, assignment]
    shared: LRUCache[Any, Any] = LRUCache(3_000)
    Engine._compiled_cache = property(lambda _: shared, lambda _, _own: None)  # type: ignore[assignment]
