"""Mails (eml, mht) and mailboxes: as a text who, when and about what, the words, and the names of what is attached."""

import io
import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.errors import HeaderParseError, MessageError
from email.generator import BytesGenerator
from email.header import decode_header
from email.message import Message
from email.parser import BytesFeedParser, BytesHeaderParser
from email.policy import Compat32
from email.utils import parsedate_to_datetime
from functools import partial
from itertools import islice

from indexer import kinds
from indexer.extract.answer import Extracted, Reason, Unreadable
from indexer.extract.charset import codec_of, decode
from indexer.extract.cleaning import clean_line
from indexer.extract.large_mail import LARGE, shortened
from indexer.extract.markup import html_text
from indexer.extract.member import CHUNK, Member
from indexer.extract.paging import cut, paged
from indexer.extract.signed import signed_content

_SHOWN = ("From", "To", "Cc", "Bcc", "Date", "Subject")
_MOST_NESTED, _MOST_PARTS, _MOST_COMPARED = 50, 10_000, 2_000
_WORDS = re.compile(r"=\?[^?\s]+\?[bBqQ]\?[^?]*\?=(?:\s+(?==\?)|=\?[^?\s]+\?[bBqQ]\?[^?]*\?=)*")
_HEAD_BYTES = 65_536
_ENVELOPES = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
_SEPARATOR = re.compile(rb"^From [^\r\n]{0,100}\d\d:\d\d[^\r\n]{0,40}\d{4}[^\r\n]{0,40}\r?\n", re.MULTILINE)
_BEFORE = re.compile(rb"[\xef\xbb\xbf\r\n]*")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)


MOST_RICH = 20_000_000
"""Bytes of laid-out text that are read of one mail: its tree is built anew for each answer, beside the mail's own."""


class _AsWritten(Compat32):
    """Gives headers as they were typed: in many old mails with bytes of GBK, which declare nothing."""

    def header_fetch_parse(self, name: str, value: str) -> str:  # noqa: ARG002  (the library's own form)
        """Return a header's words, decoded by guess where they are no ASCII."""
        return value if value.isascii() else decode(value.encode("utf-8", "surrogateescape"))


@dataclass
class Letter:
    """A mail, whatever wrote it.

    Attributes:
        heads: name and words of each line above the text.
        plain: the text as plain text, or "".
        rich: the text as it was laid out, or "".
        attached: name of each attachment; of one that cannot be taken out, its words too.
        left: bytes that are yet read of texts that are laid out.
        cut: whether there were more.
    """

    heads: list[tuple[str, str]] = field(default_factory=list)
    plain: str = ""
    rich: str = ""
    attached: list[tuple[str, str]] = field(default_factory=list)
    left: int = field(default_factory=lambda: MOST_RICH)
    cut: bool = False

    def text(self) -> str:
        """Return all of it as a text to read."""
        lines = [f"{name}: {words}" for name, words in self.heads if words]
        parts = ["\n".join(lines), _together(self.plain, self.rich)]
        parts += [f"{name}\n{words.strip()}".strip() for name, words in self.attached]
        return "\n\n".join(part for part in parts if part)


def extract_mail(data: mmap.mmap | bytes, first_page: int | None = None, last_page: int | None = None) -> Extracted:
    """Return the pages ``first_page`` to ``last_page`` (both included, 1-based) of one mail.

    Raises:
        Unreadable: ``bomb`` (mails within mails without end), ``sealed``.
    """
    read, lost = _to_read(data)
    mail = _parsed(read)
    title = clean_line(header_text(str(mail.get("Subject", ""))))
    letter = _letter(mail)
    found = paged(cut(letter.text()), first_page, last_page, title=title, created=_date(mail)[:10])
    return replace(found, cut=found.cut or letter.cut or lost)


def extract_mailbox(data: mmap.mmap | bytes, first_page: int | None = None, last_page: int | None = None) -> Extracted:
    """Return the pages asked for of a mailbox's list of mails; of a mailbox of one mail, those of the mail."""
    if only := _only_mail(data):
        return extract_mail(only, first_page, last_page)
    return paged(cut(_mailbox_text(bytes(data))), first_page, last_page)


def mail_members(data: mmap.mmap | bytes) -> Iterator[Member]:
    """Yield what is attached to a mail, mails among it; a saved web page (mht) has no attachments."""
    for part in _attached(_parsed(data)):
        yield Member(_called(part), partial(_bytes_of, part))


def count_attached(data: mmap.mmap | bytes) -> int:
    """Return how many files are attached to a mail, however large they are. Raises as ``extract_mail`` does."""
    return len(_attached(_parsed(_to_read(data)[0])))


def mailbox_members(data: mmap.mmap | bytes) -> Iterator[Member]:
    """Yield the mails of a mailbox, each called by its place and its subject; of one mail alone, what is attached."""
    if only := _only_mail(data):
        yield from mail_members(only)
        return
    for number, (begin, end) in enumerate(_mails(bytes(data)), 1):
        heads = _heads(data[begin:end])
        yield Member(
            f"{number:04} {_file_name(heads)}".replace(" .eml", ".eml"), partial(_mail_bytes, data, begin, end)
        )


