"""Tells what a file is, behind the walls of a fork."""

from indexer.sandbox.client import Extractor


class SandboxDetector:
    """Detects media types inside the sandbox (``archive.ports.Detector``)."""

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor

    def detect(self, head: bytes, name: str) -> str:
        """Return the media type of a file from its first bytes (``name`` only settles ties)."""
        return self._extractor.identify(head[:65_536], name)
