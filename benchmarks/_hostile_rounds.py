"""Acts of a parser that was taken over, each many rounds; after each round the next honest file has to be read."""

import ctypes
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.serving import tree
from indexer.extract.answer import Extracted, Failure
from indexer.sandbox.client import Extractor
from indexer.sandbox.confinement import Limits

MODULE = "tests.fakes.hostile_acts"
LIMITS = Limits(cpu=1, wall=3.0)
REFUSED = "refused"
_REFUSED = """
    inet_socket unix_socket connect_loopback read_canary write_canary read_password_file list_root link_out
    follow_own_links fill_shared_memory run_program fork_bomb start_thread leave_as_daemon leave_group kill_parent
    trace_parent unused_doors more_memory_allowed write_to_every_descriptor double_descriptors
"""
_CRASHED = """
    nonsense_output half_a_frame giant_length nested_answer close_everything segfault exit_quietly call_as_32_bit
"""
_LATE = "time"
_TIME = "loop ignore_signals sleep half_a_frame_and_wait trickle"
ACTS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(_REFUSED.split(), frozenset({REFUSED})),
    **dict.fromkeys(_CRASHED.split(), frozenset({"crashed"})),
    **dict.fromkeys(_TIME.split(), frozenset({_LATE})),
    "environment": frozenset({"nothing of the house"}),
    "allocate": frozenset({"memory"}),
    "huge_output": frozenset({"too_large"}),
}
"""Each act, and the ends that contain it: refused by the kernel, or ended with a reason."""

OF_THE_HOUSE = "JUANKU_HOSTILE_CANARY"
_TEXT = "第一条 物业档案\n".encode()
_CANARIES = (Path("/tmp/juanku-sandbox-canary"), Path("/dev/shm/juanku-sandbox-canary"))  # noqa: S108  (the acts' own)
_SUBREAPER = 36


@dataclass
class Row:
    """What came of the rounds of one act.

    ``late``: how many a busy machine ended by the clock before their act was done, and that were done again alone.
    """

    name: str
    rounds: int = 0
    late: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


@contextmanager
def hostile() -> Iterator[Extractor]:
    """Start a fork server that knows the acts, beside a secret in the environment and files to reach for."""
    readable = _CANARIES[0].with_suffix(".read")
    readable.write_text("canary")
    os.environ[OF_THE_HOUSE] = "canary"
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)  # whatever escapes its parents becomes a child of this process
    try:
        with Extractor(parallel=8, limits=LIMITS, hostile=MODULE) as extractor:
            _honest(extractor)
            yield extractor
    finally:
        del os.environ[OF_THE_HOUSE]
        readable.unlink(missing_ok=True)


def attempt(extractor: Extractor, act: str, rounds: int) -> Row:
    """Try an act so many rounds, eight side by side; one that the clock ended too early once more, alone."""
    row = Row(act, rounds)
    before = _below()

    def once(*, alone: bool) -> bool:
        begun = time.perf_counter()
        end = _end(extractor, act)
        late = end == _LATE and end not in ACTS[act] and not alone
        if not late:
            row.seconds.append(time.perf_counter() - begun)
            row.ends[end] += 1
            if end not in ACTS[act]:
                row.faults.append(f"not contained: {end}")
        if not _honest(extractor):
            row.faults.append("the next honest file was not read")
        return late

    with ThreadPoolExecutor(extractor.parallel) as pool:
        row.late = sum(pool.map(lambda _round: once(alone=False), range(rounds)))
    for _ in range(row.late):
        once(alone=True)
    if _came_since(before):
        row.faults.append("processes are left over, or the server was replaced")
    row.faults += [f"{path} was made" for path in _CANARIES if path.exists()]
    return row


def _below() -> set[int]:
    return set(tree(os.getpid())[1:])


def _came_since(before: set[int]) -> set[int]:
    """Return the processes below this one that were not there before, once those that were ended are gone."""
    until = time.monotonic() + 2
    while (found := _below() - before) and time.monotonic() < until:
        time.sleep(0.02)
    return found


def _end(extractor: Extractor, act: str) -> str:
    found = extractor._command("hostile:" + act)  # noqa: SLF001  (tests and benchmarks of the walls only)
    if "done" not in found:
        failure = found.get("end") or found.get("failure")
        return failure.reason.value if isinstance(failure, Failure) else str(failure)
    said = str(found["done"])
    if act == "environment":
        return said if "JUANKU" in said else "nothing of the house"
    return REFUSED if said.lstrip("[\"'").startswith(REFUSED) and "SUCCEEDED" not in said else said


def _honest(extractor: Extractor) -> bool:
    found = extractor.extract("text/plain", [_TEXT], len(_TEXT))
    return isinstance(found, Extracted) and found.pages == ("第一条 物业档案",)
