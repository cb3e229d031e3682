"""The web process of the tree: the pages behind waitress."""

import gc
import logging
import signal
import sys
from types import FrameType

from runtime.processes.serve import die_with_parent


def main() -> None:
    """Serve pages until told to end."""
    die_with_parent()
    gc.disable()  # what a start loads stays: to look through it again and again is a tenth of the start
    import waitress  # noqa: PLC0415 (after the parent is watched, so that a slow import can't orphan us)

    from runtime.processes.first_pages import Pages  # noqa: PLC0415
    from runtime.processes.saying import speak  # noqa: PLC0415
    from runtime.settings import load  # noqa: PLC0415

    settings = load()
    speak(settings)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # says each request that waits for a thread: no fault
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the root, which ends us in order
    app = Pages(settings)
    gc.enable()
    try:
        waitress.serve(
            app,
            host=settings.host,
            port=settings.port,
            threads=8,
            ident=None,
            clear_untrusted_proxy_headers=not settings.proxies,  # else the pages look at them themselves
            max_request_body_size=16 * 1024 * 1024,
            inbuf_overflow=16 * 1024 * 1024,  # a piece stays in memory: no plain byte touches a disk
            _quiet=True,
        )
    finally:
        app.close()


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
