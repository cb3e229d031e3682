"""Plain text in any Chinese encoding, cut into pages of at most 4,000 characters.

A text file has no pages; passages and readers need some. A page ends at a form feed or, at the latest, at the last
line end before 4,000 characters, so the same bytes always give the same pages.
"""

import mmap
import re
from contextlib import suppress
from dataclasses import replace

import chardet

from indexer.extract.answer import Extracted, Reason, Unreadable
from indexer.extract.large import MOST_BYTES
from indexer.extract.paging import cut, paged

_SAMPLE_BYTES = 65_536
_LONG_LINE = 1_000_000
_SCORED_LETTERS = 4_000
_TORN_TAIL = 3
_WESTERN = "cp1252"
MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
_WIDE = frozenset({"utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"})
_EBCDIC = "cp500"
_ZEROS = re.compile(rb"\x00{16,}|\x00+\Z")
_HZ = re.compile(rb"~\{(?:[\x21-\x77][\x21-\x7e])+~\}")
_WEIGHED_LINES = 10_000  # of a longer file a line is only looked at closely where the usual encoding does not read it
_UTF8_CHINESE = re.compile(rb"(?:[\xe3-\xe9][\x80-\xbf]{2}|\xef[\xbc-\xbd][\x80-\xbf]){4}")
"""Four signs on end in UTF-8: as GBK they would be six rare ones."""

_COMMON_LEADS = {"gb18030": (0xB0, 0xD7), "big5hkscs": (0xA4, 0xC6)}  # lead bytes of each table's everyday half
_FREQUENT = frozenset(
    "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多"
    "天而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但"
    "身些与高意进把法此实回二理美点月明其种声全工己话儿者向情部正名定女问力机给等几很业最间新什打便位因重被走电四"
    "第门相次东政海口使教西再平真听世气信北少关并内加化由却代军产入先山五太水万市眼体别处总才场师书比住员九笑性通"
    "目华报立马命张活难神数件安表原车白应路期叫死常提感金何更反合放做系计或司利受光王果亲界及今京务制解各任至清物"
    "台象记边共风战干接它许八特觉望直服毛林题建南度统色字请交爱让认算论百吃义科怎元社术结六功指思非流每青管夫连远"
    "资队跟带花快条院变联言权往展该领传近留红治决周保达办运武半候七必城父强步完革深区即求品士转量空甚众技轻程告江"
    "這來個說們為時會過學對後麼沒於還發當無開經頭見動兩長樣現將與進實點種聲話兒問機給業間電門東聽氣關並內產萬體別"
    "處總場師書員報馬張難數車應親務記戰題統請愛讓認論義術結連資隊帶條變聯權領傳紅決達辦運強區轉眾輕檔號據備屬則"
    "规划档案住宅条例维修基金登责任章款项据单位居委产权费服安全设施县级府门规定应当依照，。、；：？！（）《》“”「」　"
)


_HANGUL = frozenset(
    "이다는에의하고을가지한사기로도인아어를은서자대해시리정보수일장부제과주니전원관있나무동안회공구성여라"
    "문계습합용그것으만상조약경조비실세들신연교생입내유물요선방불치차단개"
)
"""Of Korean letters, those that are frequent."""

_HAN = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uff5e]+")
_PLAIN = re.compile("[ -~\r\n\t\u0400-\u045f\u3041-\u30fe]")
_ASCII = re.compile(rb"[\t\n\f\r -~]+")
_WORDS = re.compile(rb"[^\x00-@\[-`{-\x7f\x85\x91-\x97\xa0\xab\xb9\xbb]+")
_SHAPES = {
    "koi8-r": re.compile(rb"[\xe0-\xff\xb3]?[\xc0-\xdf\xa3]+|[\xe0-\xff\xb3]+"),
    "cp1251": re.compile(rb"[\xc0-\xdf\xa8]?[\xe0-\xff\xb8]+|[\xc0-\xdf\xa8]+"),
}
"""A Russian word by the two tables."""

_CYRILLIC = frozenset("оеаинтсрвлкмдпуя")


