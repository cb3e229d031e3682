"""What ``docs/formats/cipher.md`` says is enough to read an archive: a reader written from that page alone."""

import base64
import hmac
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import select

import archive.model  # noqa: F401  (all tables)
from archive.database import Database
from archive.ids import new_id
from archive.model import OwnerKey
from storage.objects import FileStore
from storage.ring import KeyRing
from storage.vault import RingVault


def wrapped_in_ring(ring: Path, name: str, purpose: str) -> bytes:
    root = json.loads((ring / "root.key").read_text())
    facts = json.loads((ring / name).read_text())
    assert facts["format"] == root["format"] == 1
    assert facts["root"] == root["id"]
    sealed = base64.b64decode(facts["wrapped"])
    return AESGCM(base64.b64decode(root["key"])).decrypt(sealed[:12], sealed[12:], b"juanku ring 1 " + purpose.encode())


def owner_key(ring: Path, owner: UUID, generation: UUID, wrapped: bytes) -> bytes:
    key = wrapped_in_ring(ring, f"generations/{generation}.json", f"generation {generation}")
    assert wrapped[0] == 1
    at = 2 + 16 * wrapped[1]
    bound = b"juanku owner key 1" + owner.bytes + generation.bytes + wrapped[:at]
    return AESGCM(key).decrypt(wrapped[at : at + 12], wrapped[at + 12 :], bound)


def content(key: bytes, content_id: UUID, data: bytes) -> Iterator[bytes]:
    header, rest = data[:60], data[60:]
    magic, version, cipher, chunk, salt = struct.unpack(">4sBBxxI32s", header[:44])
    assert (magic, version, cipher, chunk) == (b"JKCS", 1, 1, 262_144)
    keys = HKDF(SHA256(), 64, salt, b"juanku content 1" + content_id.bytes).derive(key)
    assert hmac.digest(keys[32:], header[:44], "sha256")[:16] == header[44:]
    stride = 7 + chunk + 16
    parts = [rest[at : at + stride] for at in range(0, len(rest), stride)]
    for number, part in enumerate(parts):
        nonce = part[:7] + struct.pack(">IB", number, number == len(parts) - 1)
        yield AESGCM(keys[:32]).decrypt(nonce, part[7:], header + content_id.bytes)


def opened(key: bytes, owner: UUID, sealed: bytes, context: str) -> bytes:
    assert sealed[0] == 1
    salt, nonce = sealed[1:17], sealed[17:29]
    small = hmac.digest(key, b"juanku seal 1" + salt + b"\x01", "sha256")
    return AESGCM(small).decrypt(nonce, sealed[29:], b"juanku seal 1" + owner.bytes + context.encode())


@pytest.mark.parametrize("size", [1, 262_144, 262_145, 700_000])
def test_an_object_is_read_with_the_page_alone(tmp_path: Path, db: Database, size: int) -> None:
    ring, store = tmp_path / "keys", FileStore(tmp_path / "store")
    vault, record, content_id, plain = RingVault(KeyRing.create(ring)), new_id(), new_id(), b"\xe5\x8d\xb7" * size
    with db.writing() as work:
        vault.add_owner(work.session, record, due_year=2056)
        sealer = vault.unlock(work.session, record).content_sealer(content_id)
        store.put("a1b2c3", [sealer.piece(plain[:size], last=True)])
        note = vault.seal(work.session, record, "房号 0101".encode(), context=f"record-fields:{record.hex}")
        row = work.session.execute(select(OwnerKey.generation_id, OwnerKey.wrapped)).one()
        work.commit()
    (found,) = (tmp_path / "store").rglob("a1b2c3@*")
    key = owner_key(ring, record, row[0], row[1])
    assert b"".join(content(key, content_id, found.read_bytes())) == plain[:size]
    assert opened(key, record, note, f"record-fields:{record.hex}").decode() == "房号 0101"


def test_a_token_is_made_with_the_page_alone(tmp_path: Path) -> None:
    ring = KeyRing.create(tmp_path / "keys")
    key = wrapped_in_ring(tmp_path / "keys", "token.json", "token")
    assert ring.token("phone", "13800138000") == hmac.digest(key, b"phone\x0013800138000", "sha256")[:16].hex()