def count_mails(data: mmap.mmap | bytes) -> int:
    """Return how many mails lie in a mailbox, or, of one mail alone, how many files are attached to it."""
    only = _only_mail(data)
    return count_attached(only) if only else sum(1 for _ in _mails(bytes(data)))


def rich_text(data: bytes, charset: str = "") -> str:
    """Return the words of an HTML body, by the mail's ``charset`` or the one that it declares itself."""
    if not charset and (found := re.search(rb"charset\s*=\s*[\"']?\s*([\w.:-]+)", data[:4_096], re.IGNORECASE)):
        charset = found[1].decode()
    return html_text(decode(data, charset))[1]


def header_text(raw: str) -> str:
    """Return a header as written by any program: encoded words, or bytes that declare nothing."""
    if not raw.isascii():
        raw = decode(raw.encode("utf-8", "surrogateescape"))
    return " ".join(_WORDS.sub(_decoded_words, raw).split())


def _decoded_words(match: re.Match[str]) -> str:
    """Decode neighbours together: some programs tear a sign in two."""
    try:
        parts = decode_header(match[0])
    except (HeaderParseError, ValueError):
        return match[0]
    return "".join(decode(part, charset or "") if isinstance(part, bytes) else part for part, charset in parts)


def _to_read(data: mmap.mmap | bytes) -> tuple[mmap.mmap | bytes, bool]:
    """Return what is parsed of a mail for its words, and whether words were left out; what is signed is read whole."""
    start = _start(data)
    head = data[start : start + _HEAD_BYTES]
    if len(data) <= LARGE or _heads(head).get_content_type() in _ENVELOPES:
        return data, False
    return shortened(data, start)


def _start(data: mmap.mmap | bytes) -> int:
    """Return where a mail begins: some programs write a mark or empty lines before it."""
    begins = _BEFORE.match(data)
    return begins.end() if begins else 0


def _fed(data: mmap.mmap | bytes, start: int = 0) -> Message:
    """Parse a mail piece by piece: taken whole, the parser would hold it four times more."""
    parser = BytesFeedParser(policy=_AsWritten())
    for at in range(start, len(data), CHUNK):
        parser.feed(data[at : at + CHUNK])
    return parser.close()


def _parsed(data: mmap.mmap | bytes) -> Message:
    """Return a mail; of one that is signed as a whole, what was signed, under the heads that it came with.

    Raises:
        Unreadable: ``bomb``; ``sealed``: only a key of the person that it was written to opens it (S/MIME, PGP).
    """
    try:
        mail = _fed(data, _start(data))
    except RecursionError as error:
        raise Unreadable(Reason.BOMB, "depth") from error
    kind = mail.get_content_type()
    if kind == "multipart/encrypted" or "enveloped" in str(mail.get_param("smime-type", "")):
        raise Unreadable(Reason.SEALED)
    return _unsigned(mail) if kind in _ENVELOPES else mail


def _unsigned(mail: Message) -> Message:
    payload = mail.get_payload(decode=True)
    try:
        content = signed_content(payload if isinstance(payload, bytes) else b"")
    except Unreadable as error:
        if error.failure.reason is Reason.SEALED:
            raise
        return mail
    inner = _fed(content.lstrip(b"\r\n"))
    for name, value in mail.raw_items():
        if not name.lower().startswith(("content-", "mime-")):
            inner.set_raw(name, value)
    return inner


def _mailbox_text(data: bytes) -> str:
    """Return the list of mails: of each the day, from whom, and about what."""
    lines = []
    for number, (begin, end) in enumerate(_mails(data), 1):
        heads = _heads(data[begin:end])
        told = (_date(heads), _shown(heads, "From"), _shown(heads, "Subject"))
        lines.append(" · ".join(clean_line(words) for words in told if words) or f"{number:04}")
    return "\n".join(lines)


