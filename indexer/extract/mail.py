"""Text of mails (eml, mht) and mailboxes: who, when and about what in the first lines, the words, then attachments."""

import email
import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.errors import HeaderParseError, MessageError
from email.header import decode_header
from email.message import Message
from email.utils import parsedate_to_datetime

from indexer import kinds
from indexer.extract.answer import Extracted, Reason, Unreadable
from indexer.extract.charset import codec_of, decode
from indexer.extract.cleaning import clean_line
from indexer.extract.markup import html_text
from indexer.extract.paging import cut, paged

_SHOWN = ("From", "To", "Cc", "Bcc", "Date", "Subject")
_MOST_NESTED, _MOST_PARTS, _MOST_COMPARED = 50, 10_000, 2_000
_WORDS = re.compile(r"=\?[^?\s]+\?[bBqQ]\?[^?]*\?=(?:\s+(?==\?)|=\?[^?\s]+\?[bBqQ]\?[^?]*\?=)*")
_MAIL_CHARS = 40_000
_TEXT_NAMES = (".txt", ".csv", ".md", ".log")
_HTML_NAMES = (".htm", ".html")
_SEPARATOR = re.compile(rb"^From [^\r\n]{0,100}\d\d:\d\d[^\r\n]{0,40}\d{4}[^\r\n]{0,40}\r?\n", re.MULTILINE)
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)


@dataclass
class Letter:
    """A mail, whatever wrote it.

    Attributes:
        heads: name and words of each line above the text.
        plain: the text as plain text, or "".
        rich: the text as it was laid out, or "".
        attached: name and words (or "") of each attachment.
    """

    heads: list[tuple[str, str]] = field(default_factory=list)
    plain: str = ""
    rich: str = ""
    attached: list[tuple[str, str]] = field(default_factory=list)

    def text(self) -> str:
        """Return all of it as a text to read."""
        lines = [f"{name}: {words}" for name, words in self.heads if words]
        parts = ["\n".join(lines), _together(self.plain, self.rich)]
        parts += [f"{name}\n{words.strip()}".strip() for name, words in self.attached]
        return "\n\n".join(part for part in parts if part)


def extract_mail(data: mmap.mmap | bytes, first_page: int | None = None, last_page: int | None = None) -> Extracted:
    """Return the pages ``first_page`` to ``last_page`` (both included, 1-based) of one mail.

    Raises:
        Unreadable: ``bomb`` (mails within mails without end), ``encrypted``.
    """
    mail = _parsed(bytes(data))
    if _is_locked(mail):
        raise Unreadable(Reason.ENCRYPTED)
    title = clean_line(header_text(str(mail.get("Subject", ""))))
    return paged(cut(_mail_text(mail)), first_page, last_page, title=title, created=_date(mail)[:10])


def extract_mailbox(data: mmap.mmap | bytes, first_page: int | None = None, last_page: int | None = None) -> Extracted:
    """Return the pages asked for of a mailbox: each of its mails is a page, a very long one more.

    Raises:
        Unreadable: ``bomb``.
    """
    return paged(_mailbox_pages(bytes(data), first_page or 1, last_page), first_page, last_page)


def attached_text(name: str, media_type: str, data: bytes, charset: str = "") -> str:
    """Return the words of an attachment that is text or HTML; "" for any other."""
    lower = name.lower()
    if media_type == kinds.HTML or lower.endswith(_HTML_NAMES):
        return rich_text(data, charset)
    if kinds.is_plain_text(media_type) or lower.endswith(_TEXT_NAMES):
        return decode(data, charset)
    return ""


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


def _parsed(data: bytes) -> Message:
    try:
        return email.message_from_bytes(data)
    except RecursionError as error:
        raise Unreadable(Reason.BOMB, "depth") from error


def _mailbox_pages(data: bytes, first: int, last: int | None) -> Iterator[str]:
    """Yield the pages of all mails; of a mail that is surely one page and not asked for, no more than that it is one.

    A mailbox is read slice by slice: without this, each slice would parse every mail.
    """
    starts = [match for match in _SEPARATOR.finditer(data) if _begins_mail(data, match.start())]
    ends = [match.start() for match in starts[1:]] + [len(data)]
    number = 1
    for match, end in zip(starts, ends, strict=True):
        if end - match.end() < _MAIL_CHARS - 1_000 and (number < first or number > (last or number)):
            pages = [""]  # its words are never more than its bytes, but for what a date may grow
        else:
            mail = _parsed(_QUOTED.sub(rb"\1", data[match.end() : end]))
            pages = list(cut(_mail_text(mail).replace("\x0c", "\n"), _MAIL_CHARS))
        yield from pages
        number += len(pages)


def _begins_mail(data: bytes, at: int) -> bool:
    return at == 0 or data[max(0, at - 4) : at].replace(b"\r", b"").endswith(b"\n\n")


def _mail_text(mail: Message, depth: int = 0) -> str:
    letter = Letter([(name, _shown(mail, name)) for name in _SHOWN])
    for number, (part, nested) in enumerate(_parts(mail)):
        if number > _MOST_PARTS or depth + nested > _MOST_NESTED:
            raise Unreadable(Reason.BOMB, "depth")
        _take(letter, part, depth + nested)
    return letter.text()


def _parts(mail: Message) -> Iterator[tuple[Message, int]]:
    """Yield the leaves of a mail and how deep each lies; a mail within it is a leaf."""
    waiting = [(mail, 0)]
    while waiting:
        part, depth = waiting.pop()
        inner = part.get_payload()
        if isinstance(inner, list) and part.get_content_type() != kinds.MAIL:
            waiting += [(each, depth + 1) for each in reversed(inner) if isinstance(each, Message)]
        else:
            yield part, depth


def _take(letter: Letter, part: Message, depth: int) -> None:
    inner = part.get_payload()
    if isinstance(inner, list):
        letter.attached += [("", _mail_text(each, depth + 1)) for each in inner if isinstance(each, Message)]
        return
    kind, name, charset = part.get_content_type(), _name(part), _charset(part)
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    if name or part.get_content_disposition() == "attachment":
        letter.attached.append((name, attached_text(name, kind, data, charset)))
    elif kind == kinds.HTML:
        letter.rich += rich_text(data, charset) + "\n"
    elif kinds.is_plain_text(kind):
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


def _is_locked(mail: Message) -> bool:
    kind = mail.get_content_type()
    sealed = kind.endswith("pkcs7-mime") and "enveloped" in str(mail.get_param("smime-type", ""))
    return sealed or kind == "multipart/encrypted"
