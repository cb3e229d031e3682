"""The code that opens the set-up pages: made where there is no archive yet, and gone once there is one."""

import os
import secrets

from runtime.ready import ROOT_KEY
from runtime.settings import Settings

FILE = "set-up-code"

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without letters that are read for others."""

GROUPS, LETTERS = 3, 5
"""Fifteen letters of 31: 74 bits, of which ten tries guess nothing."""


def needed(settings: Settings) -> bool:
    """Return whether there is nothing yet: no data, no ring; or whether a set-up was begun and not ended."""
    if (settings.home / FILE).exists():
        return True
    empty = not settings.home.exists() or all(each == settings.run for each in settings.home.iterdir())
    if not empty or (settings.keys / ROOT_KEY).exists():
        return False
    return settings.database_url.startswith("sqlite:///") or _no_tables(settings.database_url)


def _no_tables(url: str) -> bool:
    """Return whether a server's database answers and is empty: one that is not belongs to an archive elsewhere."""
    from archive.database import Database  # noqa: PLC0415 (heavy, and nothing else here needs it)
    from runtime.revisions import revisions  # noqa: PLC0415

    db = Database(url)
    try:
        with db.reading() as session:
            return revisions(session.connection())[0] is None
    finally:
        db.close()


def make(settings: Settings) -> str:
    """Write a new code into the data folder, for its owner alone, and return it; an older one is dead."""
    code = "-".join("".join(secrets.choice(ALPHABET) for _ in range(LETTERS)) for _ in range(GROUPS))
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    end(settings)
    handle = os.open(settings.home / FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(code + "\n")
    return code


def read(settings: Settings) -> str | None:
    """Return the code; None where there is none."""
    try:
        return (settings.home / FILE).read_text().strip()
    except FileNotFoundError:
        return None


def end(settings: Settings) -> None:
    """Take the code away."""
    (settings.home / FILE).unlink(missing_ok=True)


def spend(settings: Settings) -> None:
    """Leave the code's file empty: the set-up goes on, and the code opens nothing more."""
    (settings.home / FILE).write_text("")
