"""Files made to hold others: archives, mails and documents, sound and hostile."""

import hashlib
import io
import tarfile
import zipfile
import zlib
from base64 import b64encode
from email.message import EmailMessage

import py7zr
import pyzipper
from cryptography.hazmat.decrepit.ciphers.algorithms import Blowfish
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from tests.factories.compound import compound


def a_zip(*members: tuple[str, bytes]) -> bytes:
    """Return a zip of (path, bytes)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in members:
            package.writestr(name, data)
    return out.getvalue()


def a_tar(*members: tuple[str, bytes], mode: str = "w", extra: tuple[tarfile.TarInfo, ...] = ()) -> bytes:
    """Return a tar of (path, bytes), packed as ``mode`` says (``w:gz`` …), with further entries without bytes."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as package:  # type: ignore[call-overload]
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            package.addfile(entry, io.BytesIO(data))
        for entry in extra:
            package.addfile(entry)
    return out.getvalue()


def a_link(name: str, to: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    """Return a tar's entry that is a link, or a device."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, to
    return entry


def a_letter(subject: str, words: str = "见附件。", *attached: tuple[str, bytes]) -> EmailMessage:
    """Return a mail with files attached."""
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "王芳 <wang@a.example>", "li@a.example", subject
    letter["Date"] = "Fri, 1 Mar 2024 09:30:00 +0800"
    letter.set_content(words)
    for name, data in attached:
        letter.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return letter


def an_aes_zip(*members: tuple[str, bytes], password: str, bits: int = 256) -> bytes:
    """Return a zip of (path, bytes) locked as WinZip and 7-Zip do it."""
    out = io.BytesIO()
    with pyzipper.AESZipFile(out, "w", pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as package:
        package.setencryption(pyzipper.WZ_AES, nbits=bits)
        package.setpassword(password.encode())
        for path, data in members:
            package.writestr(path, data)
    return out.getvalue()


def a_locked_zip(name: str, text: bytes, password: bytes) -> bytes:
    """Lock a stored member as PKWARE's traditional encryption does; zipfile only reads it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr(name, b"\0" * (12 + len(text)))
    plain = bytearray(out.getvalue())
    sealed = _sealed(bytes(11) + bytes([zlib.crc32(text) >> 24]) + text, password)
    start = plain.index(name.encode()) + len(name.encode())
    plain[start : start + len(sealed)] = sealed
    for mark, flags, crc, size in ((b"PK\x03\x04", 6, 14, 22), (b"PK\x01\x02", 8, 16, 24)):
        at = plain.index(mark)
        plain[at + flags] |= 1
        plain[at + crc : at + crc + 4] = zlib.crc32(text).to_bytes(4, "little")
        plain[at + size : at + size + 4] = len(text).to_bytes(4, "little")
    return bytes(plain)


def _sealed(data: bytes, password: bytes) -> bytes:
    keys = [0x12345678, 0x23456789, 0x34567890]

    def turn(byte: int) -> None:
        keys[0] = _crc(keys[0], byte)
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = _crc(keys[2], keys[1] >> 24)

    for byte in password:
        turn(byte)
    out = bytearray()
    for byte in data:
        mixed = (keys[2] | 2) & 0xFFFF
        out.append(byte ^ ((mixed * (mixed ^ 1) >> 8) & 0xFF))
        turn(byte)
    return bytes(out)


def _crc(value: int, byte: int) -> int:
    value ^= byte & 0xFF
    for _ in range(8):
        value = value >> 1 ^ (0xEDB88320 if value & 1 else 0)
    return value


def a_7z(*members: tuple[str, bytes], password: str | None = None, names_too: bool = False) -> bytes:
    """Return a 7z, locked with a password if one is given; ``names_too``: its list of names as well."""
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w", password=password, header_encryption=names_too) as archive:
        for name, data in members:
            archive.writestr(data, name)
    return out.getvalue()


def an_embedded(name: str, data: bytes) -> bytes:
    """Return a compound file as Windows wraps a file that is put into a document as a package."""
    called = name.encode("gbk") + b"\x00"
    path = b"C:\\tmp\\" + called
    body = b"\x02\x00" + called + path + b"\x00\x00\x03\x00" + len(path).to_bytes(4, "little") + path
    body += len(data).to_bytes(4, "little") + data
    return compound({"\x01Ole10Native": len(body).to_bytes(4, "little") + body})


def a_locked_opendocument(data: bytes, password: str, how: str) -> bytes:
    """Return an OpenDocument file locked by ``aes256-cbc``, ``aes256-gcm`` (as a whole) or ``blowfish``."""
    inner = {name: content for name, content in _contents(data) if name not in {"mimetype", "META-INF/manifest.xml"}}
    kind = dict(_contents(data))["mimetype"]
    whole = how == "aes256-gcm"
    parts = {"encrypted-package": data} if whole else inner
    sealed, entries = {}, ""
    for name, content in parts.items():
        sealed[name], about = _locked_part(content, password.encode(), how)
        entries += f'<m:file-entry m:full-path="{name}" m:size="{len(content)}"><m:encryption-data>{about}'
        entries += "</m:encryption-data></m:file-entry>"
    names = 'xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" xmlns:l="urn:loext"'
    manifest = f"<m:manifest {names}>{entries}</m:manifest>".encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as package:
        for name, content in {"mimetype": kind, **sealed, "META-INF/manifest.xml": manifest}.items():
            package.writestr(name, content)
    return out.getvalue()


def _contents(data: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return [(name, package.read(name)) for name in package.namelist()]


def _locked_part(content: bytes, password: bytes, how: str) -> tuple[bytes, str]:
    """Return a part packed and locked, and what the manifest says of it."""
    salt, start = b"s" * 16, b"i" * {"blowfish": 8, "aes256-cbc": 16, "aes256-gcm": 12}[how]
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packing.compress(content) + packing.flush()
    digest = hashlib.sha1 if how == "blowfish" else hashlib.sha256
    secret, size = digest(password).digest(), 16 if how == "blowfish" else 32
    said = 'm:key-derivation-name="PBKDF2" m:iteration-count="9"'
    if how == "aes256-gcm":
        key = Argon2id(salt=salt, length=size, iterations=1, lanes=4, memory_cost=64).derive(secret)
        said = 'm:key-derivation-name="urn:x:argon2id" l:argon2-iterations="1" l:argon2-memory="64" l:argon2-lanes="4"'
        locked = start + AESGCM(key).encrypt(start, packed, None)
    else:
        key = hashlib.pbkdf2_hmac("sha1", secret, salt, 9, size)
        cipher: Cipher[CBC] | Cipher[CFB] = (
            Cipher(Blowfish(key), CFB(start)) if how == "blowfish" else Cipher(AES(key), CBC(start))
        )
        fill = 16 - len(packed) % 16
        working = cipher.encryptor()
        locked = working.update(packed + (bytes([fill]) * fill if how != "blowfish" else b"")) + working.finalize()
    name = "Blowfish CFB" if how == "blowfish" else f"http://www.w3.org/2001/04/xmlenc#{how}"
    return locked, (
        f'<m:algorithm m:algorithm-name="{name}" m:initialisation-vector="{b64encode(start).decode()}"/>'
        f'<m:start-key-generation m:start-key-generation-name="http://x#{digest().name}"/>'
        f'<m:key-derivation {said} m:key-size="{size}" m:salt="{b64encode(salt).decode()}"/>'
    )
