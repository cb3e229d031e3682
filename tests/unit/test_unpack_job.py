"""The unpack job: what lies inside a file comes to its record as files of its own, each read like any other."""

import gzip
import random
import tarfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select

from archive import failpoints
from archive.failpoints import Injected
from archive.files.rereading import AGAIN
from archive.jobs.outbox import Outbox
from archive.jobs.runner import ClaimedJob, JobRunner
from archive.log.writer import Log
from archive.model import (
    Content,
    ContentState,
    File,
    FileRole,
    Job,
    JobKind,
    JobState,
    LogEntry,
    LogResult,
    PageText,
    RecordState,
    TextState,
)
from indexer.extraction import ExtractContents
from indexer.identify import MagicDetector
from indexer.pagetext import load_pages
from indexer.sandbox.client import Extractor
from indexer.unpacking import UnpackContents
from storage.objects import FileStore
from tests.factories.databases import a_database
from tests.factories.drawn import a_pdf
from tests.factories.hostile_files import a_locked_pdf
from tests.factories.packages import a_docx, para
from tests.factories.packed import a_7z, a_letter, a_link, a_tar, a_zip, an_embedded
from tests.factories.records import a_category, a_fonds, a_house
from tests.factories.stored import stored
from tests.fakes.clock import START, FixedClock
from tests.fakes.vault import MemoryVault


class Asleep:
    def wake(self, queue: str, job_id: UUID) -> None:
        pass


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor() as made:
        yield made


@pytest.fixture
def house(tmp_path: Path, extractor: Extractor) -> Iterator[SimpleNamespace]:
    db = a_database(tmp_path)
    made = SimpleNamespace(db=db, vault=MemoryVault(), store=FileStore(tmp_path / "store"), clock=FixedClock())
    made.outbox = Outbox(made.clock, Asleep())
    made.log = Log(made.vault, made.clock)
    reading = ExtractContents(db, made.vault, made.store, made.outbox, extractor, MagicDetector(), START.date)
    unpacking = UnpackContents(db, made.vault, made.store, made.log, made.outbox, made.clock, extractor)
    made.runner = JobRunner(db, made.clock, [reading, unpacking])
    with db.writing() as work:
        a_house(work.session)
        made.category = a_category(work.session, a_fonds(work.session))
        work.commit()
    yield made
    db.close()


def work_all(house: SimpleNamespace) -> None:
    while house.runner.drain():
        pass


def members(house: SimpleNamespace, outer: UUID) -> dict[str, SimpleNamespace]:
    """Return what came out of a content, by its path there."""
    with house.db.reading() as session:
        rows = session.execute(
            select(File, Content).join(Content, Content.id == File.content_id).where(File.inside_id == outer)
        ).all()
        return {
            file.inside_path: SimpleNamespace(
                file=file,
                content=content,
                text="\n".join(page.text for page in load_pages(session, house.vault, content.record_id, content.id)),
            )
            for file, content in rows
        }


def content(house: SimpleNamespace, key: UUID) -> Content:
    with house.db.reading() as session:
        return session.get_one(Content, key)


def entries(house: SimpleNamespace, result: LogResult = LogResult.DONE) -> list[dict[str, object]]:
    with house.db.reading() as session:
        found = session.scalars(
            select(LogEntry).where(LogEntry.act == "file.unpack", LogEntry.result == result).order_by(LogEntry.at)
        ).all()
        return [dict(body) for body in house.log.opened_many(session, found) if body]


def test_files_in_a_zip_become_files_of_the_record_each_read_and_judged_for_itself(house: SimpleNamespace) -> None:
    data = a_zip(
        ("合同/正文.pdf", a_pdf("甲方应当支付")),
        ("合同/锁.pdf", a_locked_pdf()),
        ("坏.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x01" * 600),
        ("空.txt", b""),
    )
    outer = stored(house, data, "合同.zip")
    work_all(house)
    found = members(house, outer)
    assert set(found) == {"合同/正文.pdf", "合同/锁.pdf", "坏.xls"}
    body = found["合同/正文.pdf"]
    assert (body.file.name, body.file.role, body.file.record_id) == (
        "正文.pdf", FileRole.ATTACHMENT, content(house, outer).record_id,
    )  # fmt: skip
    assert (body.content.media_type, body.content.text_state) == ("application/pdf", TextState.TEXT)
    assert "甲方应当支付" in body.text
    assert found["合同/锁.pdf"].content.state is ContentState.QUARANTINED
    assert found["合同/锁.pdf"].content.reason == "encrypted"
    assert found["坏.xls"].content.reason == "broken"
    whole = content(house, outer)
    assert (whole.state, whole.members, whole.members_lost) == (ContentState.STORED, 3, 0)
    assert entries(house) == [
        {"name": "合同.zip", "content": str(outer), "count": 3, "names": ["合同/正文.pdf", "合同/锁.pdf", "坏.xls"]}
    ]


