"""Stored files: a flipped bit is found, told to those who care, mended from the backup, and stands in the report."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import delete, select

from archive.errors import NotFound, Unavailable, Unreadable
from archive.identity import system
from archive.ids import new_id
from archive.jobs.runner import JobRunner
from archive.log.writer import Log
from archive.model import AttachedTo, Attachment, Content, Fixity, FixityFinding, FixityRun, Job, LogEntry, RecordState
from archive.ports import ObjectInfo, StoredObject
from runtime.jobs.checking_fixity import CheckFixity
from storage.fixity.care import FixityCare
from storage.fixity.mending import Mending
from storage.objects import FileStore
from storage.sweep import sweep_orphans
from tests.factories.web_house import WebHouse, a_web_house, token_of

WHO = system("test")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def care(house: WebHouse) -> FixityCare:
    return house.services.house.fixity


def mending(house: WebHouse) -> Mending:
    return house.services.house.mending


def work(house: WebHouse) -> None:
    """Do the jobs of the checks, as a worker does."""
    handler = CheckFixity(care(house), mending(house), lambda: False)
    JobRunner(house.services.db, house.clock, [handler]).drain()


def a_file(house: WebHouse, words: bytes = b"lift contract") -> Content:
    record = house.a_record(title="电梯维保合同", state=RecordState.PROVISIONAL)
    received = house.services.intake.receive(WHO, record.id, "a.txt", [words])
    return now(house, received.content_id)


def now(house: WebHouse, content_id: object) -> Content:
    with house.services.db.reading() as session:
        return session.get_one(Content, content_id)


def on_disk(folder: Path, content: Content) -> Path:
    (path,) = (folder / "objects" / "objects").rglob(f"*@{content.store_version}")
    return path


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def post(house: WebHouse, login: str, what: str) -> int:
    browser = house.browser(login)
    token = token_of(browser)
    return browser.post("/system/fixity", data={"what": what, "csrf_token": token}).status_code


def acts(house: WebHouse) -> list[str]:
    with house.services.db.reading() as session:
        return sorted(session.scalars(select(LogEntry.act).where(LogEntry.act.like("store.%"))))


def sheets(house: WebHouse) -> list[list[list[object]]]:
    """Return the rows of each sheet of the report."""
    book = CalamineWorkbook.from_filelike(BytesIO(house.browser("auditor").get("/system/fixity/report.xlsx").data))
    return [book.get_sheet_by_index(at).to_python() for at in range(4)]  # type: ignore[misc]


def test_a_flipped_bit_is_found_told_mended_from_the_backup_and_reported(house: WebHouse, tmp_path: Path) -> None:
    content, other = a_file(house), a_file(house, b"another")
    house.services.house.safekeeping.make(WHO)
    path = on_disk(tmp_path, content)
    flip(path)
    damaged = path.read_bytes()
    assert "与存入时不同" not in house.browser("archivist").get("/").text
    assert post(house, "system", "everything") == 303
    assert post(house, "system", "everything") == 409
    work(house)
    for login in ("system", "archivist", "auditor"):
        browser = house.browser(login)
        assert "与存入时不同" in browser.get("/").text
        assert content.object_key in browser.get("/system/fixity").text
    assert (now(house, content.id).fixity, now(house, other.id).fixity) == (Fixity.CHANGED, Fixity.WHOLE)
    assert "由备份修复" in house.browser("system").get("/system/fixity").text

    assert post(house, "system", "mend") == 303
    work(house)
    mended = now(house, content.id)
    assert mended.store_version != content.store_version
    assert path.read_bytes() == damaged  # it was not written over
    assert b"".join(house.services.store.read(mended.object_key, mended.store_version or "")) != damaged
    assert "与存入时不同" not in house.browser("archivist").get("/").text
    house.clock.move(days=1)  # type: ignore[attr-defined]
    care(house).run(WHO, everything=True)
    assert now(house, content.id).fixity is Fixity.WHOLE
    assert {"store.ask_everything", "store.alarm", "store.ask_mend", "store.mend", "store.verify"} <= set(acts(house))

    summary, findings, runs, objects = sheets(house)
    (row,) = findings[1:]
    assert (row[1], row[2], row[4], row[6]) == ("已变", content.object_key, len(damaged), "已修复")
    assert len(str(row[5])) == 64
    assert row[5] != content.cipher_sha256
    assert dict(row[:2] for row in summary)["现在不完好"] == 0
    assert sorted(each[5] for each in runs[1:]) == [0, 1]
    assert len(objects) == 3
    assert "store.report" in acts(house)


def test_an_attachment_is_checked_and_mended_as_files_are(house: WebHouse, tmp_path: Path) -> None:
    words = b"a signed receipt"
    key = new_id().hex
    stored = house.services.store.put(key, [words])
    attached = Attachment(
        id=new_id(), about=AttachedTo.TRANSFER, subject_id=new_id(), owner_id=new_id(), name="回执.pdf",
        media_type="application/pdf", object_key=key, store_version=stored.version, size=len(words),
        cipher_size=len(words), cipher_sha256=sha256(words).hexdigest(), created_at=house.clock.now(),
    )  # fmt: skip
    with house.services.db.writing() as work:
        work.session.add(attached)
        work.commit()
        name = attached.id
    house.services.house.safekeeping.make(WHO)
    (path,) = (tmp_path / "objects" / "objects").rglob(f"*@{stored.version}")
    flip(path)
    run = care(house).run(WHO, everything=True)
    assert (run.total, run.objects, run.bad, care(house).alarm()) == (1, 1, 1, 1)
    assert mending(house).mend(WHO).mended == (key,)
    with house.services.db.reading() as session:
        row = session.get_one(Attachment, name)
        assert (row.fixity, row.store_version != stored.version) == (Fixity.WHOLE, True)
        assert b"".join(house.services.store.read(key, row.store_version or "")) == words
    assert (care(house).standing().objects, care(house).alarm()) == (1, 0)
    assert acts(house) == ["store.alarm", "store.mend", "store.verify"]


def test_what_is_destroyed_while_it_is_mended_leaves_no_copy_behind(
    house: WebHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = a_file(house)
    house.services.house.safekeeping.make(WHO)
    path = on_disk(tmp_path, content)
    flip(path)
    care(house).run(WHO)
    put = FileStore.put

    def gone_meanwhile(store: FileStore, key: str, pieces: Iterable[bytes]) -> StoredObject:
        stored = put(store, key, pieces)
        with house.services.db.writing() as work:
            work.session.execute(delete(Content).where(Content.id == content.id))
            work.commit()
        return stored

    monkeypatch.setattr(FileStore, "put", gone_meanwhile)
    mending(house).mend(WHO)
    assert [info.version for info in house.services.store.list()] == [content.store_version]


def test_damage_is_alarmed_once_and_again_when_it_changes(house: WebHouse, tmp_path: Path) -> None:
    content = a_file(house)
    flip(on_disk(tmp_path, content))
    for _ in range(2):
        care(house).run(WHO, everything=True)
        house.clock.move(days=1)  # type: ignore[attr-defined]
    assert acts(house).count("store.alarm") == 1
    on_disk(tmp_path, content).unlink()
    care(house).run(WHO, everything=True)
    assert acts(house).count("store.alarm") == 2
    assert now(house, content.id).fixity is Fixity.MISSING


def test_what_is_put_back_by_hand_is_found_whole_again(house: WebHouse, tmp_path: Path) -> None:
    content = a_file(house)
    path = on_disk(tmp_path, content)
    path.rename(away := tmp_path / "away")
    care(house).run(WHO)
    assert care(house).alarm() == 1
    away.rename(path)
    house.clock.move(days=1)  # type: ignore[attr-defined]
    care(house).run(WHO)
    assert care(house).alarm() == 0
    assert acts(house) == ["store.alarm", "store.verify", "store.verify", "store.whole"]


def test_mending_asks_for_the_copies_it_needs_and_lists_no_more(
    house: WebHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, _other = a_file(house), a_file(house, b"another")
    house.services.house.safekeeping.make(WHO)
    flip(on_disk(tmp_path, content))
    care(house).run(WHO)
    asked: set[str] = set()
    listing = FileStore.list

    def hear(store: FileStore, prefix: str = "") -> Iterator[ObjectInfo]:
        asked.add(prefix)
        return listing(store, prefix)

    monkeypatch.setattr(FileStore, "list", hear)
    assert mending(house).mend(WHO).mended == (content.object_key,)
    assert asked == {"sets/", f"objects/{content.object_key}"}


def test_without_a_good_copy_nothing_is_put_back(house: WebHouse, tmp_path: Path) -> None:
    content = a_file(house)
    house.services.house.safekeeping.make(WHO)
    (copy,) = (tmp_path / "backups" / "objects").rglob(f"objects_{content.object_key.replace('/', '_')}@*")
    flip(copy)
    flip(on_disk(tmp_path, content))
    care(house).run(WHO)
    done = mending(house).mend(WHO)
    assert (done.mended, done.left) == ((), (content.object_key,))
    assert [each.version for each in house.services.store.list()] == [content.store_version]
    assert care(house).alarm() == 1


def test_the_damaged_version_goes_by_the_sweep_and_the_mended_stays(house: WebHouse, tmp_path: Path) -> None:
    content = a_file(house)
    house.services.house.safekeeping.make(WHO)
    on_disk(tmp_path, content).write_bytes(b"cut")
    care(house).run(WHO)
    assert mending(house).mend(WHO).mended == (content.object_key,)
    house.clock.move(days=40_000)  # type: ignore[attr-defined]  # objects bear the machine's time
    assert sweep_orphans(house.services.db, house.services.store, house.clock).objects == 1
    care(house).run(WHO, everything=True)
    assert care(house).alarm() == 0


def test_a_record_that_goes_while_it_is_read_raises_no_alarm(house: WebHouse) -> None:
    content = a_file(house)

    class Going:
        def read(self, *_asked: object) -> Iterator[bytes]:
            with house.services.db.writing() as unit:
                unit.session.execute(delete(Content).where(Content.id == content.id))
                unit.commit()
            raise NotFound

    s = house.services
    FixityCare(s.db, s.guard, Log(house.services.vault, house.clock), house.outbox, house.clock, Going(), 90).run(WHO)  # type: ignore[arg-type]
    assert care(house).alarm() == 0
    assert "store.alarm" not in acts(house)


class Rough:
    """A store that refuses some objects, or all."""

    def __init__(self, house: WebHouse, refused: set[str] | None, version: str | None = None) -> None:
        self._store = house.services.store
        self._read = self._store.read  # as it was before it was made rough
        self._refused = refused
        self._version = version

    def put(self, key: str, pieces: Iterable[bytes]) -> StoredObject:
        if self._refused is None:
            raise Unavailable(part="store", reason="ECONNREFUSED")
        return self._store.put(key, pieces)

    def read(self, key: str, version: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        if self._refused is None or (key in self._refused and version == (self._version or version)):
            raise Unavailable(part="store", reason="InsufficientReadQuorum")
        return self._read(key, version, start, length)

    def list(self) -> Iterator[ObjectInfo]:
        return self._store.list()


def roughly(house: WebHouse, refused: set[str] | None) -> FixityCare:
    s = house.services
    store = Rough(house, refused)
    return FixityCare(s.db, s.guard, Log(house.services.vault, house.clock), house.outbox, house.clock, store, 90)  # type: ignore[arg-type]


def test_a_store_that_is_away_is_no_finding_but_an_object_it_cannot_read_is(house: WebHouse) -> None:
    one, two = a_file(house), a_file(house)
    with pytest.raises(Unavailable):
        roughly(house, None).run(WHO, everything=True)
    assert care(house).alarm() == 0
    roughly(house, {one.object_key}).run(WHO, everything=True)
    assert (now(house, one.id).fixity, now(house, two.id).fixity) == (Fixity.UNREADABLE, Fixity.WHOLE)


def test_what_the_store_does_not_hand_out_is_mended_too(house: WebHouse) -> None:
    content, _other = a_file(house), a_file(house)
    house.services.house.safekeeping.make(WHO)
    roughly(house, {content.object_key}).run(WHO, everything=True)
    s, log = house.services, Log(house.services.vault, house.clock)
    backups = s.house.safekeeping.backups

    def mending_on(refused: set[str] | None) -> Mending:
        store = Rough(house, refused, content.store_version)
        return Mending(s.db, s.guard, log, house.outbox, house.clock, store, backups)  # type: ignore[arg-type]

    with pytest.raises(Unavailable):
        mending_on(None).mend(WHO)
    assert mending_on({content.object_key}).mend(WHO).mended == (content.object_key,)
    assert care(house).alarm() == 0


def test_a_reader_is_told_of_a_file_that_cannot_be_read_and_so_is_the_archivist(
    house: WebHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = a_file(house), a_file(house)
    store, key = house.services.store, house.services.people.issue_token(WHO, "archivist", "script", 30)
    monkeypatch.setattr(store, "read", Rough(house, {one.object_key}).read)
    browser = house.browser("archivist")
    for _ in range(2):
        page = browser.get(f"/files/{one.id}")
        assert page.status_code == 503
        assert "存储没有交回它的字节" in page.text
        assert "没有应答" not in page.text
    problem = house.app.test_client().get(f"/api/v1/files/{one.id}", headers={"Authorization": f"Bearer {key}"})
    assert (problem.status_code, problem.mimetype) == (503, "application/problem+json")
    assert problem.json is not None
    assert problem.json["code"] == "unreadable"
    assert browser.get(f"/files/{other.id}").data == b"lift contract"
    with house.services.db.reading() as session:
        assert session.scalars(select(Job.subject_id).where(Job.kind == "fixity")).all() == [one.id]
    assert care(house).alarm() == 0
    work(house)
    assert care(house).alarm() == 1
    assert "store.alarm" in acts(house)
    monkeypatch.setattr(store, "read", Rough(house, None).read)
    assert "没有应答" in browser.get(f"/files/{one.id}").text


def test_of_many_who_meet_it_at_once_one_has_it_looked_at(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    one, _other = a_file(house), a_file(house)
    monkeypatch.setattr(house.services.store, "read", Rough(house, {one.object_key}).read)
    who = house.services.people.identity_of("archivist")

    def told(_turn: int) -> str:
        try:
            house.services.intake.open_file(who, one.id)
        except Unreadable as error:
            return error.code
        return ""

    with ThreadPoolExecutor(8) as people:
        assert set(people.map(told, range(24))) == {"unreadable"}
    with house.services.db.reading() as session:
        assert session.scalars(select(Job.subject_id).where(Job.kind == "fixity")).all() == [one.id]


def test_a_run_that_is_broken_off_goes_on_and_looks_at_nothing_twice(house: WebHouse) -> None:
    files = [a_file(house, b"%d" % number) for number in range(5)]
    house.clock.move(seconds=1)  # type: ignore[attr-defined]
    answers = iter([True, True, True])
    broken = care(house).run(WHO, everything=True, going_on=lambda: next(answers, False))
    assert 0 < broken.objects < len(files)
    assert broken.ended_at is None
    house.clock.move(seconds=5)  # type: ignore[attr-defined]
    run = care(house).run(WHO, broken.id, everything=True)
    assert (run.objects, run.total) == (5, 5)
    assert run.ended_at is not None


def test_a_day_looks_at_a_share_only(house: WebHouse) -> None:
    for number in range(4):
        a_file(house, b"%d" % number)
    assert care(house).run(WHO).objects == 1
    house.clock.move(days=95)  # type: ignore[attr-defined]
    assert care(house).standing().late
    assert care(house).run(WHO).objects == 4
    assert not care(house).standing().late


@pytest.mark.parametrize("login", ["staff", "security", "clerk"])
def test_others_see_nothing_of_it(house: WebHouse, login: str, tmp_path: Path) -> None:
    flip(on_disk(tmp_path, a_file(house)))
    care(house).run(WHO)
    browser = house.browser(login)
    assert "与存入时不同" not in browser.get("/").text
    assert browser.get("/system/fixity").status_code == 403
    assert browser.get("/system/fixity/report.xlsx").status_code == 403


@pytest.mark.parametrize("login", ["archivist", "auditor"])
def test_who_looks_does_not_run_it(house: WebHouse, login: str) -> None:
    assert post(house, login, "mend") == 403
    with house.services.db.reading() as session:
        assert session.scalars(select(Job.kind).where(Job.payload.is_not(None), Job.kind == "fixity")).all() == []


def test_what_a_report_and_page_show_holds_no_title(house: WebHouse, tmp_path: Path) -> None:
    flip(on_disk(tmp_path, a_file(house)))
    care(house).run(WHO)
    browser = house.browser("auditor")
    assert "电梯维保合同" not in browser.get("/system/fixity").text
    words = {str(cell) for sheet in sheets(house) for row in sheet for cell in row}
    assert "电梯维保合同" not in words
    with house.services.db.reading() as session:
        assert session.scalars(select(FixityFinding)).one().ended is None
        assert session.scalars(select(FixityRun)).one().bad == 1


def test_the_page_is_told_the_same_as_the_report_as_far_as_it_counts(house: WebHouse) -> None:
    for number in range(4):
        a_file(house, b"%d" % number)
    assert care(house).told(10) == replace(care(house).standing(), bytes=0)
    house.clock.move(days=95)  # type: ignore[attr-defined]
    late = care(house).standing()
    assert care(house).told(10) == replace(late, bytes=0)
    assert (late.late, late.checked) == (True, 0)
    house.clock.move(seconds=1)  # type: ignore[attr-defined]
    assert care(house).run(WHO).objects == 4
    standing = care(house).standing()
    assert care(house).told(10) == replace(standing, bytes=0)
    assert (standing.late, standing.checked) == (False, 4)
    few = care(house).told(2)
    assert (few.objects, few.checked) == (3, 3)
