"""Made-up descriptions and papers. The same seed makes the same archive; no real person's data is in it."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from archive.cataloguing.describing import Draft
from archive.model import Category, Medium, PlaceKind
from archive.scheme.fields import FieldDef, FieldKind, parse_fields
from runtime.demo.setting import set_file
from runtime.demo.texts import Paper, ledger_sum, write
from runtime.demo.world import Facts, Spot, World, known

FIRST_DAY = date(2016, 1, 4)
DAYS_A_YEAR = 360
YEARS = 11
LARGEST_FOLDER = 25
MOST_TITLES = 100_000
"""So many titles are kept apart by a running number; in a larger archive some are alike, as in life."""

OF_A_ROOM = {"owner", "household", "tenant", "floor", "area", "layout", "purchased_on"}
"""Fields that only a paper about a room has."""


@dataclass(frozen=True)
class Ground:
    """Where demonstration records are made: a fonds with its categories, places and departments.

    ``kind`` says which list of papers it takes, ``body`` who signs them.
    """

    fonds_id: UUID
    categories: Sequence[tuple[Category, Sequence[FieldDef]]]
    spots: Sequence[Spot]
    departments: Sequence[UUID]
    kind: str = "property"
    body: str = "和园物业服务有限公司"


@dataclass(frozen=True)
class Line:
    """One line of ``papers.yaml``: genre, the kind of place (None: the house), the fact that dates it, the title."""

    genre: str
    at: PlaceKind | None
    dated: str
    title: str


@dataclass(frozen=True)
class Made:
    """A description, and what its paper says."""

    draft: Draft
    genre: str
    paper: Paper


class Writer:
    """Makes drafts and papers; none is dated after ``today``."""

    def __init__(self, seed: int = 20261122, today: date = date.max) -> None:
        self._today = today
        self._random = random.Random(seed)
        self._world = World(20261122)
        self._folders: dict[UUID, tuple[int, tuple[Category, Sequence[FieldDef]], int]] = {}
        self._titles: dict[str, int] = {}

    def draft(self, ground: Ground, number: int) -> Draft:
        """Make the description of one record."""
        return self.make(ground, number).draft

    def make(self, ground: Ground, number: int) -> Made:
        """Make one record: its description, and its paper."""
        rnd = self._random
        (category, fields), year = self._folder(ground, number)
        line = rnd.choice(papers(ground.kind).get(category.code, OTHER))
        spot = rnd.choice(_of_kind(ground, line.at))
        facts = self._world.facts(spot, self._day(year), number, rnd)
        if line.dated:
            facts.moved(min(facts[line.dated], self._today))
            facts["supplied_year"] = (facts.day + timedelta(days=31)).year
        if concluded := PARTIES.get(category.code):
            facts.update(concluded(facts, ground.body))
        title = self._apart(line.title.format_map(facts))
        _agree(facts, line.genre, title)
        values = self._values(fields, category.required, facts)
        said = {f.names["zh_CN"]: values[f.name] for f in fields if f.name in values}
        whole = rnd.random() < 0.9 or (facts.day.year, facts.day.month) == (self._today.year, self._today.month)
        draft = Draft(
            fonds_id=ground.fonds_id,
            category_id=category.id,
            title=title,
            responsible=rnd.choice(("工程部", "客户服务部", "办公室", "项目管理处")),
            drawn_up=facts.day.isoformat() if whole else facts.day.strftime("%Y-%m"),
            medium=Medium.BOTH if line.genre in ON_PAPER else Medium.ELECTRONIC,
            level_rank=rnd.choices((category.level_rank, 2, 3, 4), (82, 10, 6, 2))[0],
            place_id=None if line.at is None else spot.id,
            department_id=rnd.choice(ground.departments),
            pages=rnd.randrange(1, 12),
            keywords=(category.names["zh_CN"],) if category.names else (),
            importance=2 if category.term == "Y" else None,
            fields=values,
        )
        return Made(draft, line.genre, write(line.genre, title, facts, ground.body, said))

    def file(self, made: Made) -> tuple[str, bytes]:
        """Set a record's paper as a file: its name and bytes."""
        ending, data = set_file(made.genre, made.paper, self._random)
        return f"{made.draft.title.replace('/', '-')[:80]}.{ending}", data

    def _day(self, year: int) -> date:
        day = FIRST_DAY.replace(year=year) + timedelta(days=self._random.randrange(DAYS_A_YEAR))
        while day > self._today:
            day -= timedelta(days=364)
        return day

    def _apart(self, title: str) -> str:
        before = self._titles.get(title, 0)
        if before or len(self._titles) < MOST_TITLES:
            self._titles[title] = before + 1
        return f"{title}之{before + 1}" if before else title

    def _folder(self, ground: Ground, number: int) -> tuple[tuple[Category, Sequence[FieldDef]], int]:
        """Choose category and year: of a large archive, neighbours come out of one folder, as in life."""
        left, kind, year = self._folders.get(ground.fonds_id, (0, ground.categories[0], 0))
        if not left:
            kind, year = self._random.choice(ground.categories), FIRST_DAY.year + self._random.randrange(YEARS)
            left = min(LARGEST_FOLDER, 1 + number // 500)
        self._folders[ground.fonds_id] = (left - 1, kind, year)
        return kind, year

    def _values(self, fields: Sequence[FieldDef], required: Sequence[str], facts: Facts) -> dict[str, str]:
        values = {}
        for field in fields:
            must = field.required or field.name in required
            if must or (field.name not in OF_A_ROOM) or facts.spot.kind is PlaceKind.ROOM:
                value = self._value(field, facts)
                if value is not None:
                    values[field.name] = value
        return values

    def _value(self, field: FieldDef, facts: Facts) -> str | None:
        if field.kind is FieldKind.IDENTITY:
            return None  # nobody's number is made up
        if field.kind is FieldKind.CHOICE:
            return self._random.choice(list(field.choices))
        if known(field.name):
            return str(facts[field.name])
        return facts.day.isoformat() if field.kind is FieldKind.DATE else None


ON_PAPER = frozenset({"contract", "form", "letter", "scan", "certificate", "drawing"})
"""Genres of which the archive keeps the paper too."""

OTHER = (Line("report", None, "", "{year}年{matter}情况说明（{date}）"),)
"""For a category that ``papers.yaml`` does not name."""


@cache
def papers(kind: str) -> Mapping[str, Sequence[Line]]:
    """Return the papers of each category of a scheme."""
    document = yaml.safe_load((Path(__file__).parent / "papers.yaml").read_text("utf-8"))[kind]
    return {code: tuple(_line(text) for text in lines) for code, lines in document.items()}


def _line(text: str) -> Line:
    genre, at, title = text.split(" ", 2)
    where, _, dated = at.partition("@")
    return Line(genre, None if where == "house" else PlaceKind(where), dated, title)


def _of_kind(ground: Ground, kind: PlaceKind | None) -> Sequence[Spot]:
    wanted = kind or PlaceKind.PROJECT
    return [spot for spot in ground.spots if spot.kind is wanted] or ground.spots


def _service(facts: Facts, body: str) -> Mapping[str, Any]:
    yearly = 600_000 + facts.world.draw("yearly", facts.spot.project).randrange(12) * 100_000
    return {"first_party": f"{facts['project']}业主委员会", "supplier": body, "trade": "物业服务", "amount": yearly}


def _letting(facts: Facts, _body: str) -> Mapping[str, Any]:
    return {"first_party": facts["owner"], "supplier": facts["tenant"], "trade": "房屋租赁", "amount": 36_000}


def _employment(facts: Facts, _body: str) -> Mapping[str, Any]:
    return {"supplier": facts["employee"], "trade": "劳动用工", "amount": 78_000}


def _building(facts: Facts, _body: str) -> Mapping[str, Any]:
    return {"trade": facts["renewal"] + "工程"}


PARTIES: Mapping[str, Callable[[Facts, str], Mapping[str, Any]]] = {
    "WYH01": _service,
    "WYH02": _service,
    "WYE04": _letting,
    "WYG04": _employment,
    "WYX04": _building,
}
"""Who concludes a contract about what, where it is not a supplier's."""


def _agree(facts: Facts, genre: str, title: str) -> None:
    """Let the description's fields say what the paper says."""
    if facts.trouble()[0] not in title:
        facts.update(content=title.split("（", 1)[0], result="已完成", cost=0)
    if genre == "ledger":
        facts["amount"] = ledger_sum(facts, title)
    facts.setdefault("party", facts["supplier"])


def fields_of(category: Category) -> Sequence[FieldDef]:
    """Return a category's field definitions."""
    return parse_fields(category.fields)
