"""How the text of each kind of setting is read. What can't be used raises ``ValueError`` with the reason's code."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

NEAR = {"127.0.0.1", "::1", "localhost"}
"""Hosts that are this very machine: what goes there needs no TLS."""

_INDEX_PREFIX = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}")


def path(text: str) -> Path:
    """Read a path."""
    return Path(text).expanduser().absolute()


def whole(low: int, high: int) -> Callable[[str], int]:
    """Read a whole number within bounds, both included."""

    def read(text: str) -> int:
        if not text.isdecimal():
            raise ValueError("not_a_number")
        value = int(text)
        if not low <= value <= high:
            raise ValueError("out_of_range")
        return value

    return read


def address(*schemes: str) -> Callable[[str], str]:
    """Read an address of one of these schemes."""

    def read(text: str) -> str:
        if text.split(":", 1)[0] not in schemes:
            raise ValueError("unknown_scheme")
        return text

    return read


def search(text: str) -> str:
    """Read the address of a search engine."""
    where = urlsplit(address("embedded", "http", "https")(text))
    if where.scheme == "embedded":
        return text
    if not where.hostname:
        raise ValueError("not_an_address")
    if where.username or where.password:  # they have settings of their own, which no log of requests shows
        raise ValueError("secret_in_address")
    return _private(text, plain={"http"})


def collector(text: str) -> str:
    """Read the address of a collector of traces."""
    where = urlsplit(address("http", "https")(text))
    if not where.hostname:
        raise ValueError("not_an_address")
    if where.username or where.password:
        raise ValueError("secret_in_address")
    return text


def prefix(text: str) -> str:
    """Read the beginning of an index's name."""
    if not _INDEX_PREFIX.fullmatch(text):
        raise ValueError("not_a_name")
    return text


def file(text: str) -> str:
    """Read a file that is there."""
    path = Path(text).expanduser().absolute()
    if not path.is_file():
        raise ValueError("no_such_file")
    return str(path)


_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,51}[a-z0-9]")


def bucket(text: str) -> str:
    """Read a bucket's name."""
    if not _BUCKET.fullmatch(text):
        raise ValueError("not_a_bucket")
    return text


def store(text: str) -> str:
    """Read the address of an object store."""
    where = urlsplit(text)
    if where.scheme == "file":
        return text
    if where.scheme not in {"s3+http", "s3+https"}:
        raise ValueError("unknown_scheme")
    if where.username or where.password:  # a secret has a variable of its own, and may lie in a file
        raise ValueError("secret_in_address")
    if not where.hostname or where.query or where.fragment:
        raise ValueError("not_an_address")
    bucket(where.path.removeprefix("/"))
    return _private(text, plain={"s3+http"})


def backup(text: str) -> str:
    """Read the address of a place for backups."""
    where = urlsplit(text)
    bucket, _, prefix = where.path.removeprefix("/").partition("/")
    if where.scheme != "file":
        store(urlunsplit(where._replace(path=f"/{bucket}")))
        if not re.fullmatch(r"[0-9a-z/-]*", prefix):
            raise ValueError("not_a_name")
    return text


def broker(text: str) -> str:
    """Read the address of a broker."""
    scheme = text.split(":", 1)[0]
    if scheme not in {"filesystem", "memory", "redis", "rediss", "amqp", "amqps"}:
        raise ValueError("unknown_scheme")
    if urlsplit(text).query:  # a word there could switch off what the certificate is looked at for
        raise ValueError("not_an_address")
    return _private(text, plain={"redis", "amqp"})


def _private(text: str, *, plain: set[str]) -> str:
    """Refuse an address whose words would go in plain from one machine to another.

    A name without a dot is taken for a neighbour on a machine's own network, as containers have it.
    """
    where = urlsplit(text)
    host = where.hostname or "localhost"
    near = "." not in host and ":" not in host
    if where.scheme in plain and not near and host not in NEAR:
        raise ValueError("needs_tls")
    return text


def switch(text: str) -> bool:
    """Read on or off."""
    if text not in {"on", "off"}:
        raise ValueError("unknown_word")
    return text == "on"


def one_of(*words: str) -> Callable[[str], str]:
    """Read one of these words."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError("unknown_word")
        return text

    return read


def token(text: str) -> str:
    """Read a secret that programs send in a header."""
    if len(text) < 16 or not text.isascii():
        raise ValueError("too_short")
    return text


def scanner(text: str) -> str:
    """Read the socket of a virus scanner's daemon."""
    where = urlsplit(text)
    if where.scheme not in {"unix", "tcp"}:
        raise ValueError("unknown_scheme")
    if not (where.path if where.scheme == "unix" else where.hostname and where.port):
        raise ValueError("not_an_address")
    return text


def pages(text: str) -> str:
    """Read the address of the house's pages."""
    where = urlsplit(text)
    if where.scheme not in {"http", "https"}:
        raise ValueError("unknown_scheme")
    if not where.hostname or where.query or where.fragment or where.username:
        raise ValueError("not_an_address")
    return text


def mail(text: str) -> str:
    """Read the address of a mail server. What people are told goes in plain to no other machine."""
    where = urlsplit(text)
    if where.scheme not in {"smtp", "smtp+starttls", "smtps"}:
        raise ValueError("unknown_scheme")
    if where.username or where.password:
        raise ValueError("secret_in_address")
    if not where.hostname or where.path not in {"", "/"}:
        raise ValueError("not_an_address")
    return _private(text, plain={"smtp"})


_MAILBOX = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")


def mailbox(text: str) -> str:
    """Read a mail address."""
    if not _MAILBOX.fullmatch(text) or not text.isascii():
        raise ValueError("not_an_address")
    return text


def hook(text: str) -> str:
    """Read the address of a gateway or a robot."""
    where = urlsplit(text)
    if where.scheme not in {"http", "https"}:
        raise ValueError("unknown_scheme")
    if not where.hostname or where.username or where.password:
        raise ValueError("not_an_address")
    return _private(text, plain={"http"})
