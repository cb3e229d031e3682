"""An empty database with every table."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from archive.database import Base, Database


def a_database(folder: Path, **more: Any) -> Database:
    """Make one in a file of the folder; ``more`` goes to ``Database``. The caller closes it."""
    file = folder / "house.db"
    if not file.exists():
        file.write_bytes(_empty())
    return Database(f"sqlite:///{file}", **more)


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        made = Database(f"sqlite:///{file}")
        Base.metadata.create_all(made.engine)
        made.close()
        return file.read_bytes()
