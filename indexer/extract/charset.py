"""Decodes bytes whose encoding a file declares, rightly or not."""

import codecs
import re

from indexer.extract.text import MARKS, decoded, guess_encoding

_ALIASES = {
    **dict.fromkeys(("gb2312", "gbk", "x-gbk", "cp936", "gb_2312-80", "euc-cn"), "gb18030"),
    **dict.fromkeys(("big5", "big5-hkscs", "x-x-big5", "cp950", "csbig5"), "big5hkscs"),
    **dict.fromkeys(("ascii", "us-ascii", "iso-8859-1", "iso8859-1", "latin1", "latin-1", "cp819"), "cp1252"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis", "ms_kanji"), "cp932"),
    **dict.fromkeys(("ks_c_5601-1987", "euc-kr", "ksc5601"), "cp949"),
    **dict.fromkeys(("cp65001", "unicode-1-1-utf-8", "utf8mb4"), "utf-8"),
    "cp1200": "utf-16-le",
    "unicode": "utf-16",
    "cp10008": "gb18030",
    "cp10002": "big5hkscs",
    "cp54936": "gb18030",
}
_NO_CHARSETS = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
_HIGH = re.compile(rb"[\x80-\xff]")


def codec_of(name: str) -> str | None:
    """Return Python's name of a declared encoding, or of the wider one that is meant by it; None: there is no such."""
    wanted = name.strip().strip("\"'").lower()
    wanted = _ALIASES.get(wanted, wanted)
    try:
        found = codecs.lookup(wanted).name if wanted.isascii() else ""
        "".encode(found)  # refuses what is no encoding of text, such as zip
    except (LookupError, ValueError):
        return None
    return wanted if found and found not in _NO_CHARSETS else None


def decode(data: bytes, declared: str = "") -> str:
    """Return ``data`` as text: by its mark, by the ``declared`` encoding where the bytes agree, else by guess.

    Never fails: bytes that fit no encoding become U+FFFD.
    """
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    named = codec_of(declared) if declared else None
    if named and _agrees(data, named):
        text = data.decode(named, "replace")
        if text.count("\ufffd") <= max(1, len(text) // 50):
            return text
    if (guessed := decoded(data)) is not None:
        return guessed
    if named:
        return data.decode(named, "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _agrees(data: bytes, named: str) -> bool:
    """Whether the declared encoding is to be believed: many programs write one and declare another."""
    if named.startswith(("utf-16", "utf-32")):
        return b"\x00" in data  # "unicode" is declared for any
    high = len(_HIGH.findall(data[:65_536]))
    if high < 6 or named.startswith("utf"):
        return True
    guessed = guess_encoding(data)
    if guessed == "utf-8":
        return False  # text in another encoding hardly ever passes for UTF-8
    return not (named == "cp1252" and high >= 12 and guessed in {"gb18030", "big5hkscs"})
