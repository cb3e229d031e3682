"""Finds a document's title: a mail's subject, the heading of the first page, else the title in its properties."""

import re
from collections.abc import Sequence
from pathlib import PurePath

from archive.cataloguing.proposals import TEXT, Finding
from indexer import kinds
from indexer.finders.numbers import is_number
from indexer.finders.paper import Line, Paper, is_readable, stated
from indexer.finders.words import BODIES, CONTRACTS, ENDS_BODY, KINDS, TABLES, any_of

MAILS = frozenset({kinds.MAIL, kinds.MSG})
_NEAR_TOP = 14
_LONGEST = 60
_MOST_LINES = 4

_BRACKET = r"(?:[ \u3000]*[（(〔][^（()）]{1,20}[）)〕])?"
_ENGLISH = re.compile(
    r"\b(?:agreement|contract|lease|notice|minutes|memorandum|report|policy|procedure|plan|proposal|certificate|"
    r"application form|regulations|rules|manual|handbook|specification|invoice|guidelines|"
    r"summary|checklist|register)\b",
    re.IGNORECASE,
)
_ABOUT = re.compile("[关關]于|[关關]於")
_ABOUT_END = re.compile(rf".*(?:{KINDS}){_BRACKET}")
_CONTRACT_END = re.compile(rf"[^，。；：:、？！]*?(?:{CONTRACTS}){_BRACKET}")
_KIND_END = re.compile(rf"[^，。；：:？！]*?(?:{KINDS}|{TABLES}){_BRACKET}")
_BEGUN = re.compile(
    r"[一二三四五六七八九十]{1,3}、|[0-9]{1,3}[.、．)）]|第[0-9一二三四五六七八九十百]+[条條章节節款]|[（(][0-9一二三四五六七八九十]{1,3}[）)]|"
    r"[•·●■◆○▪\-–—|]|https?:|请(?!示)|請(?!示)|"
    + any_of("""
        根据 根據 按照 依照 依据 依據 为了 為了 为 经 經 本 该 此 以上 兹 茲 特此 附件 附： 附表 目录 目錄 现将
        我 贵 貴 见 您 你
    """)
)
"""How a line begins that is no title."""

_BEFORE = re.compile(
    r"[机機绝絕秘][密]?[ \u3000]*★.*|秘密|机密|绝密|内部(?:资料|文件)?|"
    r"特[ \u3000]*急|加[ \u3000]*急|急件|[0-9 \u3000]{1,8}|"
    r"附[ \u3000]*件[ \u3000]*[0-9一二三四五六七八九十]{0,3}[:：]?|"
    r"[（(].*[）)]|[-—_=*＊ ]{2,}|第?[ ]?[0-9]{1,4}[ ]?[页頁]?"
)
_LABELLED = re.compile(r"[^:：]{1,12}[:：].*")
_SET_APART = re.compile(r"(?:[\u3400-\u9fff][ ]){1,}[\u3400-\u9fff]")
_BARE = re.compile(rf"(?:{KINDS})")
_SENT_BY = re.compile(rf"{BODIES.pattern}[ \u3000]+[\u3400-\u9fff]{{1,3}}")
_RED_HEAD = re.compile(r".{2,40}(?:文件|檔案)")
_ADDRESSED = re.compile(r".{1,80}[:：]")
_JUNK = re.compile(
    r"microsoft (?:word|excel|powerpoint)|untitled|no(?:ne| title)?$|unknown|"
    r"(?:power ?point )?(?:presentation|演示文稿)\d*$|"
    r"(?:slide|幻灯片|投影片|document|文档|文件|book|工作簿|sheet|drawing|title|template|cover|页|第)[ _-]*\d+|"
    r"(?:title|标题|標題|template|模板|document|report|test|测试|temp|scan|扫描件|word ?文档)$|"
    r"无标题|無標題|未命名|新建|演示文稿|.*[\\/]|"
    r".*\.(?:docx?|xlsx?|pptx?|pdf|wps|et|dps|txt|rtf|html?|dwg|indd|qxd|tmp|ps|cdr|tif|jpg)\b|"
    r"[A-Za-z0-9_\-.]*$|<|\{",
    re.IGNORECASE,
)
"""Titles in properties that nobody wrote: names that programs give, and names of files."""

_NO_SUBJECT = re.compile(
    r"\(?no subject\)?|[（(]?无主题[）)]?|[（(]?無主旨[）)]?|(?:re|fwd?|回复|回覆|转发|轉寄|答复)[:：]?", re.IGNORECASE
)


def find_title(paper: Paper) -> Finding | None:
    """Return a document's title, or None."""
    if paper.media_type in MAILS:
        return _subject(paper)
    if paper.media_type == kinds.MAILBOX:
        return None
    return _heading(paper) or _property(paper)


def _subject(paper: Paper) -> Finding | None:
    for line in paper.head[:8]:
        name, colon, words = line.text.partition(": ")
        if name == "Subject" and colon:
            words = words.strip()
            at = line.text.index(words, len(name) + 1) if words else 0
            good = is_readable(words) and not _NO_SUBJECT.fullmatch(words)
            return line.found("title", "subject", at) if good else None
    return None