def test_the_bytes_of_a_member_are_sealed_whole_and_its_hash_is_that_of_the_plain_bytes(house: SimpleNamespace) -> None:
    large = random.Random(1).randbytes(3_000_000) + bytes(7_000_000)
    outer = stored(house, a_zip(("大.bin", large)), "a.zip")
    work_all(house)
    (one,) = members(house, outer).values()
    with house.db.reading() as session:
        key = house.vault.unlock(session, one.content.record_id)
    reader = key.content_reader(one.content.id, house.store, one.content.object_key, one.content.store_version)
    assert b"".join(reader.read()) == large
    assert one.content.size == len(large)


def test_what_is_attached_to_a_mail_comes_out_and_the_mail_keeps_heads_words_and_names(house: SimpleNamespace) -> None:
    letter = a_letter("关于验收", "请看附件。", ("验收.pdf", a_pdf("验收合格")), ("清单.txt", "清单内容".encode()))
    letter.add_attachment(a_letter("里面的信", "里面的话"))
    outer = stored(house, letter.as_bytes(), "信.eml")
    work_all(house)
    found = members(house, outer)
    assert set(found) == {"验收.pdf", "清单.txt", "里面的信.eml"}
    assert "验收合格" in found["验收.pdf"].text
    assert "里面的话" in found["里面的信.eml"].text
    with house.db.reading() as session:
        text = "\n".join(page.text for page in load_pages(session, house.vault, content(house, outer).record_id, outer))
    assert {"Subject: 关于验收", "请看附件。", "清单.txt", "里面的信.eml"} <= set(text.split("\n"))
    assert "清单内容" not in text


def test_a_zip_in_a_zip_is_opened_and_what_lies_deeper_stays_packed(house: SimpleNamespace) -> None:
    innermost = a_zip(("深.txt", "看不见".encode()))
    inner = a_zip(("里.txt", "看得见".encode()), ("更里.zip", innermost))
    outer = stored(house, a_zip(("里.zip", inner)), "外.zip")
    work_all(house)
    second = members(house, members(house, outer)["里.zip"].content.id)
    assert "看得见" in second["里.txt"].text
    deep = second["更里.zip"].content
    assert (deep.state, deep.members) == (ContentState.STORED, None)
    assert members(house, deep.id) == {}
    with house.db.reading() as session:
        assert session.scalars(select(Job).where(Job.kind == JobKind.UNPACK)).all() == []


def test_archives_within_one_file_share_its_room(house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.unpacking.MAX_MEMBERS", 5)
    inner = a_zip(*((f"{number}.txt", b"x%d" % number) for number in range(3)))
    outer = stored(house, a_zip(("a.zip", inner), ("b.zip", inner)), "外.zip")
    work_all(house)
    first, second = (each.content for each in members(house, outer).values())
    assert sorted(content(house, each.id).members or 0 for each in (first, second)) == [2, 3]
    assert sorted(content(house, each.id).members_lost or 0 for each in (first, second)) == [0, 1]


def test_a_broken_member_costs_itself_alone(house: SimpleNamespace) -> None:
    whole = a_zip(("坏.txt", b"x" * 5_000), ("好.txt", "完好".encode()))
    at = whole.index("坏.txt".encode()) + 20
    outer = stored(house, whole[:at] + b"\xff\xff" + whole[at + 2 :], "a.zip")
    work_all(house)
    assert set(members(house, outer)) == {"好.txt"}
    assert content(house, outer).members_lost == 1
    assert [body["names"] for body in entries(house, LogResult.FAILED)] == [["坏.txt"]]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "C:\\windows\\a.txt", "a/../../b.txt"])
@pytest.mark.parametrize("make", [a_zip, a_tar])
def test_names_that_climb_out_put_the_archive_aside(house: SimpleNamespace, make: object, name: str) -> None:
    outer = stored(house, make((name, b"x"), ("好.txt", b"y")), "a.zip")  # type: ignore[operator]
    work_all(house)
    assert content(house, outer).reason == "climbs"
    assert content(house, outer).state is ContentState.QUARANTINED
    assert members(house, outer) == {}


