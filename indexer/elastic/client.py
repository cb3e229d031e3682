"""Reaching an Elasticsearch server, and what its errors mean to us."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elasticsearch import ApiError, Elasticsearch, TransportError, UnsupportedProductError

from archive.errors import Fault, InvalidInput, Unavailable

SECONDS = 10.0
"""How long a search may take."""

LONG_SECONDS = 120.0
"""How long it may take to take in documents, and to make, switch and remove indices."""

TOO_WIDE = frozenset({"too_many_nested_clauses", "too_many_clauses", "x_content_parse_exception"})
"""Kinds of refusal that speak of the size of a query, not of a fault of ours."""

_BAD_REQUEST = 400

log = logging.getLogger(__name__)
logging.getLogger("elastic_transport").setLevel(logging.ERROR)  # what it warns of is told once, as Unavailable


@dataclass(frozen=True)
class Access:
    """Who we are to the server, and whose certificates count. Empty: not given."""

    user: str = ""
    password: str = ""
    api_key: str = ""
    ca: Path | None = None


def connect(url: str, access: Access | None = None, *, seconds: float = SECONDS) -> Elasticsearch:
    """Return a client. It connects at its first request.

    Args:
        url: ``http://host:port`` or ``https://…``.
        access: credentials and certificates.
        seconds: how long one request may take.
    """
    who = access or Access()
    given: dict[str, Any] = {}
    if who.api_key:
        given["api_key"] = who.api_key
    elif who.user:
        given["basic_auth"] = (who.user, who.password)
    if who.ca:
        given["ca_certs"] = str(who.ca)
    return Elasticsearch(
        url,
        request_timeout=seconds,
        max_retries=1,  # a kept connection may have been closed by the other side
        retry_on_status=(),
        dead_node_backoff_factor=0.0,
        **given,
    )


def give_rights(client: Elasticsearch, user: str, password: str, prefix: str) -> None:
    """Make a user, or give the one that stands this password, with all rights on a house's indices and no others.

    Raises:
        Unavailable: the server does not answer, or the client's own user may not.
    """
    with reachable():
        client.security.put_role(
            name=user, cluster=["monitor"], indices=[{"names": [f"{prefix}-*"], "privileges": ["all"]}]
        )
        client.security.put_user(username=user, password=password, roles=[user])


@contextmanager
def reachable() -> Iterator[None]:
    """Turn what the client raises into our words for it. Facts: ``reason``, a code without content.

    Raises:
        Unavailable: the server does not answer, is not ours to use, or cannot do what was asked (``part="search"``).
        InvalidInput: the query has more parts than the server takes.
    """
    try:
        yield
    except ApiError as error:
        kind = error_kind(error)
        if error.meta.status == _BAD_REQUEST and kind in TOO_WIDE:
            raise InvalidInput(Fault("q", "too_deep")) from error
        log.warning("elasticsearch answered %s (%s)", error.meta.status, kind)
        raise Unavailable(part="search", reason=f"{error.meta.status} {kind}") from error
    except (TransportError, UnsupportedProductError) as error:
        raise Unavailable(part="search", reason=type(error).__name__) from error


def error_kind(error: ApiError) -> str:
    """Return the kind of an error, without its words: they may quote what was sent."""
    body = error.body
    cause = body.get("error") if isinstance(body, dict) else None
    if not isinstance(cause, dict):
        return type(error).__name__
    roots = cause.get("root_cause") or [cause]
    return str(roots[0].get("type") or cause.get("type") or type(error).__name__)