def extract_text(data: mmap.mmap | bytes, first_page: int | None = None, last_page: int | None = None) -> Extracted:
    """Decode a text file and return its pages ``first_page`` to ``last_page`` (both included, 1-based).

    Of a very large one the beginning is read, up to the end of a line.

    Raises:
        Unreadable: ``empty``, or ``unsupported`` when no encoding fits: the bytes may be whole all the same.
    """
    torn = len(data) > MOST_BYTES
    data = bytes(data[: _last_line(data) if torn else len(data)])
    if not data.strip(b"\x00\r\n\t ") or data in {mark for mark, _ in MARKS}:
        raise Unreadable(Reason.EMPTY)
    text = decoded(data)
    if text is None:
        raise Unreadable(Reason.UNSUPPORTED, "encoding")
    return replace(paged(cut(text.removeprefix("\ufeff")), first_page, last_page), cut=torn)


def _last_line(data: mmap.mmap | bytes) -> int:
    """Return where the last line ends that begins and ends in what is read, and for want of any where that ends."""
    return data.rfind(b"\n", MOST_BYTES - _LONG_LINE, MOST_BYTES) + 1 or MOST_BYTES


def decoded(data: bytes) -> str | None:
    """Return a whole file as text; None: it is none.

    Logs, and what was put together of several files, have lines in more than one encoding: those are read line by line.
    """
    encoding = guess_encoding(data)
    if encoding in _WIDE:
        return data.decode(encoding, "replace")
    if b"\x00" in data:
        data = _ZEROS.sub(b"", data)
    if encoding is None and _is_binary(data[:_SAMPLE_BYTES]):
        return None
    text = None if encoding is None else data.decode(encoding, "replace")
    if text is None or "\ufffd" in text or (encoding in _COMMON_LEADS and _UTF8_CHINESE.search(data)):
        return _by_lines(data, encoding) or text
    return text


def likely_words(data: bytes) -> str | None:
    """Return a few words, such as a name, by the encoding that makes them likely; None: they are in none of ours."""
    if _is_whole(data, "utf-8") and not _is_chinese_after_all(data):
        return data.decode()
    text, usual = _line(data, "")
    return text if usual else None


def guess_encoding(data: bytes) -> str | None:
    """Return the encoding in which ``data`` (a whole file, or its first bytes) is text; None: it is no text."""
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return encoding if _decodes(data, encoding) else None
    sample = data[:_SAMPLE_BYTES]
    if wide := _wide(sample):
        return wide
    if b"\x00" in sample:
        data = sample = _ZEROS.sub(b"", sample)  # a machine that stopped leaves blocks of them in its log
    if not sample or b"\x00" in sample:
        return None
    return _narrow(data, sample)


def _narrow(data: bytes, sample: bytes) -> str | None:
    """Choose among encodings that write ASCII, or what stands for it, in one byte."""
    utf8 = _decodes(sample, "utf-8") and _fits(data, "utf-8") and not _is_chinese_after_all(sample)
    switched = _escaped(sample) or (None if utf8 or not _is_ebcdic(sample) else _EBCDIC)
    if switched or _is_binary(sample):
        return switched
    if utf8:
        return "utf-8"
    accented = _is_accented(sample)
    return (None if accented else _eastern(data, sample)) or _other(sample, accented=accented)


def _is_chinese_after_all(sample: bytes) -> bool:
    """Whether a few signs of GBK pass for letters of UTF-8, as those of 通知 do: all are frequent, and no two alike."""
    if (
        len(sample) > 64
        or max(sample.decode("utf-8", "ignore"), default="") >= "\u0800"
        or b"\xc2" in sample  # the lead of spaces and dots in UTF-8
        or any(len(run) < 4 for run in re.findall(rb"[\x80-\xff]+", sample))  # one accent among plain letters
        or not _is_whole(sample, "gbk")
    ):
        return False
    signs = [sign for sign in sample.decode("gbk") if sign >= "\x80"]
    return len(set(signs)) > 1 and _FREQUENT.issuperset(signs)


def _by_lines(data: bytes, encoding: str | None) -> str | None:
    """Decode each line by itself; None where more of it is lost than in one ``encoding``, or it is no text at all."""
    lines: list[str] = []
    wrong = length = 0
    usual = encoding if encoding in _COMMON_LEADS else ""
    for at, line in enumerate(data.split(b"\n")):
        if at > _WEIGHED_LINES and usual and _is_whole(line, usual):
            text = line.decode(usual)
        else:
            text, usual = _line(line, usual)
        lines.append(text)
        wrong += text.count("\ufffd")
        length += len(text)
    if encoding is not None:
        return "\n".join(lines) if wrong <= data.decode(encoding, "replace").count("\ufffd") else None
    return "\n".join(lines) if wrong <= length // 50 else None


