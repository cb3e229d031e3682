"""Whether an Office file holds macros. They are never run here; who opens the file elsewhere should know."""

import mmap
import re
import struct

from indexer import kinds
from indexer.extract import ole, zips
from indexer.extract.answer import Unreadable

_PROJECTS = {"_vba_project", "_vba_project_cur"}
"""Streams and storages that only a project of macros has."""

_SLIDES_PROJECT = re.compile(
    rb"\x1f\x00\xff\x03\x14\x00\x00\x00\x02\x00\x00\x04\x0c\x00\x00\x00.{4}\x01\x00\x00\x00", re.DOTALL
)
"""The record by which a presentation says that it has macros ([MS-PPT] VbaInfoContainer, fHasMacros 1)."""


def holds_macros(media_type: str, data: mmap.mmap | bytes) -> bool:
    """Whether a file of Office holds macros: a part ``vbaProject.bin``, or the streams of old Office."""
    if media_type.startswith(kinds.OOXML):
        with zips.open_zip(data) as package:
            return any(name.lower().endswith("vbaproject.bin") for name in package.namelist())
    if not ole.is_ole(data):
        return False
    try:
        with ole.open_ole(data) as compound:
            if any(_PROJECTS & {part.lower() for part in path} for path in compound.listdir()):
                return True
            return media_type == kinds.PPT and bool(_SLIDES_PROJECT.search(ole.stream(compound, "PowerPoint Document")))
    except (Unreadable, OSError, struct.error):
        return False
