"""FT8: MinIO away, slow, refusing, full, and objects that are missing or changed. Nothing damaged is handed on."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from minio import MinioAdmin
from minio.credentials.providers import StaticProvider

from archive.errors import ArchiveError, Damaged, NotFound, Unavailable
from archive.model import Content
from benchmarks import _own_servers as own
from benchmarks._faults_house import READER
from benchmarks._server_house import House, Sent
from runtime.wiring.parts import NoWaker, build
from storage.fixity.looks import Fixity, look
from storage.minio.client import client
from storage.sweep import sweep_orphans


def away(house: House, _trial: int) -> Iterator[str]:
    """Every connection is refused."""
    before = house.take_in()
    house.store.away = True
    yield from _refused(house, "store_unavailable", "unavailable store")
    yield from _not_opened(house, before, Unavailable)
    house.heal()
    yield from _opened(house, before)


def busy(house: House, _trial: int) -> Iterator[str]:
    """Each request is answered with 503."""
    before = house.take_in()
    house.store.busy = 1_000_000
    yield from _refused(house, "unavailable store")
    yield from _not_opened(house, before, Unavailable)
    house.heal()
    yield from _opened(house, before)


def slow(house: House, _trial: int) -> Iterator[str]:
    """Each answer comes a fifth of a second late: all goes on."""
    house.store.late = 0.2
    sent = house.take_in()
    if not sent.number:
        yield f"NOT TAKEN IN: {sent.refused} {sent.broken}"
    else:
        yield from _opened(house, sent)


def lost_answer(house: House, _trial: int) -> Iterator[str]:
    """The store keeps what it got and its answer is lost: the file is in once, or refused."""
    house.store.lost = 1
    house.take_in()
    yield from _swept(house)


def cut_answer(house: House, _trial: int) -> Iterator[str]:
    """An answer ends in its middle: what was read of it is not handed on as the whole."""
    sent = house.take_in()
    house.store.cut = [1500, 1500, 1500, 1500]
    with suppress(ArchiveError):
        if _read(house, sent) != sent.data:
            yield "CUT and handed on"


def wrong_credentials(house: House, _trial: int) -> Iterator[str]:
    """The secret is not the store's any more."""
    parts = build(replace(house.settings, store_secret="not-the-secret"), NoWaker(), house.clock)  # noqa: S106
    try:
        sent = house.take_in(parts)
    finally:
        parts.close()
    if sent.content or not sent.refused.startswith("unavailable"):
        yield f"WRONG SECRET: {sent.refused or 'taken in'}"


def full(house: House, _trial: int) -> Iterator[str]:
    """The bucket's quota is reached; with room again all goes on, without repair by hand."""
    admin = MinioAdmin(
        endpoint=house.minio.address, credentials=StaticProvider(own.MINIO_KEY, own.MINIO_SECRET), region="",
        secure=False,
    )  # fmt: skip
    admin.bucket_quota_set(house.bucket, 1024)
    yield from _refused(house, "storage_full")
    admin.bucket_quota_clear(house.bucket)
    if not house.take_in().number:
        yield "STILL FULL"


def killed(house: House, _trial: int) -> Iterator[str]:
    """The server is killed while files come in, and started again."""
    house.minio.kill()
    yield from _refused(house, "unavailable store")
    house.minio.start()
    if not house.take_in().number:
        yield "NOT BACK"


def missing_object(house: House, _trial: int) -> Iterator[str]:
    """An object's version is deleted behind our back: told, found by the check, and nothing else is touched."""
    sent = house.take_in(file=False)  # what is filed is locked, and nobody's credential deletes it
    house.settle()
    content = _content(house, sent)
    client(house.access).remove_object(house.bucket, content.object_key, version_id=content.store_version)
    yield from _damaged(house, sent, content, Fixity.MISSING, NotFound)


def bit_flipped(house: House, trial: int) -> Iterator[str]:
    """One bit of an object changes on the server's disk; MinIO then answers for it as if it were busy."""
    sent = house.take_in()
    house.settle()
    content = _content(house, sent)
    folder = house.folder / "minio" / "data" / house.bucket / content.object_key
    [path] = [one for one in folder.rglob("*") if one.is_file()]
    _flip(path, trial)
    yield from _damaged(house, sent, content, Fixity.UNREADABLE, Damaged, Unavailable)


def flipped_on_the_way(house: House, _trial: int) -> Iterator[str]:
    """One bit changes between the store and us, and none the next time."""
    sent = house.take_in()
    house.store.flip = True
    yield from _not_opened(house, sent, Damaged)
    house.heal()
    yield from _opened(house, sent)


def _flip(path: Path, trial: int) -> None:
    """Change one bit in the bytes of the object itself, which lie at the end of the file."""
    with path.open("r+b") as held:
        size = held.seek(0, os.SEEK_END)
        at = size - 64 - (trial * 131) % 3000
        held.seek(at)
        byte = held.read(1)[0]
        held.seek(at)
        held.write(bytes([byte ^ (1 << trial % 8)]))
        held.flush()
        os.fsync(held.fileno())


def _refused(house: House, *words: str) -> Iterator[str]:
    """A file is refused in these words, and not half in."""
    sent = house.take_in()
    if sent.content or sent.number or not any(sent.refused.startswith(word) for word in words):
        yield f"REFUSED as {sent.refused!r} {sent.broken}, wanted {words}"


def _content(house: House, sent: Sent) -> Content:
    with house.hands.db.reading() as session:
        return session.get_one(Content, sent.content)


def _read(house: House, sent: Sent) -> bytes:
    assert sent.content  # noqa: S101  (a caller took it in)
    parts = house.hands
    return b"".join(parts.intake.open_file(parts.people.identity_of(READER), sent.content).reader.read())


def _opened(house: House, sent: Sent) -> Iterator[str]:
    if _read(house, sent) != sent.data:
        yield "READ otherwise than sent"


def _not_opened(house: House, sent: Sent, *kinds: type[ArchiveError]) -> Iterator[str]:
    try:
        _read(house, sent)
        yield "OPENED"
    except kinds:
        pass
    except ArchiveError as error:
        yield f"OPENED: {error.code} {dict(error.facts)}"


def _damaged(house: House, sent: Sent, content: Content, what: Fixity, *kinds: type[ArchiveError]) -> Iterator[str]:
    """It is not handed on, a page says so, and the check finds this one and no other."""
    yield from _not_opened(house, sent, *kinds, Damaged)
    status, text = house.page(f"/files/{content.id}", READER)
    if status < 400 or sent.word in text:
        yield f"PAGE of the file: {status}"
    if (found := look(house.hands.store, content, house.hands.db).fixity) is not what:
        yield f"CHECK found {found.value}"
    house.settle()  # who could not read it had it looked at
    told = house.wrong()
    if told != [f"INV1 {content.id} {what.value}"]:
        yield f"FSCK found {told}"
    house.expected.add(("INV1", str(content.id)))


def _swept(house: House) -> Iterator[str]:
    house.settle()
    swept = sweep_orphans(house.hands.db, house.hands.store, house.ahead)
    if swept.objects > 1:
        yield f"SWEPT {swept.objects}"
