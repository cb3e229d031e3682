"""How files share the memory that reading them may take."""

import json
import threading
from contextlib import ExitStack

from indexer.extract.answer import Extracted, Failure, Reason
from indexer.sandbox.room import LIGHT_BYTES, Room
from indexer.sandbox.wire import lacked_memory, pack_answer


def entered(room: Room, size: int) -> threading.Event:
    """Ask for room in a thread of its own, and leave at once; return what is set once it was given."""
    given = threading.Event()

    def ask() -> None:
        with room.holding(size):
            given.set()

    threading.Thread(target=ask, daemon=True).start()
    return given


def test_a_large_file_waits_for_the_other_and_a_small_one_does_not() -> None:
    room = Room(2)
    with room.holding(LIGHT_BYTES + 1):
        small, large = entered(room, LIGHT_BYTES), entered(room, LIGHT_BYTES + 1)
        assert small.wait(60)
        assert not large.wait(0.2)
    assert large.wait(60)


def test_who_holds_a_large_file_may_have_it_read() -> None:
    room = Room(2)
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(room.holding(LIGHT_BYTES + 1))
        stack.enter_context(room.place(light=False))
        assert entered(room, 1).wait(60)


def test_where_one_file_is_read_at_a_time_it_gets_all_memory_at_once() -> None:
    assert not Room(1).is_light(1)
    assert Room(2).is_light(LIGHT_BYTES)
    assert not Room(2).is_light(LIGHT_BYTES + 1)


def test_only_what_may_have_lacked_memory_is_read_again() -> None:
    ended = json.loads('{"exit": 0, "signal": null, "timeout": false}')
    assert lacked_memory(pack_answer(Failure(Reason.MEMORY)), ended)
    assert lacked_memory(b"", {**ended, "signal": 6})
    assert not lacked_memory(b"", {**ended, "timeout": True})
    assert not lacked_memory(b"", {**ended, "signal": 24})
    assert lacked_memory(pack_answer(Failure(Reason.BROKEN)), ended), "so Pillow calls a picture it has no room for"
    assert not lacked_memory(pack_answer(Failure(Reason.ENCRYPTED)), ended)
    assert not lacked_memory(pack_answer(Extracted(("memory",), 1, 1)), ended)
