"""A note that the demonstration is there, so that its second start has nothing to look up."""

import json
from collections.abc import Mapping
from typing import Any

from runtime.ready import ROOT_KEY
from runtime.settings import Settings


def read(settings: Settings, size: int | None) -> dict[str, Any] | None:
    """Return what the demonstration came to, or None when it was never finished or more records are asked for."""
    try:
        document: dict[str, Any] = json.loads((settings.home / "demo.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    enough = size is None or document["records"] >= size
    return document if enough and (settings.keys / ROOT_KEY).exists() else None


def write(settings: Settings, document: Mapping[str, Any]) -> None:
    """Note what the demonstration came to."""
    (settings.home / "demo.json").write_text(json.dumps(document, ensure_ascii=False), "utf-8")