def _mails(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each mail begins and ends."""
    starts = [match for match in _SEPARATOR.finditer(data) if _begins_mail(data, match.start())]
    ends = [match.start() for match in starts[1:]] + [len(data)]
    for match, end in zip(starts, ends, strict=True):
        yield match.end(), end


def _only_mail(data: mmap.mmap | bytes) -> bytes | None:
    """Return the mail of a mailbox that holds one, as programs write when a single mail is saved."""
    found = list(islice(_mails(bytes(data)), 2))
    return b"".join(_mail_bytes(data, *found[0])) if len(found) == 1 else None


def _heads(data: bytes) -> Message:
    """Return the heads of a mail alone: parsing whole mails takes a mailbox long."""
    blank = re.search(rb"\r?\n\r?\n", data[:_HEAD_BYTES])
    return BytesHeaderParser(policy=_AsWritten()).parsebytes(data[: blank.end() if blank else _HEAD_BYTES])


def _mail_bytes(data: mmap.mmap | bytes, begin: int, end: int) -> Iterator[bytes]:
    yield _QUOTED.sub(rb"\1", data[begin:end])


def _begins_mail(data: bytes, at: int) -> bool:
    return at == 0 or data[max(0, at - 4) : at].replace(b"\r", b"").endswith(b"\n\n")


def _letter(mail: Message) -> Letter:
    _check_depth(mail)
    letter = Letter([(name, _shown(mail, name)) for name in _SHOWN])
    for part in _parts(mail):
        if _is_attached(part, mail):
            letter.attached.append((_called(part), ""))
        else:
            _take(letter, part)
    return letter


def _check_depth(mail: Message) -> None:
    """Refuse parts in parts without end, mails in mails among them."""
    waiting, seen = [(mail, 0)], 0
    while waiting:
        part, depth = waiting.pop()
        seen += 1
        if seen > _MOST_PARTS or depth > _MOST_NESTED:
            raise Unreadable(Reason.BOMB, "depth")
        inner = part.get_payload()
        waiting += [(each, depth + 1) for each in inner if isinstance(each, Message)] if isinstance(inner, list) else []


def _parts(mail: Message) -> Iterator[Message]:
    """Yield the leaves of a mail; a mail within it is a leaf."""
    waiting = [mail]
    while waiting:
        part = waiting.pop()
        inner = part.get_payload()
        if isinstance(inner, list) and part.get_content_type() != kinds.MAIL:
            waiting += [each for each in reversed(inner) if isinstance(each, Message)]
        else:
            yield part


def _attached(mail: Message) -> list[Message]:
    _check_depth(mail)
    return [part for part in _parts(mail) if _is_attached(part, mail)]


def _is_attached(part: Message, mail: Message) -> bool:
    """Whether a part is a file of its own; a mail that is nothing but one (a fax, a scan) has no other part."""
    if part is mail and (part.get_content_maintype() in {"text", "multipart"} or part.get("Content-Type") is None):
        return False
    whole = part is mail or isinstance(part.get_payload(), list)
    return whole or bool(_name(part)) or part.get_content_disposition() == "attachment"


def _called(part: Message) -> str:
    """Return the name of an attachment; a mail among them is called by its subject."""
    inner = part.get_payload()
    if not isinstance(inner, list):
        return _name(part) or part.get_content_type().replace("/", ".")
    subject = _file_name(inner[0]) if inner and isinstance(inner[0], Message) else ".eml"
    return _name(part) or (subject if subject != ".eml" else "mail.eml")


def _file_name(mail: Message) -> str:
    return clean_line(header_text(str(mail.get("Subject", ""))), 80).replace("/", "_").replace("\\", "_") + ".eml"


def _bytes_of(part: Message) -> Iterator[bytes]:
    inner = part.get_payload()
    if isinstance(inner, list):
        out = io.BytesIO()
        for each in inner[:1]:
            BytesGenerator(out, mangle_from_=False).flatten(each)
        yield out.getvalue()
        return
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    yield from (data[at : at + CHUNK] for at in range(0, len(data), CHUNK))


def _take(letter: Letter, part: Message) -> None:
    kind, charset = part.get_content_type(), _charset(part)
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    if kind == kinds.HTML:
        letter.cut = letter.cut or len(data) > letter.left
        letter.rich += rich_text(data[: letter.left], charset) + "\n"
        letter.left = max(letter.left - len(data), 0)
    elif kinds.is_plain_text(kind) or part.get_content_maintype() == "multipart":  # parts that nothing parts
        letter.plain += decode(data, charset) + "\n"


def _together(plain: str, rich: str) -> str:
    """Return a mail's words once where it says the same twice, and both where it does not."""
    if not plain.strip() or not rich.strip():
        return (plain.strip() and plain) or rich
    shown = "".join(rich.split())
    words = list(dict.fromkeys(re.findall(r"\w+", plain)))[:_MOST_COMPARED]
    if sum(word in shown for word in words) >= 0.95 * len(words):
        return rich
    return f"{plain}\n{rich}"


def _shown(mail: Message, name: str) -> str:
    if name == "Date" and (date := _date(mail)):
        return date
    return header_text(", ".join(str(value) for value in _all(mail, name)))


def _all(mail: Message, name: str) -> list[str]:
    return [str(value) for key, value in mail.raw_items() if key.lower() == name.lower()]


def _date(mail: Message) -> str:
    """Return the date as ``YYYY-MM-DD HH:MM:SS +ZZZZ``, or "" when it is none."""
    try:
        return parsedate_to_datetime(" ".join(_all(mail, "Date"))).strftime("%Y-%m-%d %H:%M:%S %z").strip()
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""


def _name(part: Message) -> str:
    try:
        return clean_line(header_text(part.get_filename("") or ""))
    except (MessageError, ValueError, TypeError, LookupError):
        return ""


def _charset(part: Message) -> str:
    try:
        found = part.get_content_charset("") or ""
    except (MessageError, ValueError, TypeError, LookupError):
        return ""
    return found if codec_of(found) else ""
