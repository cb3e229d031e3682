"""Bags of transfers: made by a job, watched, stopped, and sent as a ZIP that is made while it is sent."""

import io
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID
from zipfile import ZIP_STORED, ZipFile, ZipInfo
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from archive.errors import ArchiveError
from retention.transferring.packing import Member
from web import security
from web.asking import whole_typed
from web.reading.files import attachment, begun
from web.retention.transfers import faulty
from web.services import identity, services

pages = Blueprint("transfer_bags", __name__, url_prefix="/transfers")

LARGE = 2**31 - 1
"""Bytes from which a file needs the long form of its ZIP entry."""


@pages.post("/<uuid:transfer_id>/bag")
def make(transfer_id: UUID) -> BaseResponse:
    """Have the bag made, anew if there is one."""
    return _act(transfer_id, _("The bag is being made. You may leave this page; it goes on."), stop=False)


@pages.post("/<uuid:transfer_id>/bag/stop")
def stop(transfer_id: UUID) -> BaseResponse:
    """Stop making it."""
    return _act(transfer_id, _("Stopped; nothing of the bag is kept."), stop=True)


@pages.post("/<uuid:transfer_id>/bag/download")
def download(transfer_id: UUID) -> BaseResponse:
    """Send the bag as one folder in a ZIP; what broke off has no list of its files."""
    try:
        number, at, members = services().bags.send(identity(), transfer_id)
    except ArchiveError as error:
        return faulty(transfer_id, error)
    body = begun(zipped(number, at.astimezone(ZoneInfo(services().zone())), members))
    headers = {"Content-Disposition": attachment(f"{number}.zip"), "Content-Security-Policy": security.FILE_POLICY}
    return Response(body, headers=headers, mimetype="application/zip")


def zipped(folder: str, at: datetime, members: Iterator[Member]) -> Iterator[bytes]:
    """Yield a ZIP, without compression, of files in one folder; no file is ever held whole."""
    sink = _Sink()
    with ZipFile(sink, "w", ZIP_STORED) as made:
        for path, size, pieces in members:
            info = ZipInfo(f"{folder}/{path}", at.timetuple()[:6])
            info.external_attr = 0o644 << 16
            with made.open(info, "w", force_zip64=size > LARGE) as out:
                for piece in pieces:
                    out.write(piece)
                    yield sink.taken()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """Keeps what was written until it is taken; it can't be sought in."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]  # ZipFile writes bytes
        self._held += data
        return len(data)

    def taken(self) -> bytes:
        found = bytes(self._held)
        self._held.clear()
        return found


def _act(transfer_id: UUID, done: str, *, stop: bool) -> BaseResponse:
    bags = services().bags
    try:
        (bags.stop if stop else bags.start)(identity(), transfer_id, whole_typed("version"))
    except ArchiveError as error:
        return faulty(transfer_id, error)
    flash(done)
    return redirect(url_for("transfers.show", transfer_id=transfer_id), 303)
