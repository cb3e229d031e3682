"""Who long work speaks to: the command line now, a job's page later."""

from typing import Any, Protocol


class Speaker(Protocol):
    """Hears how work goes on."""

    def remark(self, message: str, **facts: Any) -> None:
        """Hear a sentence (a gettext message) with its facts."""
        ...

    def progress(self, text: str) -> None:
        """Hear how far the work is."""
        ...