def _line(line: bytes, usual: str) -> tuple[str, str]:
    """Return a line as text, and the encoding of its Chinese, which the next in doubt is taken for."""
    with suppress(UnicodeDecodeError):
        text = line.decode()
        if line.isascii() or _UTF8_CHINESE.search(line) or not (usual or _is_chinese_after_all(line)):
            return text, usual
    scores = {name: _frequency(line, name) for name in _COMMON_LEADS if _is_whole(line, name)}
    if not scores:
        return line.decode(usual or "utf-8", "replace"), usual
    best = max(scores, key=lambda name: (scores[name] + (0.1 if name == usual else 0), name == "gb18030"))
    return line.decode(best), best


def _is_whole(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _escaped(sample: bytes) -> str | None:
    """Recognise encodings of seven bits, whose Chinese or Japanese stands between signs of switching."""
    if b"\x1b$" in sample:
        return next((name for name in ("iso2022_jp_2", "iso2022_jp_ext", "iso2022_kr") if _decodes(sample, name)), None)
    if sample.isascii() and len(_HZ.findall(sample)) and _decodes(sample, "hz"):
        return "hz" if _frequency(sample.decode("hz", "ignore").encode("gb18030"), "gb18030") >= 0.12 else None
    return None


def _is_ebcdic(sample: bytes) -> bool:
    """Whether a text comes from a mainframe: its spaces are 0x40, its letters lie where ours have accents."""
    if sample.count(b"@") * 30 < len(sample) or b" " in sample:
        return False
    text = sample.decode(_EBCDIC, "replace")
    plain = sum(
        (letter.isascii() and (letter.isprintable() or letter in "\r\n\t")) or letter == "\x85" for letter in text
    )
    return plain >= 0.97 * len(text) and sum(map(str.isalpha, text)) >= 0.25 * len(text)


def _eastern(data: bytes, sample: bytes) -> str | None:
    """Choose between the two families of Chinese encodings by how much of the text is made of frequent signs.

    Japanese, Korean and Russian have bytes that pass for Chinese, in no likely words.
    """
    if japanese := _japanese(sample):
        return japanese
    scores = {name: _frequency(sample, name) for name in _COMMON_LEADS if _decodes(sample, name)}
    best = max(scores, key=lambda name: scores[name], default=None)
    if best is None or scores[best] < 0.5:
        if _is_korean(sample, scores.get("gb18030", 0.0)):
            return "cp949"
        if scores.get("gb18030", 0.0) < 0.25 and (russian := _russian(sample)):
            return russian
    if best is None or scores[best] < 0.08:
        return None
    return best if _fits(data, best) else None


def _japanese(sample: bytes) -> str | None:
    """Recognise Japanese by its kana. In Big5 the bytes of some are frequent signs: few have to be most of the text."""
    for name in ("euc_jp", "cp932"):
        letters = [letter for letter in sample[:_SCORED_LETTERS].decode(name, "ignore") if letter >= "\x80"]
        kana = sum("\u3041" <= letter <= "\u30fe" for letter in letters)
        few = kana >= 5 and kana * 2 >= len(letters) and _frequency(sample, "big5hkscs") < 0.8
        enough = kana >= 10 or few or (kana >= 3 and name == "cp932")
        if enough and kana >= 0.3 * len(letters) and _decodes(sample, name):
            return name
    return None


def _is_korean(sample: bytes, chinese: float) -> bool:
    """Whether a text is Korean: Chinese has signs beyond the leads of Hangul, and marks between them."""
    leads = re.findall(rb"[\xb0-\xc8][\xa1-\xfe]", sample)
    high = len(re.findall(rb"[\x80-\xff]", sample))
    if len(leads) < 5 or len(leads) * 2 < 0.97 * high or not _decodes(sample, "cp949"):
        return False
    often = sum(pair.decode("cp949") in _HANGUL for pair in leads) / len(leads)
    return (often >= 0.4 and often >= chinese + 0.15) or (len(leads) >= 10 and chinese < 0.3)


def _russian(sample: bytes) -> str | None:
    """Tell the two tables by where they keep small letters: a word has a capital at its beginning, or all through."""
    words = [word for word in _WORDS.findall(sample) if not word.isascii()]
    if sum(map(len, words)) < 8:
        return None
    shaped = [name for name, shape in _SHAPES.items() if all(map(shape.fullmatch, words))]
    common = {name: sum(letter in _CYRILLIC for letter in sample.decode(name, "replace").lower()) for name in shaped}
    return max(common, key=lambda name: common[name], default=None)


def _other(sample: bytes, *, accented: bool) -> str | None:
    """Ask the statistics of ``chardet`` for what is neither Unicode nor plainly Chinese."""
    found = chardet.detect(sample)
    encoding, confidence = found.get("encoding"), found.get("confidence") or 0.0
    if encoding and encoding.lower() in {"gb2312", "gbk", "gb18030"}:
        encoding = "gb18030"
    sure = 0.3 if encoding and _is_alphabet(sample, encoding) else 0.5
    if encoding and confidence >= sure and _decodes(sample, encoding):
        return encoding
    if accented:
        return _WESTERN
    near = next((name for name in ("utf-8", "gb18030", "big5hkscs") if _nearly(sample, name)), None)
    return near or (_WESTERN if _is_western(sample) else None)


def _is_alphabet(sample: bytes, encoding: str) -> bool:
    """Whether what is beyond ASCII reads as Cyrillic or Greek words."""
    letters = [letter for letter in sample.decode(encoding, "replace") if letter >= "\x80"]
    return sum("\u0370" <= letter <= "\u052f" for letter in letters) >= 0.95 * len(letters)


def _frequency(sample: bytes, encoding: str) -> float:
    letters = [letter for letter in sample.decode(encoding, "ignore") if letter >= "\x80"][:_SCORED_LETTERS]
    if not letters:
        return 0.0
    frequent = sum(letter in _FREQUENT for letter in letters)
    first, last = _COMMON_LEADS.get(encoding, (1, 0))
    common = sum(first <= letter.encode(encoding, "replace")[0] <= last for letter in letters)
    private = sum("\ue000" <= letter <= "\uf8ff" for letter in letters)  # no one writes such: the table is another
    return (frequent + common / 8 - private) / len(letters)


def _decodes(data: bytes, encoding: str) -> bool:
    """Whether ``data`` decodes, its last character perhaps torn; what is nothing else is another encoding's."""
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        whole = data[: error.start]
        return len(data) - error.start <= _TORN_TAIL and (len(data) >= _SAMPLE_BYTES or not whole.isascii())
    except LookupError:
        return False
    return True


def _fits(data: bytes, encoding: str) -> bool:
    """Whether the rest of a file goes on as its sample began; a few flipped bytes are no reason to lose the rest."""
    if len(data) <= _SAMPLE_BYTES:
        return True
    text = data.decode(encoding, "replace")
    return text.count("\ufffd") <= max(1, len(text) // 1_000)


def _nearly(sample: bytes, encoding: str) -> bool:
    text = sample.decode(encoding, "replace")
    wrong = text.count("\ufffd")
    return wrong <= max(1, len(text) // 50) and _frequency(sample, encoding) >= 0.08


def _is_accented(sample: bytes) -> bool:
    """Whether what is beyond ASCII are single letters in Latin words, as no Chinese table has them."""
    beyond = re.findall(rb"[\x80-\xff]+", sample)
    single = sum(len(run) == 1 and run >= b"\xc0" for run in beyond)
    latin = len(re.findall(rb"[A-Za-z]", sample))
    return latin >= 3 and latin >= sum(map(len, beyond)) and single >= 0.6 * len(beyond)


def _is_western(sample: bytes) -> bool:
    """Whether all but a few signs are plain Latin: then the rest are accented letters of a Western table."""
    return sum(byte < 0x80 for byte in sample) >= 0.9 * len(sample)


def _wide(sample: bytes) -> str | None:
    """Recognise UTF-16 without its mark: the right side must read as frequent signs or plain letters.

    Without a line end or a Latin letter there is no zero in it; then all of it must be Chinese, three signs or more,
    and no plain word: ``This`` would be two.
    """
    if len(sample) < 4 or (len(sample) % 2 and len(sample) < _SAMPLE_BYTES):
        return None
    even = sample[: len(sample) & ~1]
    scores: dict[str, int] = {}
    for encoding in ("utf-16-le", "utf-16-be"):
        if not _decodes(even, encoding):
            continue
        text = even.decode(encoding, "ignore")
        if b"\x00" not in sample and (len(sample) < 6 or _ASCII.fullmatch(sample) or not _HAN.fullmatch(text)):
            continue
        good = sum(letter in _FREQUENT or bool(_PLAIN.match(letter)) for letter in text)
        if good >= (0.4 if b"\x00" in sample else 0.5) * len(text):
            scores[encoding] = good
    return max(scores, key=lambda name: scores[name], default=None)


def _is_binary(sample: bytes) -> bool:
    controls = len(re.findall(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]", sample))
    return controls > len(sample) // 200
