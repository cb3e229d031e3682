"""``Idempotency-Key``: a POST that comes again under its key is done once, and answered as it was."""

import hashlib
import threading
from contextlib import suppress
from typing import Any
from uuid import UUID

from flask import Response, request
from sqlalchemy.exc import NoResultFound

from archive.errors import Conflict, Fault, InvalidInput, NotAllowed, NotFound, Unavailable
from archive.model import ApiAnswer
from web.api.operations import Operation
from web.api.refusals import AnswerLost, KeyReused, StillRunning
from web.services import identity, services

HEADER = "Idempotency-Key"
LONGEST = 255

_running: set[tuple[UUID, str]] = set()
_lock = threading.Lock()


def perform(one: Operation, **places: Any) -> Response:
    """Do what the present request asks for; once, if it names a key.

    What is refused changes nothing and is not kept: the next request under the key is tried anew.
    """
    key, person = request.headers.get(HEADER), identity().person_id
    if key is None or person is None or not one.repeatable:
        return one.perform(**places)
    if not 0 < len(key) <= LONGEST or not key.isascii() or not key.isprintable():
        raise InvalidInput(Fault(HEADER, "bad_key", {"limit": LONGEST}))
    with _lock:
        if (person, key) in _running:
            raise StillRunning(seconds=1)
        _running.add((person, key))
    try:
        return _once(one, person, key, places)
    finally:
        with _lock:
            _running.discard((person, key))


def _once(one: Operation, person: UUID, key: str, places: dict[str, Any]) -> Response:
    once, asked = services().once, _fingerprint()
    if (kept := once.found(person, key)) is not None:
        return _replayed(one, kept, asked, places)
    try:
        with once.keeping(person, key, asked, unlogged=one.unlogged):
            reply = one.perform(**places)
    except Conflict as error:
        if error.facts.get("what") == "request":
            raise StillRunning(seconds=1) from error
        raise
    if reply.status_code < 300 and not one.speaks:
        with suppress(Unavailable):  # it was done: a lost answer is made anew when it is asked for
            once.keep(person, key, reply.status_code, reply.get_data(as_text=True))
    return reply


def _replayed(one: Operation, kept: ApiAnswer, asked: str, places: dict[str, Any]) -> Response:
    if kept.request != asked:
        raise KeyReused
    if kept.status is not None:
        return one.located(Response(kept.answer or None, kept.status, mimetype="application/json"))
    about = kept.made if one.status == 201 else next(iter(places.values()), None)
    if one.again is None or about is None:
        raise AnswerLost
    try:
        return one.written(one.again(about))
    except (NotFound, NotAllowed, NoResultFound) as error:  # it is no more, or no longer theirs to see
        raise AnswerLost from error


def _fingerprint() -> str:
    """Return a keyed hash of method, path, query and body: a body may hold what can be guessed."""
    asked = hashlib.sha256()
    for part in (request.method.encode(), request.path.encode(), request.query_string, request.get_data()):
        asked.update(len(part).to_bytes(8, "big") + part)
    return services().vault.token("request", asked.hexdigest())[:64]