def _heading(paper: Paper) -> Finding | None:
    lines = _top(paper.head)
    for find in (_about, _contract, _kind, _english):
        for place in range(len(lines)):
            found = find(lines, place)
            if found:
                words = _joined(found)
                if 2 <= len(words) <= _LONGEST * 2 and is_readable(words):
                    rule = {_about: "title_about", _contract: "title_contract"}.get(find, "title_kind")
                    first, last = found[0], found[-1]
                    return Finding("title", words, rule, TEXT, first.page, first.start, last.end)
    return None


def _top(head: Sequence[Line]) -> list[Line]:
    """Return the lines in which a heading may stand: up to whom it is addressed to, or where sentences begin."""
    top: list[Line] = []
    for line in head[: _NEAR_TOP + 6]:
        if top and (_is_sentence(line.text) or (_ADDRESSED.fullmatch(line.text) and not is_number(line.text))):
            break
        top.append(line)
        if len(top) == _NEAR_TOP:
            break
    return top


def _is_sentence(text: str) -> bool:
    return len(text) > _LONGEST or text.endswith(("。", "；", ";", "，")) or "。" in text


def _about(lines: Sequence[Line], place: int) -> list[Line]:
    """Return the block that begins with 关于, or with who issues it, and ends in a kind of paper."""
    line = lines[place]
    about = _ABOUT.search(line.text)
    if about is None or _is_no_title(line) or not _is_before_about(line.text[: about.start()]):
        return []
    block: list[Line] = []
    for each in lines[place : place + _MOST_LINES]:
        if block and (not each.close or _is_no_title(each)):
            return []
        block.append(each)
        if _ABOUT_END.fullmatch(_joined(block)):
            if about.start() == 0 and place and line.close and _issues(lines, place - 1):
                return [lines[place - 1], *block]
            return block
    return []


def _is_before_about(words: str) -> bool:
    """Whether what stands before 关于 on a line is who issues the paper."""
    return not words or bool(ENDS_BODY.search(words.strip())) or words in {"转发", "轉發", "印发"}


def _issues(lines: Sequence[Line], place: int) -> bool:
    """Whether a line below the document's number names who issues it: it belongs to the title then."""
    above = lines[place - 1].text if place else ""
    return bool(ENDS_BODY.search(lines[place].text)) and is_number(above) and not _RED_HEAD.fullmatch(lines[place].text)


def _contract(lines: Sequence[Line], place: int) -> list[Line]:
    line = lines[place]
    if _is_no_title(line) or not _CONTRACT_END.fullmatch(_plain(line)):
        return []
    before = lines[place - 1] if place else None
    broken = re.fullmatch(CONTRACTS, line.text) is not None
    if before is None or not line.close or _is_no_title(before) or _RED_HEAD.fullmatch(before.text):
        return [] if broken else [line]
    joins = before is lines[0] and len(before.text) <= 24 and not ENDS_BODY.search(before.text)
    return [before, line] if joins and not re.search("[，。；：:]", before.text) else [] if broken else [line]


def _kind(lines: Sequence[Line], place: int) -> list[Line]:
    line = lines[place]
    if _is_no_title(line) or _RED_HEAD.fullmatch(line.text) or not _KIND_END.fullmatch(_plain(line)):
        return []
    if place == 0 and len(line.text) >= 3 and _BARE.fullmatch(_plain(line)):  # 承诺书, or 通　告
        return [line]
    earlier = [each for each in lines[:place] if not _may_precede(each)]
    short = len(_plain(line)) < 4 or _SENT_BY.fullmatch(line.text)
    return [] if short or len(earlier) > 1 or any(len(each.text) > _LONGEST for each in earlier) else [line]


def _english(lines: Sequence[Line], place: int) -> list[Line]:
    line = lines[place]
    words = line.text.split()
    if place > 3 or not 2 <= len(words) <= 12 or not line.text.isascii() or not _ENGLISH.search(line.text):
        return []
    if line.text[-1] in ".;,:?!" or re.search(r"[.?!:;<>{}=@]|https?", line.text) or not words[0][:1].isupper():
        return []
    big = [word for word in words if len(word) > 3 and word.isalpha()]
    return [line] if big and all(word[0].isupper() for word in big) else []


def _may_precede(line: Line) -> bool:
    text = line.text
    return bool(_BEFORE.fullmatch(text) or is_number(text) or BODIES.fullmatch(text) or _RED_HEAD.fullmatch(text))


def _is_no_title(line: Line) -> bool:
    text = line.text
    return bool(
        _BEGUN.match(text) or _BEFORE.fullmatch(text) or is_number(text) or _LABELLED.fullmatch(text)
        or len(text) > _LONGEST or "\t" in text or "|" in text or text.endswith(("。", "，", "；", "、", "…"))
    )  # fmt: skip


def _joined(lines: Sequence[Line]) -> str:
    """Return lines as one: Chinese without a blank between, and letters that were set apart to fill a line joined."""
    words = ""
    for line in lines:
        text = " ".join(line.text.split())
        apart = words[-1:].isascii() and text[:1].isascii() and words != ""
        words += (" " if apart else "") + text
    return words.replace(" ", "") if _SET_APART.fullmatch(words) else words


def _plain(line: Line) -> str:
    return _joined([line])


def _property(paper: Paper) -> Finding | None:
    words = " ".join(paper.title.split())
    stem = PurePath(paper.name).stem
    if len(words) < 4 or len(words) > 200 or not is_readable(words) or _JUNK.match(words):
        return None
    return None if words in {paper.name, stem} else stated("title", words, "file_title")
