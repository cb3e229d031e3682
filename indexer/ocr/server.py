"""The fork server of OCR: the engine's models are loaded once, then the walls are built, and a fork reads each page.

Started like ``indexer.sandbox.server``, whose walls and whose client it has.
"""

import json
import mmap
import socket
import sys
from collections.abc import Callable
from functools import partial

from indexer.extract import pictures
from indexer.extract.answer import Failure, Reason, Unreadable
from indexer.extract.fonts import lend_fonts
from indexer.ocr.client import READ
from indexer.ocr.engine import Engine
from indexer.ocr.page import read_page
from indexer.ocr.rapid import RapidEngine
from indexer.sandbox import work
from indexer.sandbox.confinement import Limits, cut_network
from indexer.sandbox.server import Server
from indexer.sandbox.wire import Request

DPI = 250
"""Dots per inch at which a page of a PDF is drawn."""


def answer(engine: Engine, request: Request, data: mmap.mmap | bytes) -> work.Answer:
    """Read the page that a request names."""
    try:
        image = pictures.sheet(request.task.removeprefix(READ), data, request.first_page or 1, dpi=DPI)
        found = read_page(engine, image)
        return {**vars(found), "layout": found.layout.told() if found.layout else None}
    except Unreadable as found:
        return found.failure
    except MemoryError:
        return Failure(Reason.MEMORY)
    except Exception as error:  # noqa: BLE001  (whatever a library raises on a bad page is an answer about that page)
        return Failure(Reason.BROKEN, type(error).__name__)


def serve(arguments: list[str], make: Callable[[], Engine]) -> None:
    """Serve on the descriptor named first, with the limits that follow as JSON and the engine that ``make`` returns."""
    with socket.socket(fileno=int(arguments[0])) as channel:
        standing = cut_network()  # onnxruntime starts a thread as it is loaded; afterwards some kernels refuse
        lend_fonts()
        pictures.prepare()
        engine = make()
        limits = Limits(**json.loads(arguments[1]))
        Server(channel, limits, answer=partial(answer, engine), standing=standing).run()


if __name__ == "__main__":
    serve(sys.argv[1:], RapidEngine)
