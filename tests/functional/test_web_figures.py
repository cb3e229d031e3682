"""Figures over a large archive: counted beside the pages, kept for a while, and never shown to who reaches others."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import delete

from archive import counting
from archive.counting import Counting
from archive.identity import Role, system
from archive.model import AccessGrant, Record, RecordState
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house, token_of
from tests.fakes.clock import FixedClock

BOARD, FORECAST, LOANS = "/retention/due?ahead=1", "/retention/forecast", "/loans/statistics"
COUNTING = "正在统计，请稍后再看。"


class Later(Executor):
    """Does what it was given when it is told to."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((future, lambda: fn(*args, **kwargs)))
        return future

    def work(self) -> int:
        """Do what waits; return how much that was."""
        done, self.waiting = self.waiting, []
        for future, act in done:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(act())
                except Exception as error:  # noqa: BLE001  (as an executor does)
                    future.set_exception(error)
        return len(done)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def house(tmp_path: Path, clock: FixedClock) -> Iterator[WebHouse]:
    with a_web_house(tmp_path, clock=clock) as made:
        made.services.people.add_person(
            system("set-up"), login="approver", name="许可", password=PASSWORD, roles=[Role.APPROVER]
        )
        browser = made.browser("archivist")
        browser.post("/schedules/install", data={"csrf_token": token_of(browser)})
        yield made


@pytest.fixture
def later(house: WebHouse) -> Later:
    """Make the archive a large one."""
    made = Later()
    house.a_record(state=RecordState.PROVISIONAL)
    for each in _both(house):
        each.large, each.beside = 0, made
    return made


def _both(house: WebHouse) -> tuple[Counting, Counting]:
    return house.services.retention.board.counting, house.services.lending.statistics.counting


def filed(house: WebHouse, title: str, level: int = 1) -> Record:
    """File a record whose term runs out in 2031."""
    record: Record = house.a_record(title=title, state=RecordState.PROVISIONAL, drawn_up="2020", level=level)
    with house.services.db.writing() as work:
        row = work.session.get_one(Record, record.id)
        row.term = "D10"
        row.drawn_from, row.drawn_to = (record.created_at.date().replace(2020, *day) for day in ((1, 1), (12, 31)))
        work.commit()
    [outcome] = house.services.filing.file(house.services.people.identity_of("archivist"), [record.id])
    assert outcome.reason is None
    return record


def in_2031(browser: FlaskClient, address: str = BOARD) -> int | None:
    """Return how many fall due in 2031, as a page says; None: it is being counted."""
    page = browser.get(address).text
    if COUNTING in page:
        assert "<svg viewBox" not in page
        assert 'hx-trigger="load delay:2s"' in page
        return None
    found = re.search(r"<span>2031</span><svg.*?</svg><span class=\"number right\">(\d+)</span>", page, re.DOTALL)
    return int(found[1]) if found else 0


def test_a_small_archive_is_counted_at_once(house: WebHouse) -> None:
    archivist = house.browser("archivist")
    for count in (1, 2):
        filed(house, f"合同{count}")
        assert in_2031(archivist) == in_2031(archivist, FORECAST) == count
    for address in (BOARD, FORECAST, LOANS):
        assert "统计时间" not in archivist.get(address).text


@pytest.mark.parametrize("address", [BOARD, FORECAST])
def test_a_large_archive_is_counted_beside_the_page_which_says_when(
    house: WebHouse, later: Later, clock: FixedClock, address: str
) -> None:
    filed(house, "合同")
    archivist = house.browser("archivist")
    assert in_2031(archivist, address) is None
    assert in_2031(archivist, address) is None
    assert 0 < later.work() < 3, "asked again, nothing is counted twice"
    clock.move(minutes=9)
    assert in_2031(archivist, address) == 1
    assert "统计时间：2026-03-05 12:00" in archivist.get(address).text
    filed(house, "另一份合同")
    assert in_2031(archivist, address) == 1
    clock.move(minutes=1)
    assert in_2031(archivist, address) is None
    later.work()
    assert in_2031(archivist, address) == 2
    assert "统计时间：2026-03-05 12:10" in archivist.get(address).text


def test_figures_end_with_the_day(house: WebHouse, later: Later, clock: FixedClock) -> None:
    clock.move(hours=11, minutes=55)
    archivist = house.browser("archivist")
    assert in_2031(archivist, FORECAST) is None
    later.work()
    assert in_2031(archivist, FORECAST) == 0
    clock.move(minutes=6)
    assert in_2031(archivist, FORECAST) is None