def test_ten_thousand_and_one_entries_are_too_many(house: SimpleNamespace) -> None:
    outer = stored(house, a_zip(*((f"{number}", b"") for number in range(10_001))), "a.zip")
    work_all(house)
    assert content(house, outer).reason == "bomb"


def test_a_locked_archive_is_put_aside_with_all_that_is_in_it(house: SimpleNamespace) -> None:
    data = bytearray(a_zip(("a.txt", b"x")))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    outer = stored(house, bytes(data), "a.zip")
    work_all(house)
    assert (content(house, outer).reason, members(house, outer)) == ("encrypted", {})


def test_names_of_chinese_windows_are_read_and_equal_names_are_two_files(house: SimpleNamespace) -> None:
    data = a_zip(("AAAA.txt", b"one"), ("BBBB.txt", b"two")).replace(b"AAAA", "合同".encode("gbk"))
    outer = stored(house, data.replace(b"BBBB", "合同".encode("gbk")), "a.zip")
    work_all(house)
    with house.db.reading() as session:
        names = session.scalars(select(File.inside_path).where(File.inside_id == outer)).all()
    assert names == ["合同.txt", "合同.txt"]


def test_a_record_that_was_filed_meanwhile_gets_its_members_too(house: SimpleNamespace) -> None:
    outer = stored(house, a_zip(("a.txt", "正文".encode())), "a.zip", state=RecordState.FILED)
    work_all(house)
    assert members(house, outer)["a.txt"].text == "正文"


def test_what_came_in_before_is_taken_out_when_it_is_read_again_and_only_once(house: SimpleNamespace) -> None:
    outer = stored(house, a_zip(("a.txt", "正文".encode())), "a.zip")
    with house.db.writing() as work:  # as an earlier version left it
        row = work.session.get_one(Content, outer)
        row.text_state, row.media_type = TextState.TEXT, "application/zip"
        work.session.execute(delete(Job))
        work.commit()
    for _ in range(2):
        with house.db.writing() as work:
            house.outbox.add(work, JobKind.EXTRACT, outer, payload={AGAIN: "text"})
            work.commit()
        work_all(house)
        assert members(house, outer)["a.txt"].text == "正文"
        assert len(members(house, outer)) == 1
    assert len(entries(house)) == 1


@pytest.mark.parametrize("where", ["unpack.before_commit", "unpack.group_done"])
def test_a_run_that_broke_off_and_is_done_again_doubles_nothing(house: SimpleNamespace, where: str) -> None:
    outer = stored(house, a_zip(*((f"{number:03}.txt", b"%d" % number) for number in range(100))), "a.zip")
    house.runner.run(JobKind.EXTRACT)
    failpoints.arm(f"{where}:raise")
    try:
        with pytest.raises(Injected):
            house.runner.handlers[1]._try(a_claim(house))
    finally:
        failpoints.arm("")
    with house.db.reading() as session:
        before = session.scalar(select(func.count()).select_from(File)) or 0
    work_all(house)
    assert len(members(house, outer)) == content(house, outer).members == 100
    assert before in {1, 65}
    assert sum(int(str(body["count"])) for body in entries(house)) == 100
    with house.db.reading() as session:
        kept = {(row.object_key, row.store_version) for row in session.scalars(select(Content))}
    there = {(info.key, info.version) for info in house.store.list()}
    assert kept <= there
    assert len(there - kept) <= 64, "no more than one group's objects are left to the sweep"


def a_claim(house: SimpleNamespace) -> ClaimedJob:
    """Return the unpack job as a runner would give it."""
    with house.db.writing() as work:
        job = work.session.scalars(select(Job).where(Job.kind == JobKind.UNPACK)).one()
        job.state, job.lease = JobState.RUNNING, job.id
        job.lease_until = house.clock.now() - timedelta(seconds=1)
        work.commit()
    return ClaimedJob(job.id, job.subject_id, {}, 1, job.id, lambda: True)


def test_an_outer_file_that_is_gone_gets_no_members(house: SimpleNamespace) -> None:
    outer = stored(house, a_zip(("a.txt", b"x")), "a.zip")
    house.runner.run(JobKind.EXTRACT)
    with house.db.writing() as work:
        work.session.execute(delete(PageText))
        work.session.execute(delete(Content).where(Content.id == outer))
        work.commit()
    work_all(house)
    assert members(house, outer) == {}


