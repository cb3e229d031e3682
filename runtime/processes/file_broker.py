"""Kombu's file broker, with messages that appear whole.

Kombu makes a message's file and then writes into it: a worker that takes it in between reads an empty one, and ends.
"""

from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """Writes each message beside its place, then moves it there."""

    def _put(self, queue: str, payload: Any, **_options: Any) -> None:  # type: ignore[override]  # the bases disagree
        place = Path(self.data_folder_out) / f"{round(monotonic() * 1000)}_{uuid4()}.{queue}.msg"
        part = place.with_suffix(".part")
        try:
            part.write_text(dumps(payload), "utf-8")  # type: ignore[no-untyped-call]
            part.replace(place)
        except OSError as error:
            raise ChannelError(f"Cannot add file {place} to directory") from error


class Transport(filesystem.Transport):
    """Kombu's transport over these channels."""

    Channel = Channel
