"""What the system refuses, in our words: no room, or no right to a file."""

import errno

from sqlalchemy.exc import DBAPIError

from archive import database
from archive.errors import ArchiveError, NoAccess, StorageFull

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS}


def as_ours(error: Exception) -> ArchiveError | None:
    """Return our error for one of the system or of the database's driver, None when there is none."""
    if isinstance(error, DBAPIError):
        return database.as_ours(error)
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return StorageFull(part="disk")
    if isinstance(error, OSError) and error.errno in NO_RIGHT and error.filename:
        return NoAccess(path=str(error.filename))
    return None
