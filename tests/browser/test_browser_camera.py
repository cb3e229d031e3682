"""A phone's camera in place of a scanner: labels held before it are shelved, counted, lent; a photograph does too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import func, select, update

from archive.ids import new_id
from archive.model import (
    Copy,
    CopyMove,
    Destruction,
    DestructionDuty,
    DestructionScan,
    DestructionState,
    Duty,
    IssuedNumber,
    Medium,
    Record,
    StockScan,
)
from tests.browser.pages import CHROMIUM, a_browser
from tests.factories import patience
from tests.factories.furnished import served
from tests.factories.label_film import film_of, photograph_of, photograph_of_bars
from tests.factories.stock_pages import Hands, a_counted_room
from tests.factories.web_house import PASSWORD, WebHouse, a_web_house
from tests.functional.test_web_destructions import begun, given_up

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}; set JUANKU_CHROMIUM to run this"),
]
MADE_CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
FILMED = "document.querySelector('.camera video').currentTime"
LONG = 5
"""Seconds of film, in which a page looks many times."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def _opened(browser: Browser, at: str, login: str = "archivist") -> Page:
    page = browser.new_page(locale="zh-CN", viewport={"width": 390, "height": 844})
    page.goto(at)
    page.fill("[name=login]", login)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    expect(page.locator("[name=login]")).to_have_count(0)
    page.goto(at)
    return page


def _lies(house: WebHouse) -> set[object]:
    with house.services.db.reading() as session:
        return set(session.scalars(select(Copy.place_id)))


def test_labels_before_a_camera_are_shelved(house: WebHouse, tmp_path: Path) -> None:
    numbers, boxes = a_counted_room(house, "K1", 1)
    labels = [f"https://archive.example/shelves/{boxes[1]}", f"https://archive.example/number?n={numbers[0]}"]
    film = film_of(labels, tmp_path / "labels.y4m")
    with a_browser(*MADE_CAMERA, f"--use-file-for-fake-video-capture={film}") as browser, served(house.app) as url:
        page = _opened(browser, f"{url}/shelves/placing")
        page.get_by_role("button", name="用摄像头扫描").click()
        expect(page.locator(".scan-done strong")).to_have_text(f"✓ {numbers[0]} → K1-1-1-2")
        expect(page.locator(".camera video")).to_be_visible()
        assert page.evaluate("document.querySelector('.camera video').paused") is False
        expect(page.locator("[data-camera]")).to_have_count(1)
        page.get_by_role("button", name="关闭摄像头").click()
        expect(page.locator(".camera video")).to_be_hidden()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert [str(each) for each in _lies(house)] == [boxes[1]]


def test_a_label_that_stays_before_a_camera_counts_once(house: WebHouse, tmp_path: Path) -> None:
    _numbers, boxes = a_counted_room(house, "K1", 1)
    film = film_of([f"https://archive.example/shelves/{boxes[1]}"], tmp_path / "label.y4m", away=0)
    with a_browser(*MADE_CAMERA, f"--use-file-for-fake-video-capture={film}") as browser, served(house.app) as url:
        page = _opened(browser, f"{url}/shelves/placing")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.method))
        page.get_by_role("button", name="用摄像头扫描").click()
        expect(page.locator(".scan-place strong")).to_have_text("K1-1-1-2")
        seen = page.evaluate(FILMED)
        page.wait_for_function(f"seen => {FILMED} > seen + {LONG}", arg=seen, timeout=patience.MILLISECONDS)
        assert asked.count("POST") == 1


def test_a_stock_taking_counts_what_the_camera_sees(house: WebHouse, tmp_path: Path) -> None:
    numbers, _boxes = a_counted_room(house, "K1", 2)
    at = Hands(house, "archivist").post("/stocktakings", place="K1-1-1-1").location
    film = film_of([f"http://a.example/number?n={each}" for each in numbers], tmp_path / "labels.y4m")
    with a_browser(*MADE_CAMERA, f"--use-file-for-fake-video-capture={film}") as browser, served(house.app) as url:
        page = _opened(browser, url + at)
        page.get_by_role("button", name="用摄像头扫描").click()
        expect(page.locator("[data-figure=scanned]")).to_have_text("2")
        page.get_by_role("button", name="关闭摄像头").click()
        expect(page.locator("[data-waits]")).to_be_hidden()
    with house.services.db.reading() as session:
        assert session.scalar(select(func.count(func.distinct(StockScan.copy_id)))) == 2


