"""Reading without hurry: never faster than its rate over a while, and no burst after a rest."""

from storage.pace import IDLE, Pace


class Time:
    def __init__(self) -> None:
        self.now = 100.0
        self.paused = 0.0

    def pause(self, seconds: float) -> None:
        self.now += seconds
        self.paused += seconds


def test_what_is_read_at_once_takes_its_time() -> None:
    time = Time()
    pace = Pace(1000, time.pause, lambda: time.now)
    for _ in range(100):
        pace.passed(500)
    assert 48 <= time.paused <= 50


def test_a_slow_reader_is_never_paused() -> None:
    time = Time()
    pace = Pace(1000, time.pause, lambda: time.now)
    for _ in range(10):
        time.now += 1
        pace.passed(500)
    assert time.paused == 0


def test_a_rest_allows_no_burst() -> None:
    time = Time()
    pace = Pace(1000, time.pause, lambda: time.now)
    time.now += 3600
    for _ in range(20):
        pace.passed(1000)
    assert time.paused >= 20 - IDLE - 1
