"""What stands beside the archive on this machine, as far as words about a file depend on it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Aids:
    """Whether scans are read by OCR, whether LibreOffice is used, whether files are scanned for viruses."""

    ocr: bool = False
    office: bool = False
    viruses: bool = False
