"""Finds a document's own number: 文号 of its issuer, a contract's number, a number behind its label."""

import re
from collections.abc import Sequence

from archive.cataloguing.proposals import NUMBER, Finding
from indexer.finders.paper import Line, Paper, is_readable

_HEAD_LINES = 25
_S = r"[ \u3000]{0,2}"
_HAN = r"[\u3400-\u9fff]"
_YEAR = rf"[〔\[（(［【]{_S}(?:19|20)[0-9]{{2}}{_S}[〕\]）)］】]"
_DIGITS = "[0-9０-９○〇零一二三四五六七八九十百千]"
_ISSUED = (
    rf"{_HAN}{{1,16}}{_S}{_YEAR}{_S}第?{_S}[0-9０-９]{{1,5}}{_S}[号號]",  # 国办发〔2024〕12号
    rf"{_HAN}{{1,14}}字{_S}第{_S}{_DIGITS}{{1,12}}{_S}[号號]",  # 府授人字第1130012345號
    rf"{_YEAR}{_S}{_HAN}[0-9]{{0,5}}{_HAN}{{1,6}}[0-9]{{1,6}}{_S}[号號]",  # （2023）京01民终123号
)
_ALONE = re.compile(rf"(?P<n>{'|'.join(_ISSUED)})(?:[ \t\u3000]+(?:签发人|簽發人)[ \u3000]*[:：].*)?")
_BODY = re.compile("根据|根據|按照|依照|依据|依據|参照|參照|关于|關於|见|見")
_LABELS: Sequence[re.Pattern[str]] = tuple(
    re.compile(rf"(?:^|(?<=[\s（(]))(?:{words})[ \t\u3000]*[:：][ \t\u3000]*(?P<n>{value})(?=$|[\s)）])", flags)
    for words, value, flags in (
        (r"文[ \u3000]*[号號]|[发發]文字[号號]", rf"{'|'.join(_ISSUED)}|[^\s:：]{{2,40}}", 0),
        (r"(?:合同|协议|協議|合約|契約)(?:书|書)?[ \u3000]*(?:编号|編號|号|號)", r"[^\s:：]{2,40}", 0),
        (r"(?:contract|agreement|document|reference|ref)\.?[ ]?(?:no|number)?\.?", r"[^\s:：]{2,40}", re.IGNORECASE),
        (r"(?:文件|档案|檔案)?(?:编[ \u3000]*号|編[ \u3000]*號)", r"[^\s:：]{2,40}", 0),
    )
)
"""By worth: what a better label says goes before."""

_VALUE = re.compile(r"(?=.*[0-9０-９])[0-9A-Za-z０-９\u3400-\u9fff〔〕\[\]［］【】()（）\-—–_/.·]+")
_NO_NUMBER = re.compile(r"_{2,}|\.{3,}|-{3,}|^(?:19|20)\d\d[-/.年]\d{1,2}[-/.月]\d{1,2}日?$")


def find_number(paper: Paper) -> Finding | None:
    """Return a document's number, or None: where two differ, and neither has a better place, there is none."""
    head = paper.head[:_HEAD_LINES]
    return _only([found for line in head for found in _alone(line)]) or _labelled(head)


def is_number(text: str) -> bool:
    """Whether a line is a document's number and nothing else."""
    return _ALONE.fullmatch(text) is not None or any(label.match(text) for label in _LABELS)


def _alone(line: Line) -> list[Finding]:
    match = _ALONE.fullmatch(
        line.text.strip("（）()") if line.text[:1] in "（(" and "）" not in line.text[:7] else line.text
    )
    if match is None or _BODY.search(line.text) or not is_readable(line.text):
        return []
    at = line.text.index(match["n"])
    return [line.found(NUMBER, "number_head", at, at + len(match["n"]))]


def _labelled(head: Sequence[Line]) -> Finding | None:
    for label in _LABELS:
        found = []
        for line in head:
            for match in label.finditer(line.text):
                words = (
                    match["n"].rstrip(".。）)") if match["n"].count("（") + match["n"].count("(") == 0 else match["n"]
                )
                if _VALUE.fullmatch(words) and not _NO_NUMBER.search(words):
                    found.append(line.found(NUMBER, "number_label", match.start("n"), match.start("n") + len(words)))
        if found:
            return _only(found)
    return None


def _only(found: Sequence[Finding]) -> Finding | None:
    return found[0] if found and len({each.value for each in found}) == 1 else None