def test_the_count_of_a_destruction_goes_by_camera_and_a_wrong_paper_is_not_overlooked(
    house: WebHouse, tmp_path: Path
) -> None:
    [goes] = given_up(house, "旧合同甲")
    key = begun(house)
    with house.services.db.writing() as work:
        session, number = work.session, "WYH-2024-0001"
        session.add(Copy(record_id=goes, number=1, created_at=house.clock.now()))
        session.add(IssuedNumber(fonds_id=house.category.fonds_id, number=number, record_id=goes))
        session.execute(update(Record).where(Record.id == goes).values(archive_number=number, medium=Medium.PAPER))
        who = house.services.people.identity_of("staff").person_id
        session.add(DestructionDuty(id=new_id(), destruction_id=key, duty=Duty.WITNESS, person_id=who))
        session.get_one(Destruction, key).state = DestructionState.CONFIRMED
        work.commit()
    film = film_of([f"http://a.example/number?n={each}" for each in (number, "XH-0")], tmp_path / "labels.y4m")
    with a_browser(*MADE_CAMERA, f"--use-file-for-fake-video-capture={film}") as browser, served(house.app) as url:
        page = _opened(browser, f"{url}/destructions/{key}", "staff")
        page.get_by_role("button", name="用摄像头扫描").click()
        expect(page.get_by_text("尚待扫描：0 份")).to_be_visible()
        expect(page.locator(".scan-fault")).to_contain_text("XH-0：不在清单上")
        page.get_by_role("button", name="关闭摄像头").click()
    with house.services.db.reading() as session:
        assert {each.label for each in session.scalars(select(DestructionScan))} == {number, "XH-0"}


def test_a_photograph_does_where_no_camera_may_be_opened(house: WebHouse, tmp_path: Path) -> None:
    numbers, boxes = a_counted_room(house, "K1", 1)
    pictures = []
    for n, label in enumerate((f"http://a.example/shelves/{boxes[1]}", numbers[0], "")):
        pictures.append(tmp_path / f"{n}.png")
        (photograph_of(label) if label else photograph_of("x").crop((0, 0, 90, 90))).save(pictures[-1])
    with a_browser() as browser, served(house.app) as url:
        page = _opened(browser, f"{url}/shelves/placing")
        expect(page.get_by_role("button", name="拍摄标签")).to_be_visible()
        choose = page.locator(".camera input[type=file]")
        choose.set_input_files(pictures[2])
        expect(page.locator(".camera [role=status]")).to_contain_text("没有找到")
        choose.set_input_files(pictures[0])
        expect(page.locator(".scan-place strong")).to_have_text("K1-1-1-2")
        choose.set_input_files(pictures[1])
        expect(page.locator(".scan-done strong")).to_contain_text("K1-1-1-2")
        page.get_by_role("button", name="用摄像头扫描").click()  # there is none
        expect(page.locator(".camera [role=status]")).to_contain_text("摄像头没有打开")
    with house.services.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(CopyMove)) == 2


def test_bars_alone_are_read_too(house: WebHouse, tmp_path: Path) -> None:
    numbers, boxes = a_counted_room(house, "K1", 1)
    photograph_of(f"http://a.example/shelves/{boxes[1]}").save(tmp_path / "box.png")
    photograph_of_bars(numbers[0]).save(tmp_path / "bars.png")
    with a_browser() as browser, served(house.app) as url:
        page = _opened(browser, f"{url}/shelves/placing")
        assert page.evaluate("window.BarcodeDetector") is None  # it is not its own detector that reads here
        choose = page.locator(".camera input[type=file]")
        choose.set_input_files(tmp_path / "box.png")
        expect(page.locator(".scan-place strong")).to_have_text("K1-1-1-2")
        choose.set_input_files(tmp_path / "bars.png")
        expect(page.locator(".scan-done strong")).to_have_text(f"✓ {numbers[0]} → K1-1-1-2")
    assert [str(each) for each in _lies(house)] == [boxes[1]]


@pytest.mark.parametrize(
    ("path", "camera"),
    [("/shelves/placing", "(self)"), ("/loans/counter", "(self)"), ("/", "()"), ("/shelves", "()"), ("/uploads", "()")],
)
def test_only_pages_of_scanning_may_open_the_camera(house: WebHouse, path: str, camera: str) -> None:
    said = house.browser("archivist").get(path).headers["Permissions-Policy"]
    assert said == f"camera={camera}, geolocation=(), microphone=()"