def test_nobody_is_shown_figures_of_who_reaches_other_records(house: WebHouse, later: Later) -> None:
    filed(house, "公开的合同")
    filed(house, "绝不外露", level=4)
    archivist, staff = house.browser("archivist"), house.browser("staff")
    for address in (BOARD, FORECAST):
        assert in_2031(archivist, address) is None
        later.work()
        assert in_2031(archivist, address) == 2
        assert in_2031(staff, address) is None
        later.work()
        assert (in_2031(staff, address), in_2031(archivist, address)) == (1, 2)
    with house.services.db.writing() as work:
        work.session.execute(delete(AccessGrant).where(AccessGrant.person_id == house.people["archivist"].id))
        work.commit()
    for address in (BOARD, FORECAST):
        assert in_2031(archivist, address) is None
    later.work()
    assert in_2031(archivist, FORECAST) == 0


def test_each_filter_has_figures_of_its_own(house: WebHouse, later: Later) -> None:
    filed(house, "合同")
    archivist = house.browser("archivist")
    own, none = f"{BOARD}&category={house.category.id}", f"{BOARD}&category={house.people['staff'].id}"
    for address, count in ((own, 1), (none, 0), (BOARD, 1)):
        assert in_2031(archivist, address) is None
        later.work()
        assert in_2031(archivist, address) == count


def test_loans_are_counted_beside_the_page_for_whom_may_look_and_at_once_for_sheets_and_programs(
    house: WebHouse, later: Later
) -> None:
    archivist = house.browser("archivist")
    page = archivist.get(LOANS).text
    assert COUNTING in page
    assert "<dl>" not in page
    assert later.work() == 1
    page = archivist.get(LOANS).text
    assert "<dl>" in page
    assert "统计时间：2026-03-05 12:00" in page
    assert COUNTING in archivist.get(f"{LOANS}?since=2026-02-01").text
    assert archivist.get(f"{LOANS}?since=2026-04-01").status_code == 422
    assert house.browser("staff").get(LOANS).status_code == 403
    later.waiting.clear()
    assert archivist.get(f"{LOANS}/list.xlsx").status_code == 200
    filed(house, "合同")
    sheet = CalamineWorkbook.from_filelike(BytesIO(archivist.get(f"{FORECAST}/list.xlsx").data))
    assert sheet.get_sheet_by_index(0).to_python()[1][-1] == 1
    assert house.services.lending.statistics.gather(
        house.services.people.identity_of("archivist"), house.services.guard.day(), house.services.guard.day()
    )
    assert not later.waiting


def test_what_goes_wrong_is_told_once_and_counted_anew(house: WebHouse, later: Later) -> None:
    filed(house, "合同")
    archivist = house.browser("archivist")
    assert in_2031(archivist, FORECAST) is None
    [(future, _act)] = later.waiting
    later.waiting.clear()
    future.set_exception(OSError("the server went away"))
    assert archivist.get(FORECAST).status_code == 500
    assert in_2031(archivist, FORECAST) is None
    later.work()
    assert in_2031(archivist, FORECAST) == 1


def test_more_figures_than_there_is_room_for_push_out_the_oldest(
    house: WebHouse, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "MOST", 2)
    archivist = house.browser("archivist")
    spans = [f"{LOANS}?since=2026-0{month}-01" for month in (1, 2, 3)]
    for address in spans:
        assert COUNTING in archivist.get(address).text
    later.work()
    assert [COUNTING in archivist.get(address).text for address in reversed(spans)] == [False, False, True]


def test_a_thread_counts_where_nothing_else_is_given(house: WebHouse) -> None:
    filed(house, "合同")
    board = house.services.retention.board
    board.counting.large = 0
    archivist = house.browser("archivist")
    assert in_2031(archivist, FORECAST) is None
    board.counting.beside.shutdown(wait=True)
    assert in_2031(archivist, FORECAST) == 1


def test_a_process_that_ends_counts_no_more_of_what_waits(house: WebHouse) -> None:
    house.a_record(state=RecordState.PROVISIONAL)
    go_on = Event()
    try:
        for each, part in zip(_both(house), (house.services.retention, house.services.lending), strict=True):
            part.close()
            _running, waiting = each.beside.submit(go_on.wait), each.beside.submit(go_on.wait)
            part.close()
            assert waiting.cancelled()
    finally:
        go_on.set()
