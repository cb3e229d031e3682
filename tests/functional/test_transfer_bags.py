"""A bag made from the page: by a job that goes on when it was killed, sent as a ZIP, checked by the command."""

import json
import re
import signal
from collections.abc import Callable
from datetime import date, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import pytest
from sqlalchemy import func, select

from archive.bag import MANIFEST, TAGS, bag_hash, verify
from archive.cataloguing.describing import Draft
from archive.identity import system
from archive.model import (
    Afterwards,
    Attachment,
    Category,
    Content,
    DueState,
    HoldKind,
    LogEntry,
    Medium,
    Record,
    RecordDue,
    RecordState,
    Transfer,
    TransferState,
)
from archive.model.handin import BagIntake, BagState
from archive.model.leaving import TransferPart
from retention.appraising.listing import Chosen
from retention.bin import GIVE_UP_DAYS
from retention.holds import Wanted
from retention.transferring.transfers import Receipt
from runtime.processes.pages import make_app
from runtime.wiring.parts import Parts
from tests.factories.archives import Archive
from tests.factories.furnished import Hands
from tests.fakes.clock import FixedClock
from tests.functional.test_transfers import TITLES, approved, described, records, sender, version, who

assert sender  # the fixture: an archive with three filed records

PAPER = "丁栋纸质图纸"
SIGNED = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"

Person = Callable[[str], Hands]


@pytest.fixture
def person(sender: Parts) -> Person:
    app = make_app(sender)
    return lambda login: Hands(app, login)


