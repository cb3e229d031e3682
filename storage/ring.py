"""The key ring: what opens the wrapped keys, in a folder apart from the database, the objects and their backups.

The folder (mode 0700, files 0600)::

    root.key                  the root key, and the ring's id
    root.next                 only while the root is being replaced: the new root key
    token.json                the key of the blind index, wrapped by the root
    signing-<id>.json         an Ed25519 key: public part plain, private part wrapped
    generations/<uuid>.json   a generation's key, wrapped
    generations/<uuid>.gone   a tombstone: destroyed when; it outranks a key file that comes back

Each wrapped file names the root that wraps it, so that a change of root may stop anywhere and be finished later.
Nothing is trusted from memory alone: each use of a generation looks whether its file still stands.
"""

import hmac
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from archive.errors import BrokenSetting, KeyUnavailable
from archive.ids import new_id
from storage import ringfiles
from storage.ringfiles import broken

_ROOT, _NEXT, _TOKEN = "root.key", "root.next", "token.json"
_BEGUN = frozenset({"generations", "lock"})  # what stands of a copy that broke off before its root
_KEY_BYTES = 32


class KeyRing:
    """An open ring. Safe to share between threads; other processes may change the folder meanwhile.

    Use ``create`` or ``open``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = ""
        self._roots: dict[str, bytes] = {}
        self._root = ""
        self._token = b""
        self._signing: Ed25519PrivateKey | None = None
        self._public: dict[str, Ed25519PublicKey] = {}
        self._cache: dict[UUID, tuple[tuple[int, int], bytes]] = {}
        self.key_id = ""

    @classmethod
    def create(cls, folder: Path) -> "KeyRing":
        """Make a new ring in an empty or absent folder and open it.

        Raises:
            BrokenSetting: there is a ring already (it is never overwritten), or the folder cannot be written.
        """
        ringfiles.make_folder(folder)
        folder.chmod(0o700)
        if (folder / _ROOT).exists():
            raise broken("exists", folder)
        ringfiles.make_folder(folder / "generations")
        with ringfiles.locked(folder):
            ring = cls(folder)
            ring.id, root_id, root = str(new_id()), str(new_id()), os.urandom(_KEY_BYTES)
            ring._roots, ring._root = {root_id: root}, root_id
            ring._write_wrapped(folder / _TOKEN, "token", os.urandom(_KEY_BYTES), {})
            signing = Ed25519PrivateKey.generate()
            public = signing.public_key().public_bytes_raw()
            key_id = sha256(public).hexdigest()[:16]
            facts = {"id": key_id, "public": ringfiles.text(public)}
            ring._write_wrapped(folder / f"signing-{key_id}.json", "signing", signing.private_bytes_raw(), facts)
            ring._write_root(folder / _ROOT, root_id, root)  # last: a ring without it was never finished
        return cls.open(folder)

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether a finished ring stands in ``folder``."""
        return (folder / _ROOT).exists()

    @classmethod
    def open(cls, folder: Path) -> "KeyRing":
        """Open a ring, finish what a crash left half done, and prove that the root opens every key in it.

        Raises:
            BrokenSetting: a file is missing, corrupt, open to others, or not opened by the root (facts ``reason``,
                ``path``).
        """
        ringfiles.check_private(folder)
        ring = cls(folder)
        ring._load_roots()
        ring._recover()
        ring._token = ring._read_wrapped(folder / _TOKEN, "token")
        ring._load_signing()
        for path in sorted((folder / "generations").glob("*.json")):
            try:
                ring._read_wrapped(path, f"generation {path.stem}")
            except BrokenSetting:
                if not path.with_suffix(".gone").exists():  # else another process destroys it just now
                    raise
        return ring

    # Generations

    def generation(self, generation_id: UUID) -> bytes:
        """Return a generation's key.

        Raises:
            KeyUnavailable: it was destroyed, or was never in this ring (fact ``reason``).
            BrokenSetting: its file is there but cannot be read.
        """
        path = self._generation_path(generation_id)
        try:
            now = path.stat()
        except FileNotFoundError:
            self._cache.pop(generation_id, None)
            reason = "destroyed" if self.is_destroyed(generation_id) else "missing"
            raise KeyUnavailable(key=str(generation_id), reason=reason) from None
        stamp = (now.st_mtime_ns, now.st_ino)
        kept = self._cache.get(generation_id)
        if kept is not None and kept[0] == stamp:
            return kept[1]
        if self.is_destroyed(generation_id):
            raise KeyUnavailable(key=str(generation_id), reason="destroyed")
        key = self._read_wrapped(path, f"generation {generation_id}")
        self._cache[generation_id] = (stamp, key)
        return key

    def generations(self) -> list[UUID]:
        """Return the ids of the generations whose keys are in the ring."""
        return sorted(
            UUID(path.stem)
            for path in (self.folder / "generations").glob("*.json")
            if not path.with_suffix(".gone").exists()
        )

    def is_destroyed(self, generation_id: UUID) -> bool:
        """Whether a tombstone says that the key was destroyed."""
        return self._generation_path(generation_id).with_suffix(".gone").exists()

    def add_generation(self, generation_id: UUID) -> None:
        """Make a new generation's key; durable on return. One that is there already stays as it is.

        Raises:
            KeyUnavailable: a generation of that id was destroyed.
        """
        path = self._generation_path(generation_id)
        with ringfiles.locked(self.folder):
            if self.is_destroyed(generation_id):
                raise KeyUnavailable(key=str(generation_id), reason="destroyed")
            if path.exists():
                return
            self._load_roots()  # another process may have changed the root
            facts = {"id": str(generation_id), "created": _now()}
            self._write_wrapped(path, f"generation {generation_id}", os.urandom(_KEY_BYTES), facts)

    def destroy_generation(self, generation_id: UUID) -> None:
        """Destroy a generation's key for good: a tombstone first, then overwrite and remove. Repeating is no error."""
        path = self._generation_path(generation_id)
        with ringfiles.locked(self.folder):
            if not self.is_destroyed(generation_id):
                ringfiles.write_json(path.with_suffix(".gone"), {"id": str(generation_id), "destroyed": _now()})
            ringfiles.shred(path)
        self._cache.pop(generation_id, None)

    # The root

    def rotate_root(self) -> None:
        """Put a new root key in place of the old one. A crash at any step leaves a ring that opens."""
        with ringfiles.locked(self.folder):
            self._finish_rotation()
            root_id, root = str(new_id()), os.urandom(_KEY_BYTES)
            self._write_root(self.folder / _NEXT, root_id, root)
            self._finish_rotation()

    def _recover(self) -> None:
        for gone in (self.folder / "generations").glob("*.gone"):
            if gone.with_suffix(".json").exists():
                self.destroy_generation(UUID(gone.stem))
        if (self.folder / _NEXT).exists():
            with ringfiles.locked(self.folder):
                self._finish_rotation()

    def _finish_rotation(self) -> None:
        """Bring every file under the next root, if there is one, and put it in place. The folder is locked."""
        self._load_roots()
        if (self.folder / _NEXT).exists():
            for path, purpose in self._wrapped_files():
                self._rewrap(path, purpose)
            _replace_root(self.folder)
            self._load_roots()

    def _rewrap(self, path: Path, purpose: str) -> None:
        facts = ringfiles.read_json(path)
        if facts.get("root") == self._root:
            return
        key = self._unwrap(path, purpose, facts)
        plain = {name: value for name, value in facts.items() if name not in {"format", "root", "wrapped"}}
        self._write_wrapped(path, purpose, key, plain)

    def _load_roots(self) -> None:
        """Read the root, and the next one when a change is under way; new files are wrapped by the newest."""
        self.id, root_id, root = self._read_root(self.folder / _ROOT)
        roots = {root_id: root}
        if (self.folder / _NEXT).exists():
            _, root_id, root = self._read_root(self.folder / _NEXT)
            roots[root_id] = root
        self._roots, self._root = roots, root_id

    def _read_root(self, path: Path) -> tuple[str, str, bytes]:
        facts = ringfiles.read_json(path)
        key = ringfiles.data(facts, "key", path)
        if len(key) != _KEY_BYTES or not isinstance(facts.get("id"), str) or not isinstance(facts.get("ring"), str):
            raise broken("corrupt", path)
        return facts["ring"], facts["id"], key

    def _write_root(self, path: Path, root_id: str, root: bytes) -> None:
        ringfiles.write_json(path, {"ring": self.id, "id": root_id, "created": _now(), "key": ringfiles.text(root)})

    # Wrapped files

    def _wrapped_files(self) -> list[tuple[Path, str]]:
        found = [(self.folder / _TOKEN, "token")]
        found += [(path, "signing") for path in sorted(self.folder.glob("signing-*.json"))]
        return found + [(path, f"generation {path.stem}") for path in sorted(self.folder.glob("generations/*.json"))]

    def _write_wrapped(self, path: Path, purpose: str, key: bytes, facts: Mapping[str, Any]) -> None:
        nonce = os.urandom(12)
        sealed = nonce + AESGCM(self._roots[self._root]).encrypt(nonce, key, _bound(purpose))
        ringfiles.write_json(path, {**facts, "root": self._root, "wrapped": ringfiles.text(sealed)})

    def _read_wrapped(self, path: Path, purpose: str) -> bytes:
        facts = ringfiles.read_json(path)
        if facts.get("root") not in self._roots:
            self._load_roots()
        return self._unwrap(path, purpose, facts)

    def _unwrap(self, path: Path, purpose: str, facts: Mapping[str, Any]) -> bytes:
        sealed = ringfiles.data(facts, "wrapped", path)
        root = self._roots.get(facts["root"])
        try:
            key = AESGCM(root or b"\0" * _KEY_BYTES).decrypt(sealed[:12], sealed[12:], _bound(purpose))
        except (InvalidTag, ValueError):
            raise broken("root_does_not_open", path) from None
        return key

    def _generation_path(self, generation_id: UUID) -> Path:
        return self.folder / "generations" / f"{generation_id}.json"

    # Blind index and signatures

    def token(self, kind: str, value: str) -> str:
        """Return the keyed token of a value of a kind: 32 hex digits, equal for equal values only."""
        return hmac.digest(self._token, f"{kind}\0{value}".encode(), "sha256")[:16].hex()

    def sign(self, data: bytes) -> bytes:
        """Sign with the ring's Ed25519 key (``key_id``)."""
        if self._signing is None:
            raise KeyUnavailable(key="signing", reason="missing")
        return self._signing.sign(data)

    def verify(self, key_id: str, data: bytes, signature: bytes) -> bool:
        """Whether ``key_id``, one of this ring's keys, signed exactly ``data``."""
        public = self._public.get(key_id)
        if public is None:
            return False
        try:
            public.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    def public_keys(self) -> dict[str, bytes]:
        """Return the raw Ed25519 public keys by id, to be kept by those who check the log elsewhere."""
        return {key_id: key.public_bytes_raw() for key_id, key in self._public.items()}

    def _load_signing(self) -> None:
        newest = ""
        for path in sorted(self.folder.glob("signing-*.json")):
            facts = ringfiles.read_json(path)
            private = Ed25519PrivateKey.from_private_bytes(self._unwrap(path, "signing", facts))
            public = private.public_key()
            raw = public.public_bytes_raw()
            key_id = sha256(raw).hexdigest()[:16]
            if facts.get("id") != key_id or ringfiles.data(facts, "public", path) != raw:
                raise broken("corrupt", path)
            self._public[key_id] = public
            made = str(facts.get("created", ""))
            if self._signing is None or made >= newest:
                self._signing, self.key_id, newest = private, key_id, made
        if self._signing is None:
            raise broken("missing", self.folder / "signing-*.json")

    # Copies

    def is_inside(self, home: Path) -> bool:
        """Whether the ring lies in ``home`` (or is it), links resolved."""
        return self.folder.resolve().is_relative_to(home.resolve())

    def refresh_copy(self, folder: Path) -> None:
        """Bring a copy of the ring up to this one: new keys come, destroyed ones are destroyed, the root follows.

        Makes the copy when the folder is not there or empty, for its owner alone. It opens at each step on the way.

        Raises:
            BrokenSetting: the folder cannot be written, or holds another ring or something else.
        """
        if folder.resolve() == self.folder.resolve():
            return  # it is the ring itself, as after a move to what was a copy
        self._begin_copy(folder)
        ringfiles.make_folder(folder / "generations")
        with ringfiles.locked(self.folder), ringfiles.locked(folder):
            for gone in sorted(self.folder.glob("generations/*.gone")):
                there = folder / "generations" / gone.name
                if not there.exists():
                    ringfiles.write(there, gone.read_bytes())
                ringfiles.shred(there.with_suffix(".json"))
            root = (self.folder / _ROOT).read_bytes()
            changed = not (folder / _ROOT).exists() or (folder / _ROOT).read_bytes() != root
            if changed:
                ringfiles.write(folder / (_NEXT if (folder / _ROOT).exists() else _ROOT), root)
            for path, _ in self._wrapped_files():
                there, data = folder / path.relative_to(self.folder), path.read_bytes()
                if not there.exists() or there.read_bytes() != data:
                    ringfiles.write(there, data)
            if (folder / _NEXT).exists():
                _replace_root(folder)

    def _begin_copy(self, folder: Path) -> None:
        if not (folder / _ROOT).exists():
            ringfiles.make_folder(folder)
            if any(each.name not in _BEGUN and not each.name.startswith(f".{_ROOT}.") for each in folder.iterdir()):
                raise broken("not_empty", folder)
            folder.chmod(0o700)
        elif self._read_root(folder / _ROOT)[0] != self.id:
            raise broken("another_ring", folder)


def _bound(purpose: str) -> bytes:
    return b"juanku ring 1 " + purpose.encode()


def _replace_root(folder: Path) -> None:
    old = os.open(folder / _ROOT, os.O_WRONLY)
    try:
        (folder / _NEXT).replace(folder / _ROOT)
        ringfiles.sync_folder(folder)
        ringfiles.overwrite(old)
    finally:
        os.close(old)


def _now() -> str:
    return datetime.now(UTC).isoformat()
