"""Made-up descriptions and papers. The same seed makes the same archive; no real person's data is in it."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from io import BytesIO
from typing import Any
from uuid import UUID

from archive.describing import Draft
from archive.model import Category
from archive.scheme.fields import FieldDef, FieldKind, parse_fields
from runtime.demo.people import GIVEN, SURNAMES

PAPERS = (
    "登记表",
    "台账",
    "检查记录",
    "会议纪要",
    "通知",
    "验收单",
    "报告",
    "清单",
    "协议书",
    "汇总表",
    "移交单",
    "整改单",
)
TOPICS = (
    "电梯年度检验", "消防设施维护", "绿化养护", "保洁服务质量", "公共收益", "停车管理", "供水水箱清洗", "外墙渗漏维修",
    "装修管理", "入住手续", "能耗统计", "应急演练", "白蚁防治", "食堂卫生", "宿舍检修", "物资采购", "车辆调度",
)  # fmt: skip
SENTENCES = (
    "经现场查验,设备运行正常,各项参数符合要求。",
    "请各管理处于本月底前完成自查,并将结果报办公室备案。",
    "维修人员已于当日到场处理,业主对处理结果表示满意。",
    "本次检查共发现问题三处,已下发整改通知并限期完成。",
    "费用由公共维修资金列支,凭证附后。",
    "以上内容经双方核对无误,签字后生效。",
    "后续由工程部负责跟进,每季度复查一次。",
)
FIRST_DAY = date(2016, 1, 4)
DAYS_A_YEAR = 360
YEARS = 11
LARGEST_FOLDER = 25


@dataclass(frozen=True)
class Ground:
    """Where demonstration records are made: categories with their fields, places and departments of one fonds."""

    fonds_id: UUID
    categories: Sequence[tuple[Category, Sequence[FieldDef]]]
    places: Sequence[tuple[UUID, str]]
    departments: Sequence[UUID]


class Writer:
    """Makes drafts and papers; none is dated after ``today``."""

    def __init__(self, seed: int = 20261122, today: date = date.max) -> None:
        self._today = today
        self._random = random.Random(seed)
        self._folders: dict[UUID, tuple[int, tuple[Category, Sequence[FieldDef]], int]] = {}

    def draft(self, ground: Ground, number: int) -> Draft:
        """Make the description of one record."""
        rnd = self._random
        (category, fields), year = self._folder(ground, number)
        place, place_name = rnd.choice(ground.places)
        day = FIRST_DAY.replace(year=year) + timedelta(days=rnd.randrange(DAYS_A_YEAR))
        while day > self._today:
            day -= timedelta(days=364)
        whole = rnd.random() < 0.9 or (day.year, day.month) == (self._today.year, self._today.month)
        topic = rnd.choice(TOPICS)
        title = f"{day.year}年{place_name}{topic}{rnd.choice(PAPERS)}(第{number}号)"
        return Draft(
            fonds_id=ground.fonds_id,
            category_id=category.id,
            title=title,
            responsible=rnd.choice(("工程部", "客户服务部", "办公室", "项目管理处")),
            drawn_up=day.isoformat() if whole else day.strftime("%Y-%m"),
            level_rank=rnd.choices((category.level_rank, 2, 3, 4), (82, 10, 6, 2))[0],
            place_id=place,
            department_id=rnd.choice(ground.departments),
            pages=rnd.randrange(1, 40),
            keywords=(topic,),
            fields=self._values(fields, category.required, day),
        )

    def _folder(self, ground: Ground, number: int) -> tuple[tuple[Category, Sequence[FieldDef]], int]:
        """Choose category and year: of a large archive, neighbours come out of one folder, as in life."""
        left, kind, year = self._folders.get(ground.fonds_id, (0, ground.categories[0], 0))
        if not left:
            kind, year = self._random.choice(ground.categories), FIRST_DAY.year + self._random.randrange(YEARS)
            left = min(LARGEST_FOLDER, 1 + number // 500)
        self._folders[ground.fonds_id] = (left - 1, kind, year)
        return kind, year

    def _values(self, fields: Sequence[FieldDef], required: Sequence[str], day: date) -> Mapping[str, Any]:
        wanted = [
            f
            for f in fields
            if f.required or f.name in required or (f.kind is not FieldKind.TEXT and self._random.random() < 0.3)
        ]
        values = {f.name: self._value(f, day) for f in wanted}
        return {name: value for name, value in values.items() if value is not None}

    def _value(self, definition: FieldDef, day: date) -> str | None:
        rnd = self._random
        made: dict[FieldKind, Callable[[], str | None]] = {
            FieldKind.PERSON: lambda: rnd.choice(SURNAMES) + rnd.choice(GIVEN),
            FieldKind.PHONE: lambda: f"1900000{rnd.randrange(10_000):04d}",  # a block that is not given out
            FieldKind.DATE: day.isoformat,
            FieldKind.NUMBER: lambda: str(_number(rnd, definition)),
            FieldKind.CHOICE: lambda: rnd.choice(list(definition.choices)),
            FieldKind.IDENTITY: lambda: None,  # nobody's number is made up
            FieldKind.TEXT: lambda: rnd.choice(TOPICS),
        }
        return made[definition.kind]()

    def text(self, title: str) -> str:
        """Write the text of a paper of two or three pages."""
        rnd = self._random
        body = ["".join(rnd.choice(SENTENCES) for _ in range(rnd.randrange(3, 7))) for _ in range(rnd.randrange(4, 14))]
        return "\n".join([title, "", *body, "", "物业管理处(盖章)"])

    def paper(self, title: str) -> tuple[str, bytes]:
        """Write a paper as a file: its name and bytes (PDF, or text in UTF-8 or GBK)."""
        text = self.text(title)
        kind = self._random.choice(("pdf", "pdf", "txt", "gbk"))
        name = title.replace("/", "-")[:80]
        if kind == "pdf":
            return f"{name}.pdf", pdf(text)
        return f"{name}.txt", text.encode("gb18030" if kind == "gbk" else "utf-8")


def _number(rnd: random.Random, definition: FieldDef) -> int:
    low = 1 if definition.minimum is None else int(definition.minimum)
    return rnd.randint(low, low + 200 if definition.maximum is None else int(definition.maximum))


def pdf(text: str, lines_a_page: int = 36, width: int = 36) -> bytes:
    """Set a Chinese text as a PDF."""
    from reportlab.lib.pagesizes import A4  # noqa: PLC0415 (only the demonstration sets PDFs)
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415

    target = BytesIO()
    canvas = Canvas(target, pagesize=A4, invariant=True)
    lines = [line[i : i + width] for line in text.split("\n") for i in range(0, max(len(line), 1), width)]
    for start in range(0, len(lines), lines_a_page):
        canvas.setFont(_font(), 12)
        for row, line in enumerate(lines[start : start + lines_a_page]):
            canvas.drawString(70, 770 - row * 19, line)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


@cache
def _font() -> str:
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont  # noqa: PLC0415

    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    return "STSong-Light"


def fields_of(category: Category) -> Sequence[FieldDef]:
    """Return a category's field definitions."""
    return parse_fields(category.fields)
