"""What every place of backups must do: a folder, and a bucket with a credential and a prefix of its own."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from archive.identity import system
from archive.model import Content, Record
from runtime.restoring import restore
from runtime.settings import load
from runtime.stores import backup_store
from tests.factories import minio_server
from tests.factories.archives import Archive


def a_folder(folder: Path) -> dict[str, str]:
    return {"JUANKU_BACKUP_URL": folder.as_uri()}


def a_bucket(_folder: Path) -> dict[str, str]:
    access = minio_server.needed()
    return {
        "JUANKU_BACKUP_URL": f"s3+http://{access.endpoint}/{minio_server.a_bucket(access)}/houses/one",
        "JUANKU_BACKUP_KEY": access.key,
        "JUANKU_BACKUP_SECRET": access.secret,
    }


PLACES: list[Callable[[Path], dict[str, str]]] = [a_folder, a_bucket]


@pytest.fixture(params=PLACES, ids=lambda make: make.__name__)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    made: dict[str, str] = request.param(tmp_path / "backups")
    return made


def shown(archive: Archive) -> set[tuple[Any, ...]]:
    with archive.parts().db.reading() as session:
        rows = session.execute(select(Record.title, Record.archive_number, Content.plain_sha256).outerjoin(Content))
        return {tuple(row) for row in rows}


def test_sets_are_made_checked_restored_and_forgotten(archive: Archive, place: dict[str, str], tmp_path: Path) -> None:
    parts = archive.parts()
    parts.settings = load(archive.environment | place)
    kept, me = parts.safekeeping, system("backup")
    made = [kept.make(me) for _ in range(4)]
    assert made[0].copied == made[0].objects > 0
    assert [each.copied for each in made[1:]] == [0, 0, 0]
    assert kept.check(me, made[0].id) == []
    beside = backup_store(parts.settings, f"{place['JUANKU_BACKUP_URL']}-two")
    assert list(beside.list()) == [], "another prefix, or folder, sees nothing of it"
    assert kept.backups().forget_before(parts.clock.now()) == 1
    assert [each.id for each in kept.backups().sets()] == [each.id for each in reversed(made[1:])]

    new = Archive(tmp_path / "new")
    new.folder.mkdir()
    shutil.copytree(archive.keys, new.keys)
    settings = load(new.environment | place)
    report = restore(settings, settings.backup_url, made[1].id, lambda *_: None)
    assert report.ok
    assert shown(new) == shown(archive)


def test_only_what_begins_with_the_prefix_is_listed(place: dict[str, str]) -> None:
    store = backup_store(load(place), place["JUANKU_BACKUP_URL"])
    for key in ("sets/one/manifest", "sets/two/manifest", "objects/aa/bb"):
        store.put(key, [key.encode()])
    assert sorted(info.key for info in store.list("sets/")) == ["sets/one/manifest", "sets/two/manifest"]
    assert len(list(store.list())) == 3
    (info,) = store.list("objects/")
    assert b"".join(store.read(info.key, info.version)) == b"objects/aa/bb"
    store.remove(info.key, info.version)
    assert store.stat(info.key, info.version) is None
