"""Which OCR engine a house reads with. Nothing of an engine is imported before it is used."""

import importlib.util
import shutil
import subprocess
from collections.abc import Mapping
from ctypes.util import find_library
from dataclasses import dataclass
from functools import cache
from importlib import metadata

AUTO, RAPIDOCR, TESSERACT, NONE = CHOICES = ("auto", "rapidocr", "tesseract", "none")
"""What the setting may say; ``auto``: RapidOCR if its extra is installed, else Tesseract if that is there."""

LANGUAGES = ("chi_sim", "chi_tra", "eng")
"""What Tesseract reads scans in, as far as it is installed."""

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}

_KEPT_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(32 * 1024**2),
    "MALLOC_TRIM_THRESHOLD_": str(1024**3),
    "MALLOC_TOP_PAD_": str(256 * 1024**2),
}
"""A fork takes large memory from the system once: given back and taken again, its zeroing is a fifth of a page's time.
glibc reads these; elsewhere they do nothing."""


@dataclass(frozen=True)
class EngineChoice:
    """An engine that is there.

    Attributes:
        name: what the setting calls it.
        version: its name and version, kept with each page that it reads; at most 40 characters.
        server: the module that serves it.
        environment: what its libraries must find in the environment.
    """

    name: str
    version: str
    server: str
    environment: Mapping[str, str]


@cache
def chosen(setting: str) -> EngineChoice | None:
    """Return the engine that the setting stands for; None: scans are not read."""
    if setting in {AUTO, RAPIDOCR} and rapidocr_installed():
        version = f"rapidocr {metadata.version('rapidocr')}"[:40]
        return EngineChoice(RAPIDOCR, version, "indexer.ocr.server", _ONE_THREAD | _KEPT_MEMORY)
    if setting in {AUTO, TESSERACT} and tesseract_languages():
        return EngineChoice(TESSERACT, _tesseract_version(), "indexer.ocr.tesseract_server", {"OMP_THREAD_LIMIT": "1"})
    return None


@cache
def rapidocr_installed() -> bool:
    """Whether the extra ``ocr`` is there."""
    return all(importlib.util.find_spec(name) is not None for name in ("rapidocr", "onnxruntime"))


@cache
def tesseract_languages() -> tuple[str, ...]:
    """Return which of ``LANGUAGES`` Tesseract reads here; none where it is not installed."""
    if find_library("tesseract") is None:
        return ()
    there = set(_told("--list-langs").split())
    return tuple(each for each in LANGUAGES if each in there)


@cache
def _tesseract_version() -> str:
    """Return name and version, such as ``tesseract 5.3.0``."""
    return " ".join(_told("--version").split()[:2])[:40]


def _told(option: str) -> str:
    program = shutil.which("tesseract")
    if program is None:
        return ""
    try:
        # an environment without TESSDATA_PREFIX, as the server has none
        told = subprocess.run([program, option], env={}, capture_output=True, timeout=20, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.stdout.decode("utf-8", "replace")
