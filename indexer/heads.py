"""Recognises by their first words what libmagic takes for plain text, or what it finds in plain text: mail, markup."""

import re

from indexer.extract.text import MARKS
from indexer.kinds import HTML, MAIL, MAILBOX, RTF, SVG, XHTML, XML, extension

_SEPARATOR = re.compile(rb"From [^\r\n]{0,100}\d\d:\d\d[^\r\n]{0,40}\d{4}[^\r\n]{0,40}\r?\n")
_SAVED_PAGE = re.compile(rb"MIME-Version:[^\r\n]*\r?\nContent-Type:\s*multipart/", re.IGNORECASE)
"""How Word and others begin a web page in one file (mht), whatever they call it."""

_HEADER = re.compile(rb"[!-9;-~]+[ \t]*:")
_MAIL_HEADERS = frozenset(
    b"from to cc date subject message-id mime-version received return-path content-type delivered-to sender reply-to "
    b"in-reply-to references dkim-signature content-transfer-encoding newsgroups x-mailer user-agent".split()
)
_TELLING = frozenset(b"from received message-id return-path dkim-signature mime-version x-mailer".split())
_PREAMBLE = re.compile(r"(?:\s+|<!--.*?-->|<\?.*?\?>|<!doctype[^>\[]*(?:\[.*?\]\s*)?>)*", re.DOTALL | re.IGNORECASE)
_ROOT = re.compile(r"<(?:[\w.-]+:)?([a-z][\w-]*)[\s/>]", re.IGNORECASE)
_WEB_ROOTS = {"html", "head", "body", "title", "meta", "script", "style", "link", "base"}
_WEB_PIECES = {
    "table",
    "div",
    "p",
    "span",
    "center",
    "font",
    "h1",
    "h2",
    "h3",
    "ul",
    "ol",
    "form",
    "a",
    "b",
    "br",
    "hr",
}
_WEB_NAMES = {"htm", "html", "xhtml", "shtml"}


def markup_kind(head: bytes, name: str) -> str | None:
    """Return the media type of HTML, XHTML, XML, SVG or RTF; None when the file begins as none of them.

    A piece of HTML without a head counts when the name says so too: Markdown may begin with it as well.
    """
    if head.lstrip()[:5] == b"{\\rtf":
        return RTF
    encoding, mark = next(((found, mark) for mark, found in MARKS if head.startswith(mark)), ("latin-1", b""))
    return _markup(head[len(mark) :].decode(encoding, "ignore"), extension(name))


def _markup(text: str, ending: str) -> str | None:
    if not text.lstrip().startswith("<"):
        return HTML if ending in _WEB_NAMES and re.search(r"</\w+>", text) else None
    preamble = _PREAMBLE.match(text)
    lead = preamble[0].lower() if preamble else ""
    found = _ROOT.match(text, len(lead))
    root = found[1].lower() if found else ""
    declared = "<?xml" in lead
    web = root in _WEB_ROOTS or (root in _WEB_PIECES and ending in _WEB_NAMES)
    if root == "html" or "<!doctype html" in lead or (web and not declared):
        return XHTML if declared else HTML
    if root == "svg":
        return SVG
    return XML if declared or (root and ending in {"xml", "xsd", "xsl"}) else None


def mail_kind(head: bytes, name: str = "") -> str | None:
    """Return the media type of a mail or a mailbox; None when the first lines are not a mail's.

    A mailbox begins with its line of sender and time, then headers or an empty line; a mail with headers alone, of
    which one tells a mail from a memorandum that someone typed.
    """
    separator = _SEPARATOR.match(head)
    if separator:
        rest = head[separator.end() :]
        return MAILBOX if rest[:1] in b"\r\n" or _HEADER.match(rest) else None
    return MAIL if _SAVED_PAGE.match(head) or _is_mail(head.lstrip(b"\xef\xbb\xbf\r\n"), name) else None


def _is_mail(head: bytes, name: str) -> bool:
    names: set[bytes] = set()
    for line in head.splitlines():
        if not line.strip():
            break
        if line[:1] in b" \t" and names:
            continue
        found = _HEADER.match(line)
        if not found:
            return False
        names.add(found[0][:-1].strip().lower())
    if extension(name) == "eml":  # a letter not yet sent
        return len(names & _MAIL_HEADERS) >= 2
    return len(names & _MAIL_HEADERS) >= 3 and bool(names & _TELLING)
