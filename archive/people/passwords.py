"""Passwords: what is taken, and how they are kept (Argon2id)."""

import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from archive.errors import Fault, InvalidInput

SHORTEST: Final = 8
"""Characters asked for. Pages advise 15; no rule about kinds of characters, which makes passwords worse."""

LONGEST: Final = 256

_COMMON = """
00000000 11111111 22222222 55555555 66666666 88888888 99999999 12345678 123456789 1234567890 0123456789
87654321 987654321 0987654321 123123123 12341234 11223344 1122334455 123321123 147258369 159357456 789456123
qwertyui qwertyuiop asdfghjk asdfghjkl zxcvbnm1 1qaz2wsx 1q2w3e4r 1q2w3e4r5t qazwsxedc qwer1234 asdf1234
abcd1234 abc12345 a1234567 a12345678 aa123456 aa12345678 q1w2e3r4 1234qwer qq123456 woaini1314 woaini520
5201314a 52013145 woaini123 iloveyou password password1 password12 password123 passw0rd p@ssw0rd p@ssword
admin123 admin1234 admin888 administrator root1234 letmein1 welcome1 welcome123 changeme sunshine princess
football baseball superman trustno1 dragon123 monkey123 juanku123 juankujuanku dangan123 wuye1234
"""

COMMONEST: Final = frozenset(_COMMON.split())
"""The commonest passwords of eight characters and more, here and abroad."""


def check_password(password: str, *, login: str = "", name: str = "", field: str = "password") -> None:
    """Check a new password.

    Raises:
        InvalidInput: too short, too long, among the commonest, or made of the person's own names.
    """
    text = _normal(password)
    plain = text.casefold()
    if len(text) < SHORTEST:
        raise InvalidInput(Fault(field, "password_too_short", {"shortest": SHORTEST}))
    if len(text) > LONGEST:
        raise InvalidInput(Fault(field, "password_too_long", {"longest": LONGEST}))
    if plain in COMMONEST or len(set(plain)) < 3:
        raise InvalidInput(Fault(field, "password_too_common"))
    if plain in {own.casefold() for own in (login, name, login * 2, login[::-1]) if own}:
        raise InvalidInput(Fault(field, "password_is_name"))


class Passwords:
    """Hashes and verifies.

    The cost (19 MiB, two passes, one lane) is the one OWASP advises where many sign in at once: a machine of 4 GB
    takes a hundred people on a Monday morning.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        # of the same cost, and verified for unknown logins so that they take as long
        self._nobodys = self._hasher.hash("nobody's password")

    def hash(self, password: str) -> str:
        """Return the hash to keep."""
        return self._hasher.hash(_normal(password))

    def verify(self, kept: str | None, password: str) -> bool:
        """Return whether ``password`` is the one of ``kept``; None (no such account) is verified, and false."""
        if len(password) > LONGEST:
            return False
        try:
            return self._hasher.verify(kept or self._nobodys, _normal(password)) and kept is not None
        except (VerificationError, InvalidHashError):
            return False

    def is_old(self, kept: str) -> bool:
        """Return whether ``kept`` was made with another cost than today's."""
        return self._hasher.check_needs_rehash(kept)


def _normal(password: str) -> str:
    # one spelling for what two keyboards compose differently
    return unicodedata.normalize("NFKC", password)
