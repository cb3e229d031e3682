"""Checkpoints of the log as objects that nobody can take away (COMPLIANCE), under a credential of their own.

::

    checkpoint/<10^12 - size, 12 digits>    one line of the witness file, as ``archive.log.checkpoints`` writes it

The newest comes first in a listing, so that one look tells how far the bucket has been told.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO

from minio import Minio
from minio.commonconfig import COMPLIANCE
from minio.retention import Retention

from storage.minio.client import translated

KEPT = timedelta(days=3653)
_FOLDER = "checkpoint/"
_MOST = 10**12


class WitnessBucket:
    """Keeps lines of the witness file in a bucket with object lock.

    Args:
        client: under the witness's credential, which can write and read but neither delete nor shorten.
        bucket: its name.
        kept: how long a line cannot be removed by anybody.
    """

    def __init__(self, client: Minio, bucket: str, kept: timedelta = KEPT) -> None:
        self._client = client
        self._bucket = bucket
        self._kept = kept

    def told(self) -> int:
        """Return the size of the longest log that was witnessed; 0 for none. Raises ``Unavailable``."""
        with translated():
            for each in self._client.list_objects(self._bucket, prefix=_FOLDER):
                return _MOST - int((each.object_name or "").removeprefix(_FOLDER))
        return 0

    def tell(self, size: int, line: bytes, at: datetime) -> None:
        """Witness one checkpoint. Telling it twice adds a version and changes nothing. Raises ``Unavailable``."""
        kept = Retention(COMPLIANCE, (at + self._kept).replace(microsecond=0))
        with translated():
            self._client.put_object(self._bucket, _name(size), BytesIO(line), len(line), retention=kept)

    def lines(self) -> Iterator[bytes]:
        """Yield every line, the shortest log first, each as it was first told.

        A later version of a name is somebody's attempt to write over it; a delete marker hides nothing here.
        """
        with translated():
            first: dict[str, tuple[datetime, str]] = {}
            for each in self._client.list_objects(self._bucket, _FOLDER, include_version=True):
                if each.is_delete_marker or not each.object_name or not each.version_id or not each.last_modified:
                    continue
                found = (each.last_modified, each.version_id)
                first[each.object_name] = min(first.get(each.object_name, found), found)
            for name in sorted(first, reverse=True):
                answer = self._client.get_object(self._bucket, name, version_id=first[name][1])
                try:
                    yield answer.read()
                finally:
                    answer.close()
                    answer.release_conn()


def _name(size: int) -> str:
    return f"{_FOLDER}{_MOST - size:012}"
