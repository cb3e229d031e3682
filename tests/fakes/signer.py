"""A signer with real Ed25519 keys, kept in memory."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class MemorySigner:
    """Keeps ``archive.log.checkpoints.Signer``'s promises; ``renew`` changes the key and remembers the old one."""

    def __init__(self) -> None:
        self._keys: dict[str, Ed25519PrivateKey] = {}
        self.renew()

    @property
    def key_id(self) -> str:
        return f"test-{len(self._keys)}"

    def renew(self) -> None:
        self._keys[f"test-{len(self._keys) + 1}"] = Ed25519PrivateKey.generate()

    def sign(self, data: bytes) -> bytes:
        return self._keys[self.key_id].sign(data)

    def verify(self, key_id: str, data: bytes, signature: bytes) -> bool:
        if key_id not in self._keys:
            return False
        try:
            self._keys[key_id].public_key().verify(signature, data)
        except InvalidSignature:
            return False
        return True
