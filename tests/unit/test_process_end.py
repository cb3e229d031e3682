"""How a process of the product ends: without looking through all that it loaded once more."""

import subprocess
import sys

LATER = "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count()))"


def test_a_process_ends_without_a_last_look_for_garbage() -> None:
    frozen = [
        int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for code in (LATER, f"{LATER}; import runtime")
    ]
    assert frozen[0] < 1_000 < frozen[1]
