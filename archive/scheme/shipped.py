"""What ships ready to use: schemes, level namings, the property tree's rules, kinds of subjects, and the seeds' map."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from archive.scheme.document import Scheme, load, read_yaml

DATA = Path(__file__).parent / "data"
SCHEMES = ("property", "university")


@cache
def scheme(code: str) -> Scheme:
    """Return a shipped scheme. ``KeyError`` when there is none of this code."""
    if code not in SCHEMES:
        raise KeyError(code)
    return load(DATA / f"{code}.yaml")


@cache
def document(name: str) -> Mapping[str, Any]:
    """Return another shipped document (``levels``, ``places``, ``subjects``, ``mapping``) as plain data."""
    return read_yaml((DATA / f"{name}.yaml").read_bytes(), name)