PACKED = {
    "a.tar": a_tar(("合同/正文.txt", "正文的字".encode()), ("图.bin", b"\x00\x01")),
    "a.tar.gz": a_tar(("合同/正文.txt", "正文的字".encode()), ("图.bin", b"\x00\x01"), mode="w:gz"),
    "a.tar.bz2": a_tar(("合同/正文.txt", "正文的字".encode()), ("图.bin", b"\x00\x01"), mode="w:bz2"),
    "a.tar.xz": a_tar(("合同/正文.txt", "正文的字".encode()), ("图.bin", b"\x00\x01"), mode="w:xz"),
    "a.7z": a_7z(("合同/正文.txt", "正文的字".encode()), ("图.bin", b"\x00\x01")),
}


@pytest.mark.parametrize("name", PACKED)
def test_archives_of_every_kind_give_their_files(house: SimpleNamespace, name: str) -> None:
    outer = stored(house, PACKED[name], name)
    work_all(house)
    found = members(house, outer)
    assert set(found) == {"合同/正文.txt", "图.bin"}
    assert found["合同/正文.txt"].text == "正文的字"
    assert content(house, outer).text_state is TextState.TEXT, "its own text is the list"


def test_a_single_file_that_was_packed_alone_comes_out_under_its_own_name(house: SimpleNamespace) -> None:
    outer = stored(house, gzip.compress("日志的字".encode()), "日志.txt.gz")
    work_all(house)
    assert members(house, outer)["日志.txt"].text == "日志的字"


def test_links_and_devices_in_a_tar_are_passed_over(house: SimpleNamespace) -> None:
    odd = (
        a_link("passwd", "/etc/passwd"),
        a_link("hard", "好.txt", tarfile.LNKTYPE),
        a_link("dev", "", tarfile.CHRTYPE),
        a_link("pipe", "", tarfile.FIFOTYPE),
    )
    outer = stored(house, a_tar(("好.txt", b"x"), extra=odd), "a.tar")
    work_all(house)
    assert set(members(house, outer)) == {"好.txt"}


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(bytes(3_000_000)),
        a_tar(("a", bytes(3_000_000)), mode="w:gz"),
        a_7z(("a", bytes(3_000_000))),
    ],
    ids=["gz", "tar.gz", "7z"],
)
def test_bombs_of_other_kinds_are_not_lit(house: SimpleNamespace, data: bytes) -> None:
    outer = stored(house, data, "a.bin")
    work_all(house)
    assert (content(house, outer).reason, members(house, outer)) == ("bomb", {})


def test_mails_of_a_mailbox_and_what_is_attached_to_them_come_out(house: SimpleNamespace) -> None:
    mails = [a_letter("第一封", "一", ("报告.pdf", a_pdf("报告的字"))), a_letter("第二封", "二")]
    data = b"".join(b"From a@b.example Fri Mar  1 09:30:00 2024\n" + mail.as_bytes() + b"\n\n" for mail in mails)
    outer = stored(house, data, "邮箱.mbox")
    work_all(house)
    found = members(house, outer)
    assert set(found) == {"0001 第一封.eml", "0002 第二封.eml"}
    assert "报告的字" in members(house, found["0001 第一封.eml"].content.id)["报告.pdf"].text


def test_files_put_into_a_document_come_out_as_they_were(house: SimpleNamespace) -> None:
    parts = {
        "word/embeddings/oleObject1.bin": an_embedded("附表.txt", "附表的字".encode()),
        "word/embeddings/Microsoft_Excel_Sheet1.xlsx": a_zip(("x", b"y")),
    }
    outer = stored(house, a_docx(para("正文的字"), parts), "合同.docx")
    work_all(house)
    found = members(house, outer)
    assert found["附表.txt"].text == "附表的字"
    assert len(found) == 2
    assert content(house, outer).text_state is TextState.TEXT


@pytest.mark.parametrize("names_too", [False, True])
def test_a_locked_7z_is_put_aside(house: SimpleNamespace, names_too: bool) -> None:
    outer = stored(house, a_7z(("a.txt", b"x"), password="geheim", names_too=names_too), "a.7z")
    work_all(house)
    assert (content(house, outer).reason, members(house, outer)) == ("encrypted", {})
