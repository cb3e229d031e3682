"""The manifests of backup sets: signed by the ring, and read again only where the signature holds."""

import json
from collections.abc import Iterable
from uuid import UUID

from archive.errors import Damaged
from archive.ports import ObjectInfo, ObjectStore
from storage.backup_set import BackupSet
from storage.ring import KeyRing

FORMAT = 2
_FORMATS = {1, 2}


def signed(made: BackupSet, ring: KeyRing) -> bytes:
    """Return a set's manifest."""
    document = made.plain()
    body = json.dumps(document, sort_keys=True).encode()
    return json.dumps(
        {"format": FORMAT, "set": document, "key": ring.key_id, "signature": ring.sign(body).hex()}, indent=1
    ).encode()


def finished(found: Iterable[ObjectInfo]) -> set[UUID]:
    """Return the ids of the sets that have a manifest, damaged ones too."""
    keys = (info.key.split("/") for info in found)
    return {UUID(each[1]) for each in keys if each[0] == "sets" and each[2:] == ["manifest"]}


def verified(target: ObjectStore, found: Iterable[ObjectInfo], ring: KeyRing) -> tuple[list[BackupSet], list[Damaged]]:
    """Return the sets whose manifests verify, the newest first by the turns of their place, and the others' faults."""
    good: list[BackupSet] = []
    damaged: list[Damaged] = []
    for info in found:
        if info.key.startswith("sets/") and info.key.endswith("/manifest"):
            try:
                good.append(_read(target, info.key, info.version, ring))
            except Damaged as error:
                damaged.append(error)
    return sorted(good, key=lambda each: (each.turn, each.made_at, each.id), reverse=True), damaged


def _read(target: ObjectStore, key: str, version: str, ring: KeyRing) -> BackupSet:
    try:
        said = json.loads(b"".join(target.read(key, version)))
        document, signature = said["set"], bytes.fromhex(said["signature"])
        body = json.dumps(document, sort_keys=True).encode()
        good = said["format"] in _FORMATS and ring.verify(said["key"], body, signature)
    except (ValueError, KeyError, TypeError):
        good, document = False, {}
    if not good:
        raise Damaged(what="backup", part=key)
    return BackupSet.read(document)
