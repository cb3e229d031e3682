"""Has every parser read a little before the walls stand: what a library loads only when it needs it, is loaded then."""

from contextlib import suppress

from indexer import kinds
from indexer.extract.answer import Unreadable
from indexer.extract.charset import decode
from indexer.extract.parsers import PARSERS

_MAIL = (
    "From: =?gb2312?B?tbWwuA==?= <a@b.example>\r\nTo: =?utf-8?Q?=E6=A1=A3?= <c@d.example>\r\nDate: Tue, 5 Mar 2024 "
    "10:20:30 +0800\r\nSubject: =?big5?B?wMm+1w==?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
    'boundary="b"\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    "PHA+eDwvcD4=\r\n--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n"
    "Content-Disposition: attachment; filename*=utf-8''%E6%A1%A3.txt\r\n\r\n=E6\r\n--b\r\nContent-Type: text/plain\r\n"
    "Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\r\n#86)C\r\n`\r\nend\r\n--b--\r\n"
)
_SAMPLES = {
    kinds.HTML: "<title>t</title><table><tr><td>a<td>b</table>",
    kinds.XML: "<a>b<c",
    kinds.SVG: '<!DOCTYPE a [<!ENTITY x "y">]><svg xmlns="http://www.w3.org/2000/svg"><title>&x;</title></svg>',
    kinds.RTF: r"{\rtf1\ansi\ansicpg936{\fonttbl{\f0\fcharset134 a;}}\f0 \'b5\'b5\u26723?}",
    kinds.MAIL: _MAIL,
    kinds.MAILBOX: "From a@b Tue Mar  5 10:20:30 2024\n" + _MAIL,
}


def warm_up() -> None:
    """Parse the smallest file of each kind, and a broken one of each."""
    for kind, parse in PARSERS.items():
        for sample in (_SAMPLES.get(kind, ""), "\x00broken"):
            with suppress(Unreadable, Exception):
                parse(sample.encode(), None, None)
    decode("é".encode("cp1252") * 20, "iso-8859-1")
