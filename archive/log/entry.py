"""The bytes of a log entry, format version 1.

These bytes are what every later proof rests on, so they are fixed for decades (see ``docs/formats/log.md``)::

    entry bytes = u32(len(head)) || head || u32(len(body)) || body
    entry hash  = SHA-256(0x00 || entry bytes)

``u32`` is four bytes, big-endian. ``head`` is a JSON object in UTF-8, without spaces, its keys sorted, every key of
``HEAD_KEYS`` present, absent values ``null``, text in Unicode form NFC, no floats; ``at`` is written
``YYYY-MM-DDTHH:MM:SS.ffffffZ`` (UTC), identifiers as 32 hex digits. ``body`` is the sealed (cipher) body, empty when
there is none; an entry has a body exactly when ``body_owner`` is not null. The prefix 0x00 is the leaf mark of
RFC 6962, so entry hashes are the leaves of the Merkle tree as they stand.

The head never holds a title, a query, or the plain hash of a content: only who, what act, on which id, when, from
where, and how it ended. Erasing the key of ``body_owner`` makes the body unreadable and leaves the hash right.
"""

import hashlib
import json
import re
import unicodedata
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

FORMAT: Final = 1
"""The version written today. A reader of the log knows every version ever written."""

HEAD_KEYS: Final = (
    "act",
    "actor",
    "address",
    "at",
    "body_owner",
    "format",
    "id",
    "log_class",
    "operator",
    "person_id",
    "record_id",
    "result",
    "subject_id",
)
"""The keys of a head in version 1, sorted."""

ACTOR_LENGTH: Final = 100
ADDRESS_LENGTH: Final = 64
ACT_LENGTH: Final = 64

_ACT = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+")
_PLAIN = re.compile(r"[ -~]*")
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class UnknownFormat(ValueError):
    """An entry of a version this program does not know."""


def clean(text: str, length: int) -> str:
    """Return ``text`` in NFC, at most ``length`` long, each control, format or unassigned character as U+FFFD.

    A name or an address can then not break a line, hide text, or turn the direction of what is printed beside it.
    """
    if _PLAIN.fullmatch(text):
        return text[:length]
    composed = unicodedata.normalize("NFC", text)
    safe = "".join("\ufffd" if unicodedata.category(c) in _UNSAFE_CATEGORIES else c for c in composed)
    return safe[:length]


@lru_cache(maxsize=512)
def check_act(act: str) -> str:
    """Return ``act`` when it is a well-formed name (``noun.verb``).

    Raises:
        ValueError: it is not; a programming error, never a person's.
    """
    if len(act) > ACT_LENGTH or not _ACT.fullmatch(act):
        raise ValueError(act)
    return act


@lru_cache(maxsize=64)
def moment(at: datetime) -> str:
    """Write a moment as the head holds it: UTC, always six decimals."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def entry_bytes(values: Any) -> bytes:
    """Return the canonical bytes of an entry.

    Args:
        values: a ``LogEntry`` or a row with its columns as attributes.

    Raises:
        UnknownFormat: ``values.format`` is not a version this program knows.
    """
    if values.format != FORMAT:
        raise UnknownFormat(values.format)
    head = {
        "act": values.act,
        "actor": values.actor,
        "address": values.address,
        "at": moment(values.at),
        "body_owner": _hex(values.body_owner),
        "format": values.format,
        "id": _hex(values.id),
        "log_class": str(values.log_class),
        "operator": values.operator,
        "person_id": _hex(values.person_id),
        "record_id": _hex(values.record_id),
        "result": str(values.result),
        "subject_id": _hex(values.subject_id),
    }
    written = _dump(head).encode("utf-8", "surrogatepass")
    body = values.body or b""
    return len(written).to_bytes(4, "big") + written + len(body).to_bytes(4, "big") + body


def entry_hash(values: Any) -> bytes:
    """Return the entry's hash, which is its leaf in the Merkle tree."""
    return hashlib.sha256(b"\x00" + entry_bytes(values)).digest()


def body_bytes(body: Any) -> bytes:
    """Return the JSON of a body before it is sealed. Ids, moments and enums are written as their text."""
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_as_text).encode()


def body_context(entry_id: UUID) -> str:
    """Return the sealing context of an entry's body: a body moved to another entry does not open."""
    return f"log:{entry_id.hex}"


_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=False, allow_nan=False).encode


def _hex(value: UUID | None) -> str | None:
    return None if value is None else value.hex


def _as_text(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, set | frozenset):
        return sorted(str(part) for part in value)
    return str(value)
