"""What every reply and every request must keep: headers, cookies, origin, and bodies that stay in memory."""

from io import BytesIO
from string import printable
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from flask import Flask, Request, Response, abort, g, request
from flask.globals import request_ctx
from werkzeug.exceptions import RequestEntityTooLarge

from archive.errors import TooLarge
from archive.ports import PIECE_BYTES

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MAX_BODY = PIECE_BYTES + 1024 * 1024
"""Bytes of the largest request: one piece of a file and the form around it."""

MAX_FIELDS = 4 * 1024 * 1024
"""Bytes of all fields of a form together; a longer field is refused by its own rule, which names it."""

MAX_PARTS = 1000
"""Fields and files of one form."""

PLAIN_FORM = "application/x-www-form-urlencoded"

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
FILE_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class FormTooLarge(TooLarge):
    """The fields of a form hold more than is taken. Facts as of ``TooLarge``, and ``fields`` (how many are taken)."""

    code = "form_too_large"


def json_sent() -> dict[str, Any]:
    """Return the document that a page's script sent; an empty one when it is none."""
    try:
        told = request.get_json(silent=True)
    except RecursionError:  # brackets within brackets, thousands deep
        return {}
    return told if isinstance(told, dict) else {}


def text_of(told: object) -> str:
    """Read a text of such a document; half a surrogate pair, which no database keeps, becomes a question mark."""
    return str(told or "").encode("utf-8", "replace").decode()


class MemoryRequest(Request):
    """A request whose uploaded files stay in memory: no plain byte of a file touches a disk.

    ``MAX_FORM_MEMORY_SIZE`` bounds each field of a multipart form by itself, so the sum of all fields is bounded here.
    """

    def __init__(self, environ: "WSGIEnvironment", *more: Any, **named: Any) -> None:
        query = environ.get("QUERY_STRING", "")  # old tools send bytes of another encoding as they are
        environ["QUERY_STRING"] = quote(query, safe=printable, encoding="latin-1")
        super().__init__(environ, *more, **named)

    def _load_form_data(self) -> None:
        super()._load_form_data()
        if sum(len(value.encode("utf-8", "replace")) for _name, value in self.form.items(multi=True)) > MAX_FIELDS:
            raise RequestEntityTooLarge

    def too_large(self) -> TooLarge:
        """Say what of this request, which was refused, is more than is taken."""
        size = self.content_length or MAX_BODY + 1
        if self.mimetype != PLAIN_FORM and size > MAX_BODY:
            return TooLarge(limit=MAX_BODY, size=size)
        return FormTooLarge(limit=MAX_FIELDS, size=size, fields=MAX_PARTS)

    def _get_file_stream(
        self,
        total_content_length: int | None,  # noqa: ARG002  (werkzeug's signature)
        content_type: str | None,  # noqa: ARG002
        filename: str | None = None,  # noqa: ARG002
        content_length: int | None = None,  # noqa: ARG002
    ) -> IO[bytes]:
        return BytesIO()


def cookie_name(plain: str, *, https: bool) -> str:
    """Return a cookie's name: bound to this host and to TLS where there is TLS."""
    return f"__Host-{plain}" if https else plain


def cookie_flags(*, https: bool) -> dict[str, Any]:
    """Return the flags of every cookie we set."""
    return {"httponly": True, "secure": https, "samesite": "Lax", "path": "/"}


def local_path(target: str | None, otherwise: str = "/") -> str:
    """Return ``target`` when it is a path of this site, else the desk: a sign-in never leads elsewhere."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target:
        return otherwise
    if any(ord(character) < 32 for character in target):
        return otherwise
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else otherwise


def page_address() -> str:
    """Return where the page that is shown is opened again; of a form at fault, the nearest page above its address."""
    adapter, path = request_ctx.url_adapter, request.path
    if request.method in {"GET", "HEAD"} or adapter is None:
        return request.full_path if request.query_string else path
    while path and not adapter.test(path, "GET"):
        path = path.rpartition("/")[0]
    return path or "/"


def bound_fields() -> None:
    """Bound a form without files, which no setting of its own bounds: its body is nothing but fields."""
    if request.mimetype == PLAIN_FORM:
        request.max_content_length = MAX_FIELDS


def check_host() -> Response | None:
    """Answer a request that names no host, in plain words: no page can be written without an address of its own."""
    if request_ctx.url_adapter is not None:
        return None
    return Response("There is no such host.\n", 400, mimetype="text/plain")


def check_origin() -> None:
    """Refuse a change that another site's page sends.

    Browsers name the origin of every change; a program that names none has no cookie to misuse.
    """
    if request.method in SAFE_METHODS:
        return
    if request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}:
        abort(400, "origin")
    origin = request.headers.get("Origin")
    if origin is not None and _host_of(origin) != request.host:
        abort(400, "origin")


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).netloc
    except ValueError:
        return ""


def allow_camera() -> None:
    """Let the page that answers this request open the camera: one on which labels are scanned."""
    g.camera = True


def harden(reply: Response, *, https: bool) -> Response:
    """Set the headers that every reply carries."""
    headers = reply.headers
    headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    camera = "(self)" if g.get("camera") else "()"
    headers["Permissions-Policy"] = f"camera={camera}, geolocation=(), microphone=()"
    if https:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint != "static":
        headers["Cache-Control"] = "no-store"
        reply.vary.add("Cookie")
    return reply


def init_app(app: Flask, *, https: bool) -> None:
    """Give an app its limits and its headers."""
    app.request_class = MemoryRequest
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=MAX_FIELDS,
        MAX_FORM_PARTS=MAX_PARTS,
        SEND_FILE_MAX_AGE_DEFAULT=0,
        SESSION_COOKIE_NAME=cookie_name("juanku_form", https=https),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,  # bound to the signed-in session, so a long form is never lost to a clock
        WTF_CSRF_SSL_STRICT=False,  # check_origin does this without the Referer header
    )
    app.before_request(bound_fields)
    app.before_request(check_host)
    app.before_request(check_origin)
    app.after_request(lambda reply: harden(reply, https=https))
