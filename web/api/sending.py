"""Files come in: whole, or in pieces that may be gone on with; and what is decided on files that were put aside."""

from uuid import UUID

from archive.errors import Fault, InvalidInput
from archive.files.arrivals import Received
from archive.ports import PIECE_BYTES
from web import paging
from web.api import given, problems
from web.api.made import FileDecided, FilePutAside, FileTaken, PutAside, UploadBegun, UploadStands
from web.api.names import behind, page
from web.api.operations import operation
from web.arriving.put_aside import put_aside_files
from web.services import identity, services


@operation("/records/{record_id}/files", 403, 404, 409, 413, method="POST", status=201, made_at="/files/{content}")
def send_file(record_id: UUID, query: given.NewFile, body: bytes) -> FileTaken:
    """Take a small file in, whole: at most 8 MiB."""
    return _taken(services().intake.receive(identity(), record_id, query.name, [body], role=query.role))


@operation(
    "/records/{record_id}/uploads",
    403,
    404,
    409,
    413,
    method="POST",
    status=201,
    made_at="/uploads/{upload}",
    unlogged=True,
)
def begin_upload(record_id: UUID, body: given.NewUpload) -> UploadBegun:
    """Announce a file that will come in pieces."""
    return UploadBegun(upload=services().intake.begin(identity(), record_id, body.name, body.size, role=body.role))


@operation("/uploads/{upload_id}", 403, 404, 409)
def upload(upload_id: UUID) -> UploadStands:
    """Say how much of a file is safely kept: where to go on after a break."""
    return _stands(services().intake.progress(identity(), upload_id))


@operation("/uploads/{upload_id}", 403, 404, 409, 413, method="PUT")
def send_piece(upload_id: UUID, query: given.Offset, body: bytes) -> UploadStands:
    """Keep one piece. Sending a kept piece again changes nothing; with a piece missing before it, it is refused."""
    number, rest = divmod(query.offset, PIECE_BYTES)
    if rest:
        raise InvalidInput(Fault("offset", "bad_offset", {"multiple": PIECE_BYTES}))
    return _stands(services().intake.put_piece(identity(), upload_id, number, body))


@operation("/uploads/{upload_id}/finish", 403, 404, 409, method="POST")
def finish_upload(upload_id: UUID) -> FileTaken:
    """Join the pieces: from here on the file is in."""
    return _taken(services().intake.finish(identity(), upload_id))


@operation("/uploads/{upload_id}", 403, 404, 409, method="DELETE", status=204)
def abandon_upload(upload_id: UUID) -> None:
    """Give an upload up; nothing is left of it."""
    services().intake.abandon(identity(), upload_id)


@operation("/put-aside")
def put_aside(query: given.Page) -> PutAside:
    """List the files that were put aside, of records that the person may read, the oldest first."""
    found = put_aside_files(
        services(), identity(), problems.language(), query.limit + 1, behind(query.cursor, paging.read)
    )
    shown, following = page(found, query.limit, lambda each: paging.told((each.at, each.content_id)))
    files = [
        FilePutAside(
            content=each.content_id,
            record=each.record_id,
            title=each.title,
            level=each.level_rank,
            name=each.name,
            size=each.size,
            reason=each.reason,
            why=each.why,
            todo=each.todo,
        )
        for each in shown
    ]
    return PutAside(files=files, next=following)


@operation("/files/{content_id}/accept", 403, 404, 409, method="POST")
def accept_file(content_id: UUID, body: given.Because) -> FileDecided:
    """Keep a file that was put aside as it is."""
    services().files.accept(identity(), content_id, body.reason)
    return FileDecided(content=content_id)


@operation("/files/{content_id}/take-off", 403, 404, 409, method="POST")
def take_off_file(content_id: UUID, body: given.Because) -> FileDecided:
    """Take a file off a provisional record; its bytes go."""
    services().files.take_off(identity(), content_id, body.reason)
    return FileDecided(content=content_id)


@operation("/files/{content_id}/rendition", 403, 404, 409, method="POST")
def make_rendition(content_id: UUID) -> FileDecided:
    """Have a searchable PDF/A made of a scan that was read; a job makes it. The answer names the content it will be."""
    return FileDecided(content=services().renditions.ask(identity(), content_id))


def _taken(received: Received) -> FileTaken:
    return FileTaken(content=received.content_id, size=received.size, doubles=len(received.doubles))


def _stands(pieces: int) -> UploadStands:
    return UploadStands(pieces=pieces, offset=pieces * PIECE_BYTES)
