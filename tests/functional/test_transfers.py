"""A transfer from its list to its closing; its bag comes into a second archive with the same hashes and fields."""

import json
import signal
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from archive.cataloguing.describing import opened
from archive.errors import Ended, InvalidInput, NotAllowed, OwnRequest
from archive.identity import Identity
from archive.model import (
    Content,
    ContentState,
    HoldKind,
    Record,
    RecordState,
    Transfer,
    TransferItem,
    TransferItemState,
    TransferState,
)
from retention.holds import Wanted
from retention.transferring.transfers import Receipt
from runtime.wiring.parts import Parts
from tests.factories.archives import Archive

TITLES = ("甲栋维修记录", "乙栋维修记录", "丙栋维修记录")


def who(parts: Parts, login: str) -> Identity:
    return parts.people.identity_of(login)


@pytest.fixture
def sender(archive: Archive, tmp_path: Path) -> Parts:
    folder = tmp_path / "papers"
    folder.mkdir()
    for name in TITLES:
        (folder / f"{name}.txt").write_text(f"{name}，二〇二四年三月五日 {name}", "utf-8")
    answer = archive.run("import", folder, "--category", "WYYZ", "--json")
    assert answer.document["filed"] == 3, answer.document
    return archive.parts()


def records(parts: Parts, *titles: str) -> list[UUID]:
    with parts.db.reading() as session:
        rows = session.scalars(select(Record).where(Record.title.in_(titles or TITLES)).order_by(Record.title))
        return [row.id for row in rows]


def version(parts: Parts, key: UUID) -> int:
    with parts.db.reading() as session:
        return session.get_one(Transfer, key).version


def approved(parts: Parts, ids: list[UUID]) -> tuple[UUID, str]:
    transfers = parts.retention.transfers
    key = transfers.begin(who(parts, "archivist"), "青山区档案馆", "按接收范围移交", ids)
    transfers.ask(who(parts, "archivist"), key, version(parts, key))
    transfers.decide(who(parts, "manager"), key, "同意", approve=True)
    with parts.db.reading() as session:
        row = session.get_one(Transfer, key)
        assert row.state is TransferState.APPROVED
        return key, row.number


def described(parts: Parts) -> dict[str, Any]:
    """Return what tells a record from others, with the hashes of its files, by title."""
    with parts.db.reading() as session:
        found = {}
        for row in session.scalars(select(Record).where(Record.title.in_(TITLES), Record.state != RecordState.BINNED)):
            hashes = session.scalars(
                select(Content.plain_sha256).where(Content.record_id == row.id, Content.state == ContentState.STORED)
            )
            found[row.title] = (
                row.drawn_up, row.responsible, row.term, row.medium, row.level_rank, row.pages, list(row.keywords),
                {**row.fields, **opened(parts.vault, session, row)}, sorted(map(str, hashes)),
            )  # fmt: skip
        return found


def test_what_may_not_go_is_taken_out_and_another_person_decides(sender: Parts) -> None:
    first, second, third = records(sender)
    sender.retention.holds.place(
        who(sender, "archivist"),
        Wanted(HoldKind.RECORD, {"id": str(second)}, "争议", "证据保全", "法院", date(2099, 12, 31)),
    )
    transfers = sender.retention.transfers
    key = transfers.begin(who(sender, "archivist"), "青山区档案馆", "移交", [first, second, third])
    shown = transfers.show(who(sender, "archivist"), key)
    assert {item.record_id: item.state for item, _ in shown.items} == {
        first: TransferItemState.LISTED,
        second: TransferItemState.PULLED,
        third: TransferItemState.LISTED,
    }
    with pytest.raises(InvalidInput):
        transfers.begin(who(sender, "archivist"), "别处", "移交", [first])
    with pytest.raises(NotAllowed):
        transfers.begin(who(sender, "staff"), "别处", "移交", [second])
    transfers.ask(who(sender, "archivist"), key, version(sender, key))
    with pytest.raises((NotAllowed, OwnRequest)):
        transfers.decide(who(sender, "archivist"), key, "同意", approve=True)
    transfers.decide(who(sender, "manager"), key, "不同意", approve=False)
    with pytest.raises(Ended):
        transfers.ask(who(sender, "archivist"), key, version(sender, key))
    transfers.begin(who(sender, "archivist"), "别处", "移交", [first])  # what was refused is free again


def test_no_empty_bag_is_made_on_media(archive: Archive, sender: Parts, tmp_path: Path) -> None:
    key, number = approved(sender, records(sender))
    day = date(2099, 12, 31)
    for each in records(sender):
        wanted = Wanted(HoldKind.RECORD, {"id": str(each)}, "争议", "证据保全", "法院", day)
        sender.retention.holds.place(who(sender, "archivist"), wanted)
    refused = archive.run("pack", number, "--to", tmp_path / "bag")
    assert refused.code != 0
    assert "may go" in refused.out + refused.err
    assert not (tmp_path / "bag").exists()
    with sender.db.reading() as session:
        assert session.get_one(Transfer, key).state is TransferState.APPROVED