def act(hands: Hands, parts: Parts, key: UUID, path: str, **more: Any) -> Any:
    page = f"/transfers/{key}"
    return hands.client.post(
        f"{page}/{path}",
        data={"csrf_token": _token(hands.read(page)), "version": str(version(parts, key)), **more},
    )


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token" (?:type="hidden" )?value="([^"]+)"', page)
    assert found
    return found[1]


def parts_kept(parts: Parts, key: UUID) -> int:
    with parts.db.reading() as session:
        counted = select(func.count()).select_from(TransferPart).where(TransferPart.transfer_id == key)
        return session.scalar(counted) or 0


def hold_all(parts: Parts, ids: list[UUID]) -> None:
    day = date(2099, 12, 31)
    for each in ids:
        wanted = Wanted(HoldKind.RECORD, {"id": str(each)}, "争议", "证据", "法院", day)
        parts.retention.holds.place(who(parts, "archivist"), wanted)


def acts_of(parts: Parts, name: str) -> int:
    with parts.db.reading() as session:
        return session.scalar(select(func.count()).select_from(LogEntry).where(LogEntry.act == name)) or 0


def test_a_bag_is_made_by_a_job_that_is_killed_and_sent_as_a_zip_that_the_command_finds_whole(
    archive: Archive, sender: Parts, person: Person, tmp_path: Path
) -> None:
    key, number = approved(sender, records(sender))
    archivist = person("archivist")
    assert act(archivist, sender, key, "bag/download").status_code == 409
    assert act(archivist, sender, key, "bag").status_code == 303
    assert act(archivist, sender, key, "bag").status_code == 409
    assert 'http-equiv="refresh"' in archivist.read(f"/transfers/{key}")
    kill = {"JUANKU_FAILPOINT": "transfer.part_kept:kill"}
    empty = tmp_path / "empty"
    empty.mkdir()
    assert archive.run("import", empty, "--category", "WYYZ", more=kill).code == -signal.SIGKILL
    assert parts_kept(sender, key) == 1
    archive.run("import", empty, "--category", "WYYZ")
    assert parts_kept(sender, key) == 3
    with sender.db.reading() as session:
        row = session.get_one(Transfer, key)
        assert (row.state, row.packing_since) == (TransferState.PACKED, None)
        stands = row.bag_sha256
        sealed = session.scalars(select(TransferPart.sealed)).all()
    assert not any("维修记录".encode() in each for each in sealed)
    assert stands is not None
    assert stands in archivist.read(f"/transfers/{key}")
    for once in ("first", "second"):  # the same bytes each time
        reply = act(archivist, sender, key, "bag/download")
        assert reply.status_code == 200
        with ZipFile(BytesIO(reply.data)) as made:
            assert made.testzip() is None
            made.extractall(tmp_path / once)
        bag = tmp_path / once / number
        assert archive.run("verify-bag", bag, "--json").document == {"ok": True, "wrong": []}
        assert bag_hash(bag) == stands
    assert acts_of(sender, "transfer.download") == 2
    assert acts_of(sender, "transfer.copy") == 6
    assert not verify(tmp_path / "first" / number)


def test_the_zip_comes_into_another_archive_with_the_same_descriptions(
    archive: Archive, archive_template: Archive, sender: Parts, person: Person, tmp_path: Path
) -> None:
    key, number = approved(sender, records(sender))
    act(person("archivist"), sender, key, "bag")
    archive.work(sender)
    with ZipFile(BytesIO(act(person("archivist"), sender, key, "bag/download").data)) as made:
        made.extractall(tmp_path)
    other = archive_template.copy(tmp_path / "other")
    assert other.run("receive", tmp_path / number, "--category", "WYYZ").code == 0
    assert described(other.parts()) == described(sender)
    other.close()


def test_a_bag_is_stopped_and_a_hold_that_comes_later_keeps_it_from_being_sent(
    archive: Archive, sender: Parts, person: Person
) -> None:
    ids = records(sender)
    key, _ = approved(sender, ids)
    archivist = person("archivist")
    act(archivist, sender, key, "bag")
    assert act(archivist, sender, key, "bag/stop").status_code == 303
    archive.work(sender)
    assert parts_kept(sender, key) == 0
    assert act(archivist, sender, key, "bag/stop").status_code == 409
    act(archivist, sender, key, "bag")
    archive.work(sender)
    assert act(archivist, sender, key, "bag/download").status_code == 200
    sender.retention.holds.place(
        who(sender, "archivist"),
        Wanted(HoldKind.RECORD, {"id": str(ids[0])}, "争议", "证据保全", "法院", date(2099, 12, 31)),
    )
    assert act(archivist, sender, key, "bag/download").status_code == 422
    act(archivist, sender, key, "bag")
    archive.work(sender)
    reply = act(archivist, sender, key, "bag/download")
    with ZipFile(BytesIO(reply.data)) as made:
        folders = {name.split("/")[3] for name in made.namelist() if "/records/" in name}
    assert folders == {"00002", "00003"}


def test_a_bag_of_which_nothing_may_go_any_more_is_not_made(archive: Archive, sender: Parts, person: Person) -> None:
    ids = records(sender)
    key, _ = approved(sender, ids)
    act(person("archivist"), sender, key, "bag")
    hold_all(sender, ids)
    archive.work(sender)
    with sender.db.reading() as session:
        row = session.get_one(Transfer, key)
        assert (row.state, row.packing_since, row.bag) == (TransferState.WITHDRAWN, None, None), "it has an end"
    assert acts_of(sender, "transfer.give_up") == 1
    assert "本次移交已终止" in person("archivist").read(f"/transfers/{key}")


def test_one_of_which_nothing_may_go_when_it_is_approved_has_ended(sender: Parts, person: Person) -> None:
    transfers, me, ids = sender.retention.transfers, who(sender, "archivist"), records(sender)
    key = transfers.begin(me, "青山区档案馆", "移交", ids)
    transfers.ask(me, key, version(sender, key))
    hold_all(sender, ids)
    manager = person("manager")
    assert act(manager, sender, key, "decide", decision="approve", reason="同意").status_code == 303
    assert "清单上已无可移交的档案，本次移交就此终止" in manager.read(f"/transfers/{key}")
    page = person("archivist").read(f"/transfers/{key}")
    assert "本次移交已终止" in page
    assert f"/transfers/{key}/withdraw" not in page, "there is nothing left to be given up"
    assert key in {each.id for each in transfers.every(me, ended=True, limit=9)}
    assert transfers.begin(me, "青山区档案馆", "移交", ids) != key, "no list has them any more"


def test_a_bag_that_may_be_on_its_way_is_signed_for_though_no_other_can_be_made(
    archive: Archive, sender: Parts, person: Person
) -> None:
    ids = records(sender)
    key, _ = approved(sender, ids)
    for held in (False, True):
        act(person("archivist"), sender, key, "bag")
        if held:
            hold_all(sender, ids)
        archive.work(sender)
    with sender.db.reading() as session:
        row = session.get_one(Transfer, key)
        assert (row.state, row.packing_since, row.bag) == (TransferState.PACKED, None, None)


def test_nobody_else_gets_a_bag(archive: Archive, sender: Parts, person: Person) -> None:
    key, _ = approved(sender, records(sender))
    act(person("archivist"), sender, key, "bag")
    archive.work(sender)
    for login in ("manager", "staff", "clerk"):
        hands = person(login)
        reply = hands.client.post(
            f"/transfers/{key}/bag/download", data={"csrf_token": _token(hands.read("/account")), "version": "1"}
        )
        assert reply.status_code in {403, 404}, login
    assert acts_of(sender, "transfer.download") == 0


def test_a_file_that_is_not_whole_stops_the_bag_and_is_named_by_its_place(
    archive: Archive, sender: Parts, person: Person
) -> None:
    ids = records(sender)
    key, _ = approved(sender, ids)
    with sender.db.writing() as work:
        content = work.session.scalars(select(Content).where(Content.record_id == ids[1])).one()
        content.plain_sha256 = "0" * 64
        work.commit()
    archivist = person("archivist")
    act(archivist, sender, key, "bag")
    archive.work(sender)
    with sender.db.reading() as session:
        row = session.get_one(Transfer, key)
        assert (row.state, row.packing_fault, row.packing_since) == (TransferState.APPROVED, "2/1", None)
    assert parts_kept(sender, key) == 0
    assert 'role="alert"' in archivist.read(f"/transfers/{key}")


def test_the_receipt_is_kept_with_the_transfer_and_its_list_is_printed(
    archive: Archive, sender: Parts, person: Person
) -> None:
    key, number = approved(sender, records(sender))
    archivist = person("archivist")
    act(archivist, sender, key, "bag")
    archive.work(sender)
    day = sender.guard.day().isoformat()
    signed = {"signed_by": "王某", "signed_on": day, "scan_sha256": "", "disputed": ""}
    told = act(archivist, sender, key, "receipt", **signed, files=(BytesIO(b"MZ\x90\x00" * 50), "x.exe"))
    assert told.status_code == 422
    told = act(archivist, sender, key, "receipt", **signed, files=(BytesIO(SIGNED), "回执.pdf"))
    assert told.status_code == 303
    page = archivist.read(f"/transfers/{key}")
    assert "回执.pdf" in page
    assert parts_kept(sender, key) == 0  # what the bag was made of is not needed any more
    with sender.db.reading() as session:
        attached = session.scalars(select(Attachment)).one()
    assert archivist.client.get(f"/attachments/{attached.id}").data == SIGNED
    assert person("staff").client.get(f"/attachments/{attached.id}").status_code == 404
    assert archivist.client.get(f"/transfers/{key}/list.pdf").data.startswith(b"%PDF")
    with ZipFile(BytesIO(archivist.client.get(f"/transfers/{key}/list.xlsx").data)) as book:
        cells = book.read("xl/sharedStrings.xml").decode()
    assert number in cells
    assert all(title in cells for title in TITLES)
    assert person("staff").client.get(f"/transfers/{key}/list.xlsx").status_code == 404


@pytest.mark.parametrize("failpoint", ["transfer.record_received", "transfer.taken_in"])
def test_a_bag_is_sent_and_taken_in_by_the_pages_of_another_archive_however_it_is_killed(
    archive: Archive, archive_template: Archive, sender: Parts, person: Person, tmp_path: Path, failpoint: str
) -> None:
    key, number = approved(sender, [*records(sender), a_paper(sender)])
    act(person("archivist"), sender, key, "bag")
    archive.work(sender)
    data = act(person("archivist"), sender, key, "bag/download").data
    other = archive_template.copy(tmp_path / "other")
    parts = other.parts()
    archivist = Hands(make_app(parts), "archivist")
    held = a_record_with(parts, data)
    reply = taken(archivist, parts, held)
    assert reply.status_code == 303, reply.text
    page = reply.location
    assert taken(archivist, parts, held).status_code == 422  # it is coming in already
    kill = {"JUANKU_FAILPOINT": f"{failpoint}:kill"}
    empty = tmp_path / "empty"
    empty.mkdir()
    assert other.run("import", empty, "--category", "WYYZ", more=kill).code == -signal.SIGKILL
    assert ('http-equiv="refresh"' in archivist.read(page)) is (failpoint == "transfer.record_received")
    other.run("import", empty, "--category", "WYYZ")
    assert number in archivist.read(page)
    assert described(parts) == described(sender)
    with parts.db.reading() as session:
        [row] = session.scalars(select(BagIntake))
        assert (row.state, row.done, row.records) == (BagState.DONE, 4, 4)
        drafts = session.scalars(select(Record).where(Record.title.in_([*TITLES, PAPER]))).all()
        assert [each.state for each in drafts] == [RecordState.PROVISIONAL] * 4
        assert {each.created_by for each in drafts} == {who(parts, "archivist").person_id}
    shown = re.findall(r'<td class="wide"[^>]*><a href="/records/([0-9a-f-]+)">([^<]+)</a>', archivist.read(page))
    assert sorted(title for _, title in shown) == sorted([*TITLES, PAPER])
    assert {UUID(key) for key, _ in shown} == {each.id for each in drafts}
    assert Hands(make_app(parts), "clerk").client.get(page).status_code in {403, 404}
    other.close()


def test_a_bag_that_stood_still_for_a_week_comes_in_once_or_is_refused(
    archive: Archive, archive_template: Archive, sender: Parts, person: Person, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("retention.transferring.receiving.NOTED", 2)
    key, _ = approved(sender, records(sender))
    act(person("archivist"), sender, key, "bag")
    archive.work(sender)
    data = act(person("archivist"), sender, key, "bag/download").data
    other = archive_template.copy(tmp_path / "other")
    clock = FixedClock(other.parts().clock.now())
    parts = other.parts(clock)
    me, receiving = who(parts, "archivist"), parts.receiving
    bag = receiving.start(me, a_record_with(parts, data), the_category(parts).id, 2)

    def broken_off() -> None:
        seen = []
        for _ in receiving.go_on(me, bag):
            seen.append(receiving.show(me, bag).done)
            if seen[-2:] == [1, 2]:
                receiving.stop(me, bag, receiving.show(me, bag).version)
                break

    def later(**days: int) -> None:
        clock.moment += timedelta(**days)
        parts.imports.give_up(system("bin"), clock.now() - timedelta(days=GIVE_UP_DAYS))

    broken_off()
    later(days=6)
    receiving.again(me, bag, receiving.show(me, bag).version)
    broken_off()
    later(days=6)  # twelve since it began, six since somebody took it up
    receiving.again(me, bag, receiving.show(me, bag).version)
    broken_off()
    assert len(records(parts)) == 3
    later(days=8)
    receiving.again(me, bag, receiving.show(me, bag).version)
    broken_off()
    assert receiving.show(me, bag).fault == "bag_given_up bag"
    came, count = receiving.drafts(me, bag, limit=9)
    assert ({each.id for each in came}, count) == (set(records(parts)), 3)
    other.close()


@pytest.mark.parametrize("fault", ["changed", "outside"])
def test_a_bag_that_is_not_whole_or_names_files_outside_brings_nothing(
    archive: Archive, sender: Parts, tmp_path: Path, fault: str
) -> None:
    _, number = approved(sender, records(sender))
    bag = tmp_path / "bag"
    assert archive.run("pack", number, "--to", bag).code == 0
    if fault == "changed":
        [first, *_] = sorted((bag / "data").rglob("files/*"))
        first.write_bytes(first.read_bytes() + b"!")
    else:
        secret = tmp_path / "secret.txt"
        secret.write_text("not of the bag", "utf-8")
        told = bag / "data/records/00001/description.json"
        words = json.loads(told.read_bytes())
        words["files"][0]["path"] = "../../secret.txt"
        told.write_text(json.dumps(words), "utf-8")
        sealed_again(bag)
        assert archive.run("verify-bag", bag).code == 0
    assert archive.run("receive", bag, "--category", "WYYZ").code != 0
    held = BytesIO()
    with ZipFile(held, "w") as made:
        for each in sorted(bag.rglob("*")):
            made.write(each, f"bag/{each.relative_to(bag)}")
    key = a_record_with(sender, held.getvalue())
    archivist = Hands(make_app(sender), "archivist")
    page = taken(archivist, sender, key).location
    archive.work(sender)
    assert 'role="alert"' in archivist.read(page)
    assert len(records(sender)) == 3


def the_category(parts: Parts) -> Category:
    with parts.db.reading() as session:
        return session.scalars(select(Category).where(Category.code == "WYYZ")).one()


def a_paper(parts: Parts) -> UUID:
    """Return a filed record that is on paper alone."""
    me, category = who(parts, "archivist"), the_category(parts)
    draft = Draft(
        fonds_id=category.fonds_id, category_id=category.id, title=PAPER, level_rank=2, drawn_up="2024-03-05",
        medium=Medium.PAPER,
    )  # fmt: skip
    key = parts.records.create(me, draft)
    [outcome] = parts.filing.file(me, [key])
    assert outcome.reason is None
    return key


def a_record_with(parts: Parts, data: bytes) -> UUID:
    me, category = who(parts, "archivist"), the_category(parts)
    key = parts.records.create(
        me, Draft(fonds_id=category.fonds_id, category_id=category.id, title="收到的移交包", level_rank=2)
    )
    parts.intake.receive(me, key, "移交包.zip", [data])
    return key


def taken(archivist: Hands, parts: Parts, key: UUID) -> Any:
    with parts.db.reading() as session:
        record = session.get_one(Record, key)
    form = archivist.read("/transfers/in/new")
    return archivist.client.post(
        "/transfers/in/new",
        data={
            "csrf_token": _token(form), "record": str(key), "category": str(record.category_id),
            "level": "2",
        },
    )  # fmt: skip


def sealed_again(bag: Path) -> None:
    """Make the manifests of a folder say what lies in it."""
    lines = [
        f"{sha256(each.read_bytes()).hexdigest()}  {each.relative_to(bag).as_posix()}\n"
        for each in sorted((bag / "data").rglob("*"))
        if each.is_file()
    ]
    (bag / MANIFEST).write_text("".join(lines), "utf-8")
    tags = [f"{sha256((bag / name).read_bytes()).hexdigest()}  {name}\n" for name in ("bagit.txt", MANIFEST)]
    (bag / TAGS).write_text("".join(tags), "utf-8")


@pytest.mark.parametrize("afterwards", list(Afterwards))
def test_copies_that_stay_are_listed_by_an_appraisal_only_where_the_transfer_said_so(
    archive: Archive, sender: Parts, tmp_path: Path, afterwards: Afterwards
) -> None:
    ids, me, transfers = records(sender), who(sender, "archivist"), sender.retention.transfers
    with sender.db.writing() as work:
        for each in ids:
            work.session.merge(RecordDue(record_id=each, state=DueState.DATED, due=date(2021, 1, 1)))
        work.commit()
    listing = sender.retention.appraisals.listing
    assert listing.count(me, Chosen()) >= 3
    assert listing.count(me, Chosen(handed_over=True)) == 0
    key = transfers.begin(me, "青山区档案馆", "移交", ids, afterwards)
    transfers.ask(me, key, version(sender, key))
    transfers.decide(who(sender, "manager"), key, "同意", approve=True)
    with sender.db.reading() as session:
        number = session.get_one(Transfer, key).number
    assert archive.run("pack", number, "--to", tmp_path / "bag").code == 0
    transfers.receive(me, key, Receipt("王某", sender.guard.day(), "", {ids[0]: "缺页"}), version(sender, key))
    transfers.close(me, key, version(sender, key))
    assert listing.count(me, Chosen(handed_over=True)) == (2 if afterwards is Afterwards.APPRAISE else 0)
