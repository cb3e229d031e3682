"""Text of RTF files, with headers, footers, footnotes, comments and text boxes where they stand.

striprtf, the library for this, drops all of those, tears signs beyond the first 65,536 in two, and decodes by the
document's code page what a font's says otherwise.
"""

import mmap
import re
from dataclasses import dataclass, field, replace

from indexer.extract.answer import Extracted, Reason, Unreadable
from indexer.extract.charset import codec_of
from indexer.extract.cleaning import clean_line
from indexer.extract.paging import cut, paged

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|((?:\\'[0-9a-fA-F]{2})+)|\\([^a-zA-Z])|([{}])|([^\\{}\r\n\x00]+)", re.DOTALL
)
_MOST_GROUPS = 10_000
_SILENT = frozenset(
    b"fonttbl colortbl stylesheet info title pict object objdata themedata colorschememapping datastore latentstyles "
    b"listtable listoverridetable rsidtbl generator xmlnstbl fldinst bkmkstart bkmkend sp sn sv mmathPr nonshppict "
    b"filetbl revtbl pgptbl userprops docvar nonesttables panose falt atrfstart atrfend atnref atnid atnparent "
    b"datafield formfield ffname upr template passwordhash private fchars lchars listname leveltext levelnumbers "
    b"pnseclvl xe tc rxe bkmkpub aftnsep aftnsepc ftnsep ftnsepc ftncn aftncn defchp defpap hlsrc mhtmltag htmltag "
    b"wgrffmtfilter oleclsid objclass objname background do2 blipuid picprop protusertbl factoidname keycode".split()
)
_SPOKEN = frozenset(
    b"shpinst shptxt annotation atnauthor atnicn footnote header headerl headerr headerf footer footerl footerr "
    b"footerf fldrslt ud shppict listtext pntext nesttableprops hyphen do dptxbx dptxbxtext result".split()
)
"""Destinations that hold text although a reader that does not know them may pass them over."""

_BLOCKS = frozenset(
    b"annotation footnote header headerl headerr headerf footer footerl footerr footerf shptxt dptxbxtext".split()
)
_SIGNS = {
    b"par": "\n", b"line": "\n", b"row": "\n", b"nestrow": "\n", b"sect": "\n", b"column": "\n",
    b"page": "\x0c", b"tab": "\t", b"cell": "\t", b"nestcell": "\t",
    b"emdash": "—", b"endash": "–", b"bullet": "•", b"lquote": "‘", b"rquote": "’", b"ldblquote": "“",
    b"rdblquote": "”", b"emspace": "\u2003", b"enspace": "\u2002", b"qmspace": "\u2005",
}  # fmt: skip
_ESCAPED = {b"~": "\xa0", b"_": "-", b"{": "{", b"}": "}", b"\\": "\\", b"\n": "\n", b"\r": "\n", b"\t": "\t"}
_CODE_PAGES = {
    77: 10000, 128: 932, 129: 949, 130: 1361, 134: 936, 136: 950, 161: 1253, 162: 1254, 163: 1258, 177: 1255,
    178: 1256, 186: 1257, 204: 1251, 222: 874, 238: 1250, 254: 437, 255: 850,
}  # fmt: skip


@dataclass
class _State:
    """What a group inherits and gives back at its end."""

    silent: bool = False
    skip: int = 1
    font: int | None = None
    destination: bytes = b""


@dataclass
class _Reader:
    """Reads tokens in turn; text is gathered as bytes of one encoding, or as signs."""

    data: bytes
    page: str = "cp1252"
    state: _State = field(default_factory=_State)
    fonts: dict[int, str] = field(default_factory=dict)
    default_font: int | None = None
    out: list[str] = field(default_factory=list)
    title: list[str] = field(default_factory=list)
    raw: bytearray = field(default_factory=bytearray)
    stack: list[_State] = field(default_factory=list)
    to_skip: int = 0
    star: bool = False
    fresh: bool = False

    def read(self) -> None:
        at = 0
        while match := _TOKEN.search(self.data, at):
            at = match.end()
            word, number, code, sign, brace, text = match.groups()
            if word is not None:
                at += self._word(word, number)
            elif code is not None:
                self._bytes(bytes.fromhex(code.decode().replace("\\'", "")))
            elif text is not None:
                self._bytes(text)
            elif brace == b"{":
                self._open()
                continue
            elif brace == b"}":
                if not self._close():
                    break
            elif sign == b"*":
                self.star = self.fresh  # elsewhere than at a group's head it says nothing
            elif sign in _ESCAPED:
                self._sign(_ESCAPED[sign])
            self.fresh = sign == b"*" and self.fresh
        self._flush()

    def _open(self) -> None:
        self._flush()
        if len(self.stack) >= _MOST_GROUPS:
            raise Unreadable(Reason.BOMB, "depth")
        self.stack.append(self.state)
        self.state = replace(self.state, destination=b"")
        self.to_skip = 0
        self.fresh = True

    def _close(self) -> bool:
        """Leave a group; False at the end of the document's own."""
        self._flush()
        if self.state.destination in _BLOCKS:
            self._sign("\n")
        self.to_skip, self.star = 0, False
        if self.stack:
            self.state = self.stack.pop()
        return bool(self.stack)

    def _word(self, word: bytes, number: bytes | None) -> int:
        """Do a control word; return how many bytes of what follows belong to it."""
        star, self.star = self.star, False
        value = int(number) if number is not None else None
        if word == b"bin":
            return max(0, value or 0)
        if word == b"u" and value is not None:
            self._unicode(value)
            return 0
        self._flush()
        if word in _SIGNS:
            self._sign(_SIGNS[word])
        elif word in {b"uc", b"f", b"deff", b"plain", b"ansicpg", b"fcharset"}:
            self._setting(word, value)
        elif word in _SILENT or (star and word not in _SPOKEN):
            self._destination(word, silent=True)
        elif word in _SPOKEN:
            self._destination(word, silent=self._is_silent(word))
        return 0

    def _is_silent(self, word: bytes) -> bool:
        """What stands in Unicode beside a silent copy, or for an object as it looks, is as loud as what holds both."""
        return self.stack[-2].silent if word in {b"ud", b"result"} and len(self.stack) > 1 else self.state.silent

    def _setting(self, word: bytes, value: int | None) -> None:
        if word == b"uc":
            self.state.skip = 1 if value is None else value
        elif word == b"ansicpg":
            self.page = codec_of(f"cp{value}") or self.page
        elif word == b"fcharset":
            codec = codec_of(f"cp{_CODE_PAGES.get(value or 0)}")
            if self.state.font is not None and codec:
                self.fonts[self.state.font] = codec
        elif word == b"deff":
            self.default_font = value
            self.state.font = value if self.state.font is None else self.state.font
        else:
            self.state.font = value if word == b"f" else self.default_font

    def _destination(self, word: bytes, *, silent: bool) -> None:
        self.state.destination = word
        self.state.silent = silent
        if word == b"title":
            self.title.clear()  # given twice, it is in Unicode the second time
        if word in _BLOCKS:
            self._sign("\n")

    def _unicode(self, value: int) -> None:
        self._flush()
        self.to_skip = self.state.skip
        self._sign(chr(value % 0x10000))

    def _bytes(self, found: bytes) -> None:
        """Take bytes of text, less those that stand in for a sign already given."""
        if self.to_skip:
            passed = min(self.to_skip, len(found))
            self.to_skip -= passed
            found = found[passed:]
        if found and (not self.state.silent or self.state.destination == b"title"):
            self.raw += found

    def _flush(self) -> None:
        if self.raw:
            encoding = self.fonts.get(self.state.font if self.state.font is not None else -1, self.page)
            text = self.raw.decode(encoding, "replace")
            self.raw.clear()
            self._put(text)

    def _sign(self, sign: str) -> None:
        self._flush()
        if sign and (not self.state.silent or self.state.destination == b"title"):
            self._put(sign)

    def _put(self, text: str) -> None:
        (self.title if self.state.destination == b"title" else self.out).append(text)


def extract_rtf(data: mmap.mmap | bytes, first_page: int | None = None, last_page: int | None = None) -> Extracted:
    """Return the pages ``first_page`` to ``last_page`` (both included, 1-based) of an RTF file.

    Raises:
        Unreadable: ``bomb`` (groups nested thousands deep).
    """
    title, text = rtf_text(bytes(data))
    return paged(cut(text), first_page, last_page, title=title)


def rtf_text(data: bytes) -> tuple[str, str]:
    """Return title and text of RTF; pages that it breaks itself are parted by form feeds, cells by tabs.

    Raises:
        Unreadable: ``bomb``.
    """
    reader = _Reader(data)
    reader.read()
    text = "\n".join(line.rstrip("\t") for line in _whole("".join(reader.out)).split("\n"))
    return clean_line(_whole("".join(reader.title))), text.strip("\n\x0c ")


def _whole(text: str) -> str:
    """Join the halves of signs that RTF writes in two."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
