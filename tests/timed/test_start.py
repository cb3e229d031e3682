"""How long people wait for a start. Passed with nothing beside it: see ``juanku test``."""

import resource
import subprocess
import sys

from tests.factories.archives import Archive

START_SECONDS = 3.0
BARE_IMPORTS = "import flask, sqlalchemy.orm, celery"
START_TO_IMPORTS = 4.0
"""What a start may take beside the processor's time for the libraries' bare imports in the same moment: the machine
that tests may be busy. What it stood in line for a processor does not count.
"""


def test_it_is_up_soon(archive: Archive) -> None:
    tried: list[tuple[float, float]] = []
    while not tried or (not up_soon(*tried[-1]) and len(tried) < 3):
        begun = work_of_children()
        subprocess.run([sys.executable, "-c", BARE_IMPORTS], env=archive.environment, check=True)
        imports = work_of_children() - begun
        with archive.served() as served:
            tried.append((served.up_after - served.held_up, imports))
    assert up_soon(*tried[-1]), tried


def work_of_children() -> float:
    """Return the processor's seconds of the processes that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def up_soon(seconds: float, imports: float) -> bool:
    return seconds < max(START_SECONDS, START_TO_IMPORTS * imports)
