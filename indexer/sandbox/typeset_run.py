"""Sets one form behind walls: ``python -m indexer.sandbox.typeset_run GIVEN MADE LIMITS``, two descriptors and JSON.

GIVEN is the request as JSON, MADE takes the answer: a line of JSON, then the bytes it tells of. A template is a program
that may be hostile: nothing is left open but to read the folder of forms and the typefaces. It ends with ``REFUSED``
when a wall that it must not run without cannot be put up.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import typst

from indexer.sandbox.confinement import address_space, cut_network, forbid_files
from indexer.sandbox.office_run import REFUSED, refuse_calls

STANDARD: Final = "a-2b"
"""PDF/A-2b: what holds its typefaces and lasts."""

PPI = 80
"""Dots an inch of a page that is drawn to be looked at."""

_NO_NEW_PRIVS, _DUMPABLE, _DEATH_SIGNAL = 38, 4, 1
_READ = 0x4 | 0x8  # LANDLOCK_ACCESS_FS_READ_FILE | _READ_DIR
_LONGEST = 2_000


def main(arguments: list[str]) -> None:
    """Answer the one request."""
    given, made, limits = int(arguments[0]), int(arguments[1]), json.loads(arguments[2])
    with os.fdopen(given, "rb") as file:
        asked = json.loads(file.read())
    walls = _confine(limits, [Path(asked["root"]), Path(asked["fonts"])])
    if asked["hostile"] and not walls:
        sys.exit(REFUSED)
    head, bodies = _set(asked)
    with os.fdopen(made, "wb") as file:
        file.write(json.dumps({**head, "sizes": [len(each) for each in bodies]}).encode() + b"\n" + b"".join(bodies))


def _set(asked: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
    try:
        compiler = typst.Compiler(
            root=asked["root"], font_paths=[asked["fonts"]], ignore_system_fonts=True,
            package_path="/nothing", package_cache_path="/nothing",
        )  # fmt: skip
        source, data = asked["source"].encode(), {"data": asked["data"]}
        if asked["draw"]:
            pages = compiler.compile(source, format="png", ppi=PPI, sys_inputs=data)
            found = pages if isinstance(pages, list) else [pages or b""]
            return {"count": len(found)}, found[: asked["draw"]]
        made = compiler.compile(source, format="pdf", sys_inputs=data, pdf_standards=STANDARD)
        return {}, made if isinstance(made, list) else [made or b""]
    except typst.TypstError as error:
        told = {"message": error.message, "diagnostic": error.diagnostic, "hints": " ".join(error.hints)}
        return {"fault": {name: str(words)[:_LONGEST] for name, words in told.items()}}, []


def _confine(limits: dict[str, int], readable: list[Path]) -> bool:
    """Put up the walls; return whether those stand that a hostile template needs."""
    linux = sys.platform.startswith("linux")
    for kind, most in (
        (resource.RLIMIT_AS, address_space() + limits["memory"]),
        (resource.RLIMIT_CPU, limits["cpu"]),
        (resource.RLIMIT_FSIZE, limits["size"]),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))
    if not linux:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_DUMPABLE, 0, 0, 0, 0)
    cut_network()
    return (
        libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        and forbid_files(libc, dict.fromkeys(readable, _READ))
        and refuse_calls(libc)
    )


if __name__ == "__main__":
    main(sys.argv[1:])
