"""FT9, FT10, FT12, FT13: PostgreSQL killed, cut off, full; clocks that differ; acts at the same moment."""

import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import func, select

from archive.errors import ArchiveError, StorageFull, Unavailable
from archive.model import Record, TokenScope
from benchmarks._faults_house import DRAWN_UP, READER, WHO
from benchmarks._server_house import House, at_once

NOT_NOW = ("unavailable", "storage_full", "log_unavailable")
PEOPLE = 4


def killed_under_load(house: House, _trial: int) -> Iterator[str]:
    """The server is killed while four people take files in; each is told of what is in, and all else is refused."""
    killing = threading.Event()

    def person(number: int) -> None:
        for turn in range(3):
            house.take_in()
            if number == 0 and turn == 0:
                house.postgres.kill()
                killing.set()

    at_once(PEOPLE, person)
    yield from _only_not_now(house, PEOPLE * 3)
    yield from house.told("/browse", 503, "the database")
    house.postgres.start()
    if not (house.take_in().number or house.take_in().number):  # the first may meet a connection that died
        yield f"NOT BACK: {house.sent[-1].refused} {house.sent[-1].broken}"


def killed_at_commit(house: House, _trial: int) -> Iterator[str]:
    """The server is killed when it has been sent a commit; the client sends its request once more."""
    yield from _sent_once_more(house, house.postgres.kill)


def commit_unknown(house: House, _trial: int) -> Iterator[str]:
    """A commit is done and its answer lost; the client sends its request once more."""
    yield from _sent_once_more(house, lambda: None)


def commit_never_sent(house: House, _trial: int) -> Iterator[str]:
    """The way breaks before a commit is sent; the client sends its request once more."""
    yield from _sent_once_more(house, None)


def away(house: House, _trial: int) -> Iterator[str]:
    """Every connection is refused: pages say so, nothing is shown."""
    house.database.away = True
    sent = house.take_in()
    if sent.record or not sent.refused.startswith("unavailable"):
        yield f"REFUSED as {sent.refused} {sent.broken}"
    yield from house.told("/search?q=%E5%90%88%E5%90%8C", 503, "the database")
    house.heal()
    house.page("/")
    if not house.take_in().number:
        yield f"NOT BACK: {house.sent[-1].refused} {house.sent[-1].broken}"


def disk_full(house: House, _trial: int) -> Iterator[str]:
    """The database's disk fills up while files come in; with room again all goes on."""
    if house.small is None:
        yield "NOT TRIED: this process may not mount a disk of its own"
        return
    filler = house.small / "filler"
    with filler.open("wb") as held, suppress(OSError):
        while True:
            held.write(bytes(1 << 16))
            held.flush()
    begun = len(house.sent)
    for _ in range(60):
        if house.take_in().refused:
            break
    else:
        yield "NEVER FULL"
    yield from _only_not_now(house, len(house.sent) - begun)
    filler.unlink()
    house.postgres.start()
    with suppress(Unavailable, StorageFull):
        house.parts.people.identity_of(READER)
    if not (house.take_in().number or house.take_in().number):
        yield f"NOT BACK: {house.sent[-1].refused} {house.sent[-1].broken}"


def clocks(house: House, trial: int) -> Iterator[str]:
    """The web's clock is an hour or a day before or after the worker's, or five minutes, and jumps while it acts."""
    jumps = (timedelta(hours=1), timedelta(hours=-1), timedelta(days=1), timedelta(days=-1), timedelta(minutes=5))
    house.clock.by = jumps[trial % len(jumps)]
    first = house.take_in()
    house.clock.by = -house.clock.by
    second = house.take_in()
    house.clock.by = timedelta(0)
    for sent in (first, second):
        if not sent.number:
            yield f"NOT TAKEN IN: {sent.refused} {sent.broken}"
    house.ahead.by += timedelta(days=2)  # a worker that waits for what lies in the future


def numbers_at_once(house: House, _trial: int) -> Iterator[str]:
    """Eight file eight records at the same moment, all of them; each record has one number, and no number is twice."""
    made = [house.take_in(file=False) for _ in range(4)]
    told: list[str] = []

    def person(_number: int) -> None:
        for sent in made:
            records = [sent.record] if sent.record else []
            try:
                told.extend(one.archive_number for one in house.parts.filing.file(WHO, records) if one.archive_number)
            except ArchiveError as error:
                if error.code not in {"conflict", "wrong_state", "unavailable"}:
                    told.append(f"RAW {error.code}")

    at_once(8, person)
    with house.parts.db.reading() as session:
        for sent in made:
            sent.number = session.get_one(Record, sent.record).archive_number
    if len({sent.number for sent in made}) != len(made):
        yield "A NUMBER TWICE"
    if set(told) != {sent.number for sent in made}:
        yield f"TOLD {Counter(told)}, stands {[sent.number for sent in made]}"


def same_request(house: House, _trial: int) -> Iterator[str]:
    """Eight send the same request under one key at the same moment: one record, eight times the same answer."""
    title, answers, lock = f"同一{secrets.token_hex(6)}", [], threading.Lock()
    headers = _headers(house)

    def send(_number: int) -> None:
        while (
            reply := house.app.test_client().post("/api/v1/records", json=_document(title), headers=headers)
        ).status_code == 409:
            pass
        with lock:
            answers.append((reply.status_code, reply.text))

    at_once(8, send)
    if len(set(answers)) != 1 or answers[0][0] != 201:
        yield f"ANSWERED {Counter(answers)}"
    yield from _once(house, title)


def _sent_once_more(house: House, then: Callable[[], None] | None) -> Iterator[str]:
    """Send a request whose first commit breaks; send it again until it is answered: one record is there."""
    title, headers = f"再发{secrets.token_hex(6)}", _headers(house)
    house.database.caught = then
    house.database.catch = b"COMMIT"
    for _ in range(5):
        reply = house.app.test_client().post("/api/v1/records", json=_document(title), headers=headers)
        if reply.status_code == 201:
            break
        if reply.status_code not in {409, 503}:
            yield f"ANSWERED {reply.status_code}: {reply.text[:200]}"
        house.heal()
    else:
        yield f"NEVER ANSWERED: {reply.status_code} {reply.text[:200]}"
    yield from _once(house, title)


def _once(house: House, title: str) -> Iterator[str]:
    with house.hands.db.reading() as session:
        found = session.scalar(select(func.count()).where(Record.title == title))
    if found != 1:
        yield f"{found} records of one request"


def _headers(house: House) -> dict[str, str]:
    token = house.parts.people.issue_token(WHO, READER, secrets.token_hex(6), 30, TokenScope.WRITE)
    return {"Authorization": f"Bearer {token}", "Idempotency-Key": secrets.token_hex(8)}


def _document(title: str) -> dict[str, str]:
    return {"fonds": "H001", "category": "WYYZ", "title": title, "drawn_up": DRAWN_UP}


def _only_not_now(house: House, count: int) -> Iterator[str]:
    for sent in house.sent[-count:]:
        if sent.refused and not sent.refused.startswith(NOT_NOW):
            yield f"REFUSED as {sent.refused}"
