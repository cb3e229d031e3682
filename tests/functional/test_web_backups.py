"""The page of backups: when the last good one was made, what each run did, and one now by a button."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from archive.errors import Interrupted
from archive.identity import system
from archive.jobs.runner import JobRunner
from archive.model import Job, JobKind
from archive.ports import ObjectInfo
from runtime.jobs.backing_up import MakeBackups
from storage.objects import FileStore
from storage.safekeeping import LATE
from tests.factories.web_house import WebHouse, a_web_house, token_of, token_on


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def test_who_runs_the_system_asks_for_one_and_sees_how_it_ended(house: WebHouse) -> None:
    house.a_record(title="电梯维保合同")
    browser, kept = house.browser("system"), house.services.house.safekeeping
    page = browser.get("/system/backups").text
    assert "还没有完好的备份" in page
    assert "还没有完好的备份" in browser.get("/").text
    asked = browser.post("/system/backups", data={"csrf_token": token_on(page)})
    assert asked.status_code == 303
    with house.services.db.reading() as session:
        assert session.scalar(select(Job.kind)) is JobKind.BACKUP
    waiting = browser.get("/system/backups").text
    assert "正在备份" in waiting
    assert "立即备份" not in waiting
    assert browser.post("/system/backups", data={"csrf_token": token_on(page)}).status_code == 409
    made = kept.make(system("backup"))
    page = browser.get("/system/backups").text
    assert str(made.id) in page
    assert "上一次完好的备份" in page
    assert "上一次完好的备份" in browser.get("/").text


def test_a_run_that_is_told_to_stop_leaves_no_set_and_harms_no_other(house: WebHouse) -> None:
    house.a_record(title="电梯维保合同")
    kept = house.services.house.safekeeping
    answers = iter([True, True])
    with pytest.raises(Interrupted):
        kept.make(system("backup"), going_on=lambda: next(answers, False))
    assert kept.backups().sets() == []
    made = kept.make(system("backup"))
    assert kept.check(system("backup"), made.id) == []
    assert "中断" in house.browser("system").get("/system/backups").text


def test_an_old_backup_is_told_as_late(house: WebHouse) -> None:
    kept = house.services.house.safekeeping
    kept.make(system("backup"))
    assert not kept.is_late(kept.last_good())
    house.clock.move(seconds=LATE.total_seconds() + 1)
    assert kept.is_late(kept.last_good())
    assert kept.is_late(None)


def test_a_place_that_is_away_for_hours_gets_its_set_when_it_is_back_or_when_someone_asks(
    house: WebHouse, tmp_path: Path
) -> None:
    services, place, off = house.services, tmp_path / "backups", tmp_path / "off"
    kept = services.house.safekeeping
    workers = JobRunner(services.db, house.clock, [MakeBackups(kept, lambda: False)])

    def ask() -> int:
        browser = house.browser("system")
        return browser.post("/system/backups", data={"csrf_token": token_of(browser)}).status_code

    def away(minutes: int) -> None:
        """Have the place away for a while: what lies there is no folder."""
        if place.exists():
            place.rename(off)
        place.touch()
        for _ in range(0, minutes, 5):
            workers.run(JobKind.BACKUP)
            house.clock.move(minutes=5)  # type: ignore[attr-defined]
        place.unlink()
        if off.exists():
            off.rename(place)

    for way in ("by itself", "asked for"):
        assert ask() == 303
        away(350)
        made = len(kept.backups().sets())
        if way == "asked for":
            assert not kept.at_work()
            assert ask() == 303
            assert kept.at_work()
        else:
            house.clock.move(minutes=30)  # type: ignore[attr-defined]
        assert workers.run(JobKind.BACKUP) == 1
        assert len(kept.backups().sets()) == made + 1
        with services.db.reading() as session:
            assert session.scalar(select(Job.id).where(Job.kind == JobKind.BACKUP)) is None


@pytest.mark.parametrize("login", ["archivist", "staff", "auditor", "security"])
def test_nobody_else_sees_or_asks(house: WebHouse, login: str) -> None:
    browser = house.browser(login)
    assert browser.get("/system/backups").status_code == 403
    assert "完好的备份" not in browser.get("/").text
    token = token_of(browser)
    assert browser.post("/system/backups", data={"csrf_token": token}).status_code == 403


def test_a_set_lists_its_place_once_and_forgets_by_the_same_listing(
    house: WebHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, asked = house.services.house.safekeeping, []
    listing = FileStore.list

    def hear(store: FileStore, prefix: str = "") -> Iterator[ObjectInfo]:
        asked.append(prefix)
        return listing(store, prefix)

    monkeypatch.setattr(FileStore, "list", hear)
    for _ in range(4):
        kept.make(system("backup"))
        house.clock.move(days=400)  # type: ignore[attr-defined]
    assert asked == [""] * 4
    assert len(kept.backups().sets()) == 3, "one was forgotten"
    assert kept.check(system("backup"), None) == []
