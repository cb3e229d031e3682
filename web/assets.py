"""Style, scripts and pictures of the pages: sent compressed, and kept by browsers until their content changes.

Their addresses carry a hash of the content. Pages themselves are never compressed: their length would tell who listens
on the line something of what stands beside words that a stranger can have put into them.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, request

STATIC = Path(__file__).parent / "static"
YEAR = 365 * 24 * 3600


@dataclass(frozen=True)
class Asset:
    """A file as it is sent: its bytes, the same compressed (None where that saves nothing), media type, and hash."""

    plain: bytes
    packed: bytes | None
    media_type: str
    mark: str


@cache
def assets() -> Mapping[str, Asset]:
    """Return every file by its path below the folder; read once in the life of the process."""
    found = {}
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            plain = path.read_bytes()
            packed = gzip.compress(plain, mtime=0)
            media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            mark = hashlib.sha256(plain).hexdigest()[:16]
            found[path.relative_to(STATIC).as_posix()] = Asset(
                plain, packed if len(packed) < len(plain) else None, media_type, mark
            )
    return found


def init_app(app: Flask) -> None:
    """Have an app send its files this way."""
    app.view_functions["static"] = _send
    app.url_defaults(_with_mark)


def _with_mark(endpoint: str, values: dict[str, Any]) -> None:
    asset = assets().get(values.get("filename", "")) if endpoint == "static" else None
    if asset is not None:
        values.setdefault("v", asset.mark)


def _send(filename: str) -> Response:
    asset = assets().get(filename)
    if asset is None:
        abort(404)
    packed = asset.packed if request.accept_encodings["gzip"] > 0 else None
    reply = Response(asset.plain if packed is None else packed, mimetype=asset.media_type)
    if packed is not None:
        reply.content_encoding = "gzip"
    reply.vary.add("Accept-Encoding")
    reply.set_etag(f"{asset.mark}{'' if packed is None else '-gzip'}")
    if request.args.get("v") == asset.mark:
        reply.cache_control.public, reply.cache_control.max_age, reply.cache_control.immutable = True, YEAR, True
    else:
        reply.cache_control.no_cache = True
    reply.make_conditional(request)
    return reply
