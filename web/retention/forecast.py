"""How much falls due in each of the next ten years, by category: a page, a picture and a spreadsheet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, render_template
from flask_babel import gettext as _
from sqlalchemy import select

from archive.model import Category
from retention.board import Forecast
from web.i18n import current_locale
from web.services import identity, services
from web.sheets import TYPE, workbook
from web.words import named

pages = Blueprint("forecast", __name__, url_prefix="/retention/forecast")

YEARS = 10


@dataclass(frozen=True)
class Line:
    """A category, and how many of its records fall due earlier than this year, and in each year from this one on."""

    category: UUID
    words: str
    earlier: int
    counts: Sequence[int]

    @property
    def total(self) -> int:
        """All of them."""
        return self.earlier + sum(self.counts)


@pages.get("")
def show() -> str:
    """Show the table by category and year, and the picture of all."""
    years = _years()
    found = services().retention.board.forecast(identity(), years[-1])
    lines = _lines(years, found.figure) if found else []
    sums = [sum(line.counts[at] for line in lines) for at in range(YEARS)]
    earlier = sum(line.earlier for line in lines)
    bars = [*([(_("Earlier"), earlier)] if earlier else []), *zip(map(str, years), sums, strict=True)]
    most = max(count for _words, count in bars)
    return render_template(
        "forecast.html", years=years, found=found, lines=lines, bars=bars, most=most, total=earlier + sum(sums)
    )  # fmt: skip


@pages.get("/list.xlsx")
def sheet() -> Response:
    """Give the table as a spreadsheet."""
    years = _years()
    lines = _lines(years, services().retention.board.forecast_now(identity(), years[-1]))
    services().readings.begin(identity(), "list.export", body={"rows": len(lines), "forecast": years[0]}).result()
    heads = [(_("Category"), 32), (_("Earlier"), 10), *((str(year), 8) for year in years), (_("All"), 10)]
    cells: list[list[str | int]] = [[line.words, line.earlier, *line.counts, line.total] for line in lines]
    book = workbook(heads, cells)
    return Response(book, mimetype=TYPE, headers={"Content-Disposition": 'attachment; filename="juanku-forecast.xlsx"'})


def _years() -> Sequence[int]:
    first = services().guard.day().year
    return range(first, first + YEARS)


def _lines(years: Sequence[int], found: Forecast) -> Sequence[Line]:
    counted: dict[UUID, dict[int, int]] = {}
    for category, year, count in found:
        counted.setdefault(category, {})[year] = count
    names = _names(counted)
    lines = [
        Line(
            key,
            names[key],
            sum(count for year, count in by_year.items() if year < years[0]),
            [by_year.get(year, 0) for year in years],
        )
        for key, by_year in counted.items()
    ]
    return sorted(lines, key=lambda line: line.words)


def _names(keys: Mapping[UUID, object]) -> Mapping[UUID, str]:
    locale = current_locale()
    with services().db.reading() as session:
        rows = session.scalars(select(Category).where(Category.id.in_(keys)))
        return {row.id: f"{row.code} {named(row.names, locale)}" for row in rows}
