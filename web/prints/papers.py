"""What forms say of records, in plain words: a paper is a record as far as one person may see it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from web.prints.head_words import PAGING, PRINTED, heads
from web.words import size, translations, translator
from web.words.records import MEDIA, term_words, word

LONGEST_NOTE = 120


@dataclass(frozen=True)
class Paper:
    """A record on a form. Of one that is kept in custody alone, only number and level are given.

    ``drawn_up`` is a civil date as far as it is known, ``term`` a code, ``size`` the bytes of its files. ``open``: it
    may be named where everyone passes. ``first`` and ``last`` are its page numbers in the dossier,
    ``volumes`` how many volumes a dossier has, ``years`` those of its items ("": not known), ``inside`` the id of the
    dossier that an item lies in.
    """

    number: str
    level_rank: int
    level: str
    shape: str
    fonds: str
    fonds_name: str = ""
    title: str = ""
    registration: str = ""
    document_number: str = ""
    responsible: str = ""
    drawn_up: str = ""
    category: str = ""
    department: str = ""
    term: str = ""
    pages: int | None = None
    medium: str = ""
    notes: str = ""
    filed: str = ""
    size: int = 0
    dossier: bool = False
    open: bool = True
    first: int | None = None
    last: int | None = None
    volumes: int = 1
    years: str = ""
    inside: str = ""
    id: str = ""

    @property
    def year(self) -> str:
        """The year it was drawn up in, or ""."""
        return self.drawn_up[:4]

    @property
    def serial(self) -> str:
        """The last part of its number."""
        return self.number.rpartition("-")[2]


@dataclass(frozen=True)
class Holding:
    """A dossier, or one of its volumes, with those of its items that the person sees, in order.

    ``volume`` and ``volumes`` are 0 where it is not divided. ``later``: what changed since it was filed, as day, what
    happened (``web.prints.later``) and number; only a closing note has it.
    """

    dossier: Paper
    items: Sequence[Paper]
    volume: int = 0
    volumes: int = 0
    later: Sequence[tuple[str, str, str]] = ()


@dataclass(frozen=True)
class Words:
    """The language of a form, the day it is printed, and who prints it."""

    locale: str
    today: date
    person: str = ""
    department: str = ""
    house: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def said(self, message: str, **facts: Any) -> str:
        """Return a message in the form's language."""
        return translator(self.locale)(message, **facts)

    def many(self, one: str, more: str, number: int) -> str:
        """Return a message that counts, with ``%(num)d``."""
        return str(translations(self.locale).ngettext(one, more, number) % {"num": number})

    def term(self, code: str) -> str:
        """Return a retention term; "" for none."""
        return term_words(code, self.locale) if code else ""

    def medium(self, value: str) -> str:
        """Return what carries a paper."""
        return word(MEDIA, value, self.locale)

    def data(self, title: str, sheets: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return what a template reads as ``data`` (see docs/formats/forms.md)."""
        highest = max(sheets, key=lambda each: each.get("level_rank", 0), default={})
        return {
            "title": title,
            "lang": "en" if self.locale == "en" else "zh",
            "region": {"zh_CN": "cn", "zh_TW": "tw"}.get(self.locale),
            "colon": ": " if self.locale == "en" else "：",
            "paging": self.said(PAGING),
            "house": self.house,
            "printed": self.said(PRINTED, day=self.today.isoformat(), person=self.person),
            "words": heads(self.locale),
            "level": highest.get("level", ""),
            "shape": highest.get("shape", ""),
            "thickness": 20,
            **self.options,
            "sheets": sheets,
        }


def day8(drawn_up: str) -> str:
    """Write a civil date in eight digits, or as many as are known."""
    return drawn_up.replace("-", "")


def span(values: Iterable[str]) -> str:
    """Write the first and the last of some dates or years."""
    known = sorted(each for each in values if each)
    if not known:
        return ""
    return known[0] if known[0] == known[-1] else f"{known[0]}–{known[-1]}"


def counted(number: int | None) -> str:
    """Write a count; "" where nobody counted."""
    return "" if number is None else str(number)


def pages_of(papers: Iterable[Paper]) -> str:
    """Write how many pages papers have together, as far as they are counted."""
    counted = [each.pages for each in papers if each.pages is not None]
    return str(sum(counted)) if counted else ""


def highest(papers: Iterable[Paper]) -> dict[str, Any]:
    """Return the mark of the highest level among papers."""
    found = max(papers, key=lambda each: each.level_rank, default=None)
    if found is None:
        return {"level_rank": 0, "level": "", "shape": ""}
    return {"level_rank": found.level_rank, "level": found.level, "shape": found.shape}


def notes(paper: Paper) -> str:
    """Return a paper's remarks, cut where they would fill a column."""
    one_line = " ".join(paper.notes.split())
    return one_line if len(one_line) <= LONGEST_NOTE else one_line[:LONGEST_NOTE] + "…"


def fonds_words(paper: Paper) -> str:
    """Return code and name of a paper's fonds."""
    return f"{paper.fonds} {paper.fonds_name}".strip()


def by_fonds(papers: Sequence[Paper]) -> list[list[Paper]]:
    """Part papers by their fonds, in the order in which they come."""
    parts: dict[str, list[Paper]] = {}
    for each in papers:
        parts.setdefault(each.fonds, []).append(each)
    return list(parts.values())


def bytes_of(papers: Iterable[Paper]) -> str:
    """Write the size of all files together; "" where there are none."""
    total = sum(each.size for each in papers)
    return size(total) if total else ""
