"""Finds who answers for a document: who signed, issued, wrote or sent it."""

import re
from collections.abc import Sequence

from archive.cataloguing.proposals import Finding
from indexer import kinds
from indexer.finders.dates import Signed, date_at_end
from indexer.finders.paper import Line, Paper, is_readable, stated
from indexer.finders.titles import MAILS
from indexer.finders.words import BODIES, any_of

_HEAD_LINES = 25
_B = r"(?:[ \u3000]*[（(][^（()）]{1,16}[）)])?"
_PARTY = re.compile(
    r"(?:甲[ \u3000]*方|发包方|發包方|发包人|委托方|委託方|出租方|出租人|采购人|立約人甲方)"
    rf"{_B}[ \u3000]*[:：][ \t\u3000]*(?P<n>[^\s:：].*)"
)
_OTHER_PARTY = re.compile(r"[乙丙丁][ \u3000]*方")
_LABELS = re.compile(
    r"(?:作[ \u3000]*者|编[ \u3000]*制(?:人|单位)?|編[ \u3000]*製(?:人|單位)?|编写(?:人|单位)?|"
    + any_of("""
        拟稿人? 擬稿人? 起草人 撰稿人? 撰写人? 签发人 簽發人 发文机关 發文機關 发布机关 制定机关 报告人 報告人
        汇报人 申请人 申請人 填报(?:人|单位) 填表人 承办(?:人|单位)
    """)
    + r"|author|prepared[ ]by|issued[ ]by|written[ ]by)[ \u3000]*[:：][ \t\u3000]*(?P<n>[^\s:：].*)",
    re.IGNORECASE,
)
_SENDER = re.compile(r"From: [\"']?(?P<n>[^\"<>]+?)[\"']?[ ]*(?:<[^<>]*>)?(?:;.*)?")
_RED_HEAD = re.compile(r"(?P<n>.{2,38}?)[ \u3000]*文[ \u3000]?件")
_UP_TO = re.compile(
    r"[ \u3000]{2,}|\t|[ \u3000]+(?=乙方|签章|（|\(|日期|电话|地址)|"
    r"[，。；;|]|（(?:盖|蓋|签|簽|以下|下称)|\((?:盖|以下)|_{2,}"
)
"""Where a name ends and something else begins."""

_NAME = re.compile(r"[\u3400-\u9fffA-Za-z0-9（）()·.\- ]{2,40}")
_JUNK = re.compile(
    r"[a-z0-9._\-]+|[A-Z]{1,3}|.*\d{3,}.*|.*@.*|.*(?:pdf|word|office|wps).*|admin.*|.*administrator.*|.*user.*|"
    r"microsoft.*|微软.*|用户|雨林木风|番茄花园|深度.*|(?:lenovo|dell|hp|acer|asus|pc).*|thinkpad|"
    r"owner|author|unknown|apache poi|作者|匿名|系统管理员",
    re.IGNORECASE,
)
"""Authors in properties that are no person: logins, machines, and what programs put there."""

_SIGN_WORDS = re.compile("特此|此致|敬[礼禮]|以上|妥否|当否|附件|联系|此复|盖章|蓋章|签字|簽字|页|抄送|印发")


def find_responsible(paper: Paper, signed: Signed | None) -> Finding | None:
    """Return the person or body that answers for a document, or None (``signed``: as for ``find_date``)."""
    if paper.media_type in MAILS:
        return _sender(paper)
    if paper.media_type == kinds.MAILBOX:
        return None
    head = paper.head[:_HEAD_LINES]
    return (
        _only([*_behind(_PARTY, head, "party")])
        or _signed(paper, signed)
        or _issuer(head)
        or _only([*_behind(_LABELS, head, "labelled")])
        or _author(paper)
    )


def _sender(paper: Paper) -> Finding | None:
    for line in paper.head[:4]:
        match = _SENDER.fullmatch(line.text)
        if match:
            good = is_readable(match["n"]) and len(match["n"]) <= 100
            return line.found("responsible", "sender", *match.span("n")) if good else None
    return None


def _behind(label: re.Pattern[str], head: Sequence[Line], rule: str) -> list[Finding]:
    found = []
    for line in head:
        match = label.match(line.text)
        if match is None:
            continue
        words = _UP_TO.split(match["n"], maxsplit=1)[0].strip()
        if _NAME.fullmatch(words) and is_readable(words) and not _OTHER_PARTY.match(words):
            at = match.start("n")
            found.append(line.found("responsible", rule, at, at + len(words)))
    return found


def _signed(paper: Paper, signed: Signed | None) -> Finding | None:
    """Return the body on the line above the date of signing, or before it on its own line."""
    if signed is None:
        last = paper.tail[-3:]
        for line in reversed(last):
            at = date_at_end(line, paper.today)
            words = line.text[: at or 0].rstrip()
            if words and BODIES.fullmatch(words) and not _SIGN_WORDS.search(words):
                return line.found("responsible", "signed_before", 0, len(words))
        return None
    above = signed[1]
    bodies = [line for line in above if _is_signature(line)]
    return bodies[0].found("responsible", "signed_above") if bodies and above[-1:] == bodies else None


def _is_signature(line: Line) -> bool:
    return bool(BODIES.fullmatch(line.text)) and not _SIGN_WORDS.search(line.text) and is_readable(line.text)


def _issuer(head: Sequence[Line]) -> Finding | None:
    for line in head[:6]:
        match = _RED_HEAD.fullmatch(line.text)
        if match and BODIES.fullmatch(match["n"]):
            return line.found("responsible", "issuer", *match.span("n"))
    return None


def _author(paper: Paper) -> Finding | None:
    words = " ".join(paper.author.split())
    if not 2 <= len(words) <= 40 or not is_readable(words) or _JUNK.fullmatch(words):
        return None
    return stated("responsible", words, "file_author")


def _only(found: Sequence[Finding]) -> Finding | None:
    return found[0] if found and len({each.value for each in found}) == 1 else None
