"""A house as programs reach it: by tokens, each answer held against the document that describes it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from flask import Flask
from sqlalchemy import select
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, RequestRedirect, Rule
from werkzeug.test import TestResponse

from archive.cataloguing.describing import Draft
from archive.identity import system
from archive.log.writer import Log
from archive.model import LogEntry, TokenScope
from indexer.indexing import IndexRecords
from indexer.search import SearchService
from indexer.tantivy.engine import TantivyEngine
from tests.factories.web_house import WebHouse, a_web_house
from web.api.document import document
from web.api.operations import OPERATIONS, Operation
from web.app import create_app

TEXT = "电梯维修合同正文。" * 400


@dataclass
class ApiHouse:
    """A house with a real search engine, its application, and a token for each person."""

    web: WebHouse
    app: Flask
    indexing: IndexRecords

    def get(self, path: str, login: str | None = "archivist", **headers: str) -> TestResponse:
        return self.ask("GET", path, login, **headers)

    def ask(
        self,
        method: str,
        path: str,
        login: str | None = "archivist",
        *,
        json: Any = None,
        data: bytes | None = None,
        **headers: str,
    ) -> TestResponse:
        """Send a request; a document as JSON, bytes as a piece of a file."""
        if login is not None:
            headers["Authorization"] = f"Bearer {self.token(login)}"
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if data is not None:
            headers.setdefault("Content-Type", "application/octet-stream")
        reply = self.app.test_client().open(path, method=method, headers=headers, json=json, data=data)
        assert_declared(path, reply, method)
        return reply

    def token(self, login: str, scope: TokenScope = TokenScope.WRITE) -> str:
        return self.web.services.people.issue_token(system("operator"), login, f"script {uuid4()}", 30, scope)

    def a_record(self, **more: Any) -> Any:
        record = self.web.a_record(**more)
        self.indexing.index([record.id])
        return record

    def a_draft(self, title: str, level: int = 1) -> UUID:
        own, category = self.web.services, self.web.category
        draft = Draft(category.fonds_id, category.id, title, drawn_up="2026-03", level_rank=level)
        return own.records.create(own.people.identity_of("archivist"), draft)

    def a_file(self, record_id: UUID, name: str = "合同.txt", data: bytes = TEXT.encode()) -> str:
        who = self.web.services.people.identity_of("archivist")
        return str(self.web.services.intake.receive(who, record_id, name, [data]).content_id)

    def file(self, record_id: UUID) -> str:
        who = self.web.services.people.identity_of("archivist")
        [outcome] = self.web.services.filing.file(who, [record_id])
        assert outcome.archive_number, outcome
        return outcome.archive_number

    def acts(self) -> list[str]:
        with self.web.services.db.reading() as session:
            return list(session.scalars(select(LogEntry.act)))

    def log_of(self, act: str) -> list[Mapping[str, Any]]:
        """Return what the log says of each time that an act was done."""
        own, log = self.web.services, Log(self.web.services.vault, self.web.clock)
        with own.db.reading() as session:
            entries = session.scalars(select(LogEntry).where(LogEntry.act == act).order_by(LogEntry.at)).all()
            return [body for body in log.opened_many(session, entries) if body is not None]


@contextmanager
def an_api_house(folder: Path, **more: Any) -> Iterator[ApiHouse]:
    """Yield a house whose search is real."""
    with a_web_house(folder, **more) as web:
        own = web.services
        engine = TantivyEngine(folder / "index")
        search = SearchService(own.db, engine, own.vault, own.guard, own.readings, Log(own.vault, own.clock))
        indexing = IndexRecords(own.db, engine, own.vault, own.clock)
        yield ApiHouse(web, create_app(replace(own, search=search)), indexing)
        engine.close()


KINDS = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict, "null": type(None)}


def fits(schema: Any, value: Any, whole: dict[str, Any]) -> bool:
    """Check a JSON value against the part of JSON Schema that the document uses."""
    if "$ref" in schema:
        return fits(whole["components"]["schemas"][schema["$ref"].rpartition("/")[2]], value, whole)
    if many := schema.get("anyOf") or schema.get("oneOf"):
        return any(fits(each, value, whole) for each in many)
    right = value in schema.get("enum", [value]) and value == schema.get("const", value)
    if not right or ("type" in schema and not isinstance(value, KINDS[schema["type"]])):
        return False
    if isinstance(value, list):
        return all(fits(schema.get("items", {}), each, whole) for each in value)
    if isinstance(value, dict):
        known, other = schema.get("properties", {}), schema.get("additionalProperties", {})
        parts = [(known.get(name, other), each) for name, each in value.items()]
        return set(schema.get("required", ())) <= set(value) and all(
            part is not False and (part is True or fits(part, each, whole)) for part, each in parts
        )
    return True


def operation_at(path: str, method: str) -> Operation | None:
    """Return the operation that serves a path, by the routes themselves."""
    adapter = URLS.bind("localhost")
    try:
        endpoint, _ = adapter.match(path.partition("?")[0], method=method)
    except (HTTPException, RequestRedirect):
        return None
    return next(each for each in OPERATIONS if each.name == endpoint)


document()  # declares every operation
URLS = Map([Rule(each.rule, endpoint=each.name, methods=[each.method]) for each in OPERATIONS])
SEEN: dict[str, set[int]] = {}
"""Which statuses each operation answered with, in this process."""


def assert_declared(path: str, reply: TestResponse, method: str = "GET") -> None:
    """Whatever comes back is what the document says comes back."""
    one = operation_at(path, method)
    if one is None:
        return
    SEEN.setdefault(one.name, set()).add(reply.status_code)
    whole = document()
    responses = whole["paths"][one.path][one.method.lower()]["responses"]
    assert str(reply.status_code) in responses or reply.status_code == 500, (one.name, reply.status_code, reply.text)
    declared = responses.get(str(reply.status_code)) or responses["default"]
    if "$ref" in declared:
        declared = whole["components"]["responses"][declared["$ref"].rpartition("/")[2]]
    if "content" not in declared:
        assert not reply.data
        return
    [(media_type, content)] = declared["content"].items()
    if media_type != "*/*":
        assert reply.mimetype == media_type
        assert fits(content["schema"], reply.json, whole), reply.text
