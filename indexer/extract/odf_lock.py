"""Opens OpenDocument files that are locked with a password: part by part, or, as since 2024, the package as a whole."""

import hashlib
import io
import mmap
import zipfile
import zlib
from base64 import b64decode

from argon2.low_level import ARGON2_VERSION, Type, core, ffi
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers.algorithms import Blowfish
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from lxml import etree

from indexer.extract.answer import Reason, Unreadable
from indexer.extract.member import MAX_BYTES
from indexer.extract.package import attribute, find, parse_xml
from indexer.extract.zips import open_zip

MANIFEST = "META-INF/manifest.xml"
_WHOLE = "encrypted-package"
_IV = 12


def opened(data: mmap.mmap | bytes, password: str) -> bytes:
    """Return the document as a package without locks.

    Raises:
        Unreadable: ``encrypted`` (the password is not right), ``unsupported`` (no lock, or of another kind), ``bomb``.
    """
    opener = _Opener(password)
    out = io.BytesIO()
    with open_zip(data) as package, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as plain:
        manifest = parse_xml(package.read(MANIFEST), doctype=True)
        locked = {attribute(each, "full-path"): each for each in manifest if find(each, "encryption-data") is not None}
        if not locked or not locked.keys() <= set(package.namelist()):
            raise Unreadable(Reason.UNSUPPORTED)
        if _WHOLE in locked:
            return opener.plain(locked[_WHOLE], package.read(_WHOLE))
        for member in package.infolist():  # a name may come again: each time its own bytes, as they were counted
            name, part = member.filename, package.read(member)
            if name != MANIFEST:
                plain.writestr(name, opener.plain(locked[name], part) if name in locked else part)
        etree.strip_elements(manifest, "{*}encryption-data")
        plain.writestr(MANIFEST, etree.tostring(manifest))
    return out.getvalue()


class _Opener:
    """Opens the parts of one document; a key is derived once for all that share it."""

    def __init__(self, password: str) -> None:
        self._password = password.encode()
        self._keys: dict[tuple[str, ...], bytes] = {}
        self._left = MAX_BYTES

    def plain(self, entry: etree._Element, sealed: bytes) -> bytes:
        """Return a part's bytes."""
        method = find(entry, "algorithm")
        how = "" if method is None else attribute(method, "algorithm-name").rpartition("#")[2].lower()
        start = b"" if method is None else b64decode(attribute(method, "initialisation-vector"))
        key = self._key(entry)
        try:
            packed = _decrypted(how, key, start, sealed)
            inflating = zlib.decompressobj(-zlib.MAX_WBITS)
            found = inflating.decompress(packed, self._left + 1)
        except (InvalidTag, zlib.error) as error:
            raise Unreadable(Reason.ENCRYPTED) from error
        self._left -= len(found)
        if self._left < 0:
            raise Unreadable(Reason.BOMB)
        if not inflating.eof:  # by a wrong password the bytes may pass for the beginning of something
            raise Unreadable(Reason.ENCRYPTED)
        return found

    def _key(self, entry: etree._Element) -> bytes:
        first, second = find(entry, "start-key-generation"), find(entry, "key-derivation")
        if second is None:
            raise Unreadable(Reason.UNSUPPORTED)
        sha256 = first is not None and attribute(first, "start-key-generation-name").lower().endswith("sha256")
        secret = (hashlib.sha256 if sha256 else hashlib.sha1)(self._password).digest()
        facts = tuple(sorted(map(str, second.attrib.values())))
        if facts not in self._keys:
            self._keys[facts] = _derived(second, secret)
        return self._keys[facts]


def _derived(about: etree._Element, secret: bytes) -> bytes:
    """Return the key of a part; a key under another, as PGP's, is not to be had."""

    def number(name: str, otherwise: int) -> int:
        return int(attribute(about, name) or otherwise)

    name = attribute(about, "key-derivation-name").lower()
    salt, size = b64decode(attribute(about, "salt")), number("key-size", 16)
    if name.endswith("pbkdf2"):
        return hashlib.pbkdf2_hmac("sha1", secret, salt, number("iteration-count", 1_024), size)
    if not name.endswith("argon2id"):
        raise Unreadable(Reason.UNSUPPORTED)
    cost = number("argon2-iterations", 3), number("argon2-memory", 65_536), number("argon2-lanes", 4)
    return _argon2id(secret, salt, size, *cost)


def _argon2id(secret: bytes, salt: bytes, size: int, rounds: int, memory: int, lanes: int) -> bytes:
    """Return a key by Argon2, its lanes one after another: a fork makes no threads."""
    out, given, salted = ffi.new("uint8_t[]", size), ffi.new("uint8_t[]", secret), ffi.new("uint8_t[]", salt)
    facts = {
        "out": out, "outlen": size, "pwd": given, "pwdlen": len(secret), "salt": salted, "saltlen": len(salt),
        "t_cost": rounds, "m_cost": memory, "lanes": lanes, "threads": 1, "version": ARGON2_VERSION,
    }  # fmt: skip
    if core(ffi.new("argon2_context *", facts), Type.ID.value):
        raise Unreadable(Reason.UNSUPPORTED, "argon2")
    return bytes(ffi.buffer(out))


def _decrypted(how: str, key: bytes, start: bytes, sealed: bytes) -> bytes:
    """Return a part as it was packed; after the last of it there may be some bytes that fill a block."""
    if how.endswith("gcm"):
        return AESGCM(key).decrypt(sealed[:_IV], sealed[_IV:], None)
    cipher: Cipher[CBC] | Cipher[CFB]
    if how.startswith("aes") and how.endswith("cbc"):
        cipher = Cipher(AES(key), CBC(start))
    elif how.startswith("blowfish"):
        cipher = Cipher(Blowfish(key), CFB(start))
    else:
        raise Unreadable(Reason.UNSUPPORTED)
    working = cipher.decryptor()
    return working.update(sealed) + working.finalize()
