"""An empty database with every table."""

from pathlib import Path
from typing import Any

from archive.database import Base, Database


def a_database(folder: Path, **more: Any) -> Database:
    """Make one in a file of the folder; ``more`` goes to ``Database``. The caller closes it."""
    made = Database(f"sqlite:///{folder}/house.db", **more)
    Base.metadata.create_all(made.engine)
    return made