def test_a_bag_is_made_and_received_in_another_archive_however_often_both_are_killed(
    archive: Archive, archive_template: Archive, sender: Parts, tmp_path: Path
) -> None:
    _, number = approved(sender, records(sender))
    bag = tmp_path / "bag"
    kill = {"JUANKU_FAILPOINT": "transfer.record_packed:kill"}
    assert archive.run("pack", number, "--to", bag, more=kill).code == -signal.SIGKILL
    assert not (bag / "tagmanifest-sha256.txt").exists()
    packed = archive.run("pack", number, "--to", bag, "--json").document
    assert (packed["records"], packed["files"]) == (3, 3)
    assert archive.run("verify-bag", bag, "--json").document == {"ok": True, "wrong": []}
    for line in (bag / "manifest-sha256.txt").read_text("utf-8").splitlines():
        digest, _, path = line.partition("  ")
        assert sha256((bag / path).read_bytes()).hexdigest() == digest
    log = json.loads((bag / "data/records/00001/log.json").read_bytes())
    assert "record.file" in {each["act"] for each in log["entries"]}

    other = archive_template.copy(tmp_path / "other")
    kill = {"JUANKU_FAILPOINT": "transfer.record_received:kill"}
    assert other.run("receive", bag, "--category", "WYYZ", more=kill).code == -signal.SIGKILL
    came = other.run("receive", bag, "--category", "WYYZ", "--json").document
    assert (came["records"], came["files"]) == (3, 3)
    parts = other.parts()
    assert described(parts) == described(sender)
    with parts.db.reading() as session:
        rows = session.scalars(select(Record).where(Record.title.in_(TITLES))).all()
        assert [row.state for row in rows] == [RecordState.PROVISIONAL] * 3
        assert all("原档号" in (row.notes or "") for row in rows)
    other.close()


def test_a_bag_that_was_changed_is_not_received_and_one_folder_takes_one_bag(
    archive: Archive, sender: Parts, tmp_path: Path
) -> None:
    _, number = approved(sender, records(sender))
    bag = tmp_path / "bag"
    bag.mkdir()
    (bag / "别的.txt").write_text("x", "utf-8")
    assert archive.run("pack", number, "--to", bag).code != 0
    (bag / "别的.txt").unlink()
    assert archive.run("pack", number, "--to", bag).code == 0
    [first, *_] = sorted((bag / "data").rglob("files/*"))
    first.write_bytes(first.read_bytes() + b"!")
    (bag / "data/extra").write_text("x", "utf-8")
    wrong = archive.run("verify-bag", bag, "--json").document["wrong"]
    assert sorted(code for _, code in wrong) == ["changed", "unlisted"]
    assert archive.run("receive", bag, "--category", "WYYZ").code != 0
    assert len(records(sender)) == 3


def test_a_receipt_with_a_dispute_and_the_closing(archive: Archive, sender: Parts, tmp_path: Path) -> None:
    ids = records(sender)
    key, number = approved(sender, ids)
    transfers, me = sender.retention.transfers, who(sender, "archivist")
    receipt = Receipt("王某", sender.guard.day(), "a" * 64, {ids[1]: "缺页"})
    with pytest.raises(Ended):
        transfers.receive(me, key, receipt, version(sender, key))
    assert archive.run("pack", number, "--to", tmp_path / "bag").code == 0
    with pytest.raises(InvalidInput):
        transfers.receive(me, key, Receipt("", sender.guard.day(), "kurz", {}), version(sender, key))
    transfers.receive(me, key, receipt, version(sender, key))
    with pytest.raises(Ended):
        transfers.withdraw(me, key, version(sender, key))
    transfers.close(me, key, version(sender, key))
    with sender.db.reading() as session:
        rows = session.execute(select(TransferItem.record_id, TransferItem.state)).all()
        states = {row.record_id: row.state for row in rows}
        assert states == {
            ids[0]: TransferItemState.TRANSFERRED,
            ids[1]: TransferItemState.DISPUTED,
            ids[2]: TransferItemState.TRANSFERRED,
        }
        gone = transfers.of_record(session, ids[0])
        assert gone is not None
        assert gone.receiver == "青山区档案馆"
        assert transfers.of_record(session, ids[1]) is None
        assert session.get_one(Record, ids[0]).state is RecordState.FILED
    with pytest.raises(InvalidInput):
        transfers.begin(me, "别处", "移交", [ids[0]])
    transfers.begin(me, "别处", "再移交", [ids[1]])
