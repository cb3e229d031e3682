"""Browsing: the scheme and the places as trees, with what a person may read at each, as lists."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for

from archive.errors import NotFound
from archive.model import Fonds
from indexer.engine import Order
from indexer.search import Hit, SearchPage
from web import paging
from web.columns import records_by_id
from web.columns import shown as as_list
from web.directory import CategoryShown
from web.services import identity, services
from web.sheets import MOST_ROWS

pages = Blueprint("browsing", __name__)

Behind = tuple[int, UUID]

PAGE = 50


@pages.get("/browse")
def scheme() -> str:
    """Show the scheme of each fonds as a tree, with how many records the person may read in each branch."""
    counts = _counts("category")
    directory = services().directory
    tree = directory.categories()
    below = _with_below(tree, {UUID(key): count for key, count in counts.items()})
    everything = "all" in request.args
    shown = tree if everything else [each for each in tree if below[each.id]]
    return render_template(
        "browse.html", fonds=directory.fonds(), categories=shown, counts=below, more=len(shown) < len(tree)
    )


@pages.get("/browse/categories/<uuid:category_id>")
def category(category_id: UUID) -> str:
    """List the records of a branch."""
    branch = services().directory.branch(category_id)
    if not branch:
        raise NotFound
    ways = [(url_for(".category", category_id=key), names) for key, names in branch[:-1]]
    shown = {"category_id": category_id, "names": branch[-1][1], "ways": ways}
    return _listed("browse_category.html", [("category", str(category_id))], **shown)


@pages.get("/browse/places")
def projects() -> str:
    """Show the projects of each fonds, with how many records the person may read in each."""
    counts = _counts("project")
    directory = services().directory
    shown = [(fonds, directory.places_below(fonds.id)) for fonds in directory.fonds().values()]
    return render_template("browse_places.html", shown=shown, counts=counts)


@pages.get("/browse/places/<fonds_code>/<path:path>")
def place(fonds_code: str, path: str) -> str:
    """Show a place: what stands below it, and the records that hang on it or below."""
    directory = services().directory
    fonds = _fonds(directory.fonds(), fonds_code)
    here = directory.place_at(fonds.id, path)
    if here is None:
        raise NotFound
    steps = here.path.strip("/").split("/")
    names = directory.place_names(here.path, fonds.id)
    ways = [
        (url_for(".place", fonds_code=fonds.code, path="/".join(steps[: at + 1])), called)
        for at, called in enumerate(names)
    ]
    below = directory.places_below(fonds.id, here.id)
    filters = [("fonds", str(fonds.id)), ("place", here.path)]
    return _listed("browse_place.html", filters, fonds=fonds, place=here, ways=ways, below=below)


def _counts(facet: str) -> Mapping[str, int]:
    """Return how many records the person may read by the values of a facet."""
    found = services().search.search(identity(), "", limit=0, passages=False, facets=(facet,))
    return found.facets.get(facet, {})


def _page(filters: Sequence[tuple[str, str]], order: Order, after: Behind | None = None) -> SearchPage:
    """Return a page in an order by date, and one hit more if there is one."""
    return services().search.search(
        identity(), "", filters=filters, order=order, limit=PAGE + 1, after=after, passages=False, facets=()
    )


def _listed(template: str, filters: Sequence[tuple[str, str]], **shown: Any) -> str:
    """Show one page of the records that fit, in the order that is asked for."""
    asked = request.args
    order, turned = Order.NEWEST, Order.OLDEST
    if asked.get("order") == Order.OLDEST:
        order, turned = turned, order
    after, before = (paging.read_hit(asked.get(name, "")) for name in ("after", "before"))
    found = _page(filters, turned, before) if before else _page(filters, order, after)
    if (before and len(found.hits) <= PAGE) or not found.hits:  # the first page, or a place that is gone
        after = before = None
        found = _page(filters, order)
    hits = found.hits[:PAGE]
    hits = hits[::-1] if before else hits
    chosen: dict[str, Any] = dict(filters)
    return render_template(
        template, total=found.total, complete=found.complete, order=order.value,
        newer=_here(order=order, before=_told(hits[0])) if after or before else None,
        more=_here(order=order, after=_told(hits[-1])) if before or len(found.hits) > PAGE else None,
        list=as_list("browse", records_by_id([hit.record_id for hit in hits])),
        sheet=url_for("sheets.found", **chosen, list="browse", order=order.value), most_rows=MOST_ROWS,
        turned=_here(order=turned),
        **shown,
    )  # fmt: skip


def _told(hit: Hit) -> str:
    return paging.told_hit(hit.date_key, hit.record_id)


def _here(**values: Any) -> str:
    """Return the address of this page with other values in its query."""
    return url_for(request.endpoint or "", **(request.view_args or {}), **values)


def _with_below(tree: Sequence[CategoryShown], counts: Mapping[UUID, int]) -> Counter[UUID]:
    """Return for each category how many records lie in it or below."""
    summed: Counter[UUID] = Counter()
    branch: list[UUID] = []
    for each in tree:
        branch = [*branch[: each.depth], each.id]
        for above in branch:
            summed[above] += counts.get(each.id, 0)
    return summed


def _fonds(known: Mapping[UUID, Fonds], code: str) -> Fonds:
    found = next((fonds for fonds in known.values() if fonds.code == code), None)
    if found is None:
        raise NotFound
    return found
