"""Whether there is an archive to open, told from its files alone: quick, before anything heavy is imported."""

from pathlib import Path

from archive.errors import Unavailable, WrongState
from runtime.settings import Settings

NOT_READY = 78
"""Exit code of a process that cannot work on this archive: starting it again would not help."""

RESTORING = "restoring.json"
"""In the data folder while a restore is under way: nothing is opened, and the next restore begins anew."""

REHEARSAL = "rehearsal"
"""The folder under ``JUANKU_HOME/run`` in which a backup is rehearsed; whoever finds it can read it."""

ROOT_KEY = "root.key"
"""The file without which a ring was never finished (see ``storage.ring``)."""


def require_files(settings: Settings) -> None:
    """Refuse to go on where there is no archive or no ring.

    Raises:
        WrongState: there is no archive (fact ``state``: ``no_archive``), or it is being restored (``restoring``).
        Unavailable: there is no ring.
    """
    url = settings.database_url
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        raise WrongState(state="no_archive", act="open", home=str(settings.home))
    if (settings.home / RESTORING).exists():
        raise WrongState(state="restoring", act="open")
    if not (settings.keys / ROOT_KEY).exists():
        raise Unavailable(part="ring", where=str(settings.keys))
