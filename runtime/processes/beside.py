"""A second process of a command, on the other core: queues, the sealer (``python -m runtime.processes.beside QUEUE…``).

The command writes moments to its standard input, one a line: jobs asked for up to the last one may be done. So a
record that the command still works on is not taken up at each of its steps. The end of the input ends the process,
once what may be done is done.
"""

import logging
import sys
import threading
from datetime import datetime

from archive.errors import Unavailable
from archive.jobs.outbox import kinds_of
from runtime.processes.saying import speak
from runtime.processes.serve import die_with_parent
from runtime.processes.working import keep_sealing
from runtime.settings import load
from runtime.wiring.parts import NoWaker, Parts, build, settle

LOOK_EVERY = 0.5
"""Seconds between two looks at queues that were empty."""

log = logging.getLogger(__name__)


class Beside:
    """Does what the command lets it do."""

    def __init__(self, parts: Parts, queues: list[str]) -> None:
        self._parts = parts
        self._kinds = [kind for queue in queues for kind in kinds_of(queue)]
        self._until: datetime | None = None
        self._told = threading.Event()
        self._ended = False

    def listen(self) -> None:
        """Take what the command says, until it says no more."""
        for line in sys.stdin:
            self._until = datetime.fromisoformat(line.strip())
            self._told.set()
        self._ended = True
        self._told.set()

    def run(self) -> None:
        """Work until the command has ended and nothing that may be done is left."""
        while True:
            ended = self._ended
            try:
                done = self._step()
            except Unavailable as error:
                log.warning("the %s is busy or away; work is tried again", error.facts.get("part", "database"))
                done = 0
            except Exception:
                log.exception("a queue stopped; it is tried again")
                done = 0
            if not done:
                if ended:
                    return
                self._told.wait(LOOK_EVERY)
                self._told.clear()

    def _step(self) -> int:
        if self._until is None:
            return 0
        runner, until = self._parts.runner, self._until
        return sum(runner.run(kind, asked_before=until) for kind in runner.due(self._kinds, until))


def main(queues: list[str]) -> None:
    """Work beside the command that started this process."""
    die_with_parent()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    settings = load()
    speak(settings)
    parts = build(settings, NoWaker())
    settle()
    stop = threading.Event()
    sealing = keep_sealing(parts, stop)
    try:
        beside = Beside(parts, queues)
        threading.Thread(target=beside.listen, daemon=True).start()
        beside.run()
    finally:
        stop.set()
        sealing.join()
        parts.close()


if __name__ == "__main__":
    main(sys.argv[1:])
