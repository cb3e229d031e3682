"""Attachments live through backup and restore, are checked by fsck, and what harms them is told."""

import shutil
from pathlib import Path

from sqlalchemy import select

from archive.files.attachments import Sent
from archive.loans.asking import Wish
from archive.model import AttachedTo, Attachment, Record, RecordState
from archive.policy.rules import Act
from tests.factories.archives import Archive

PNG = b"\x89PNG\r\n\x1a\n" + bytes.fromhex("0000000d4948445200000001000000010806000000") + bytes(200)


def test_they_come_back_from_a_backup_and_fsck_tells_of_what_is_lost(archive: Archive, tmp_path: Path) -> None:
    parts = archive.parts()
    staff = parts.people.identity_of("staff")
    with parts.db.reading() as session:
        mine = parts.guard.visible(session, staff, Act.ASK_LOAN).where(Record.state == RecordState.FILED)
        record = session.scalars(mine.with_only_columns(Record.id).limit(1)).one()
    form = parts.lending.looks.offer(staff, record).standing.forms[0]
    loan = parts.lending.requests.ask(staff, record, Wish(form=form, purpose="work", words="查阅"))
    with parts.db.reading() as session:
        asked = parts.lending.approval_of(session, loan)
    files = parts.attachments.check([Sent("介绍信.png", PNG)])
    (key,) = parts.attachments.add(staff, AttachedTo.REQUEST, asked, files)
    backup = {"JUANKU_BACKUP_URL": (tmp_path / "backups").as_uri()}
    made = archive.run("backup", "--json", more=backup)
    assert made.code == 0, made.err
    new = Archive(tmp_path / "new")
    new.folder.mkdir()
    shutil.copytree(archive.keys, new.keys)
    restored = new.run("restore", "--from", str(tmp_path / "backups"), "--json")
    assert restored.code == 0, restored.err + restored.out
    assert restored.document["contents"] == made.document["objects"]
    opened = new.parts()
    assert opened.attachments.read(opened.people.identity_of("staff"), key).data == PNG
    assert new.run("fsck", "--json").code == 0
    with opened.db.reading() as session:
        row = session.scalars(select(Attachment).where(Attachment.id == key)).one()
    opened.store.remove(row.object_key, row.store_version or "")
    found = new.run("fsck", "--json")
    assert found.code != 0
    assert str(key) in found.out
