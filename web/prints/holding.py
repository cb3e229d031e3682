"""What dossiers hold, for the forms of dossiers: one holding for each, or for each of its volumes."""

from collections.abc import Sequence
from itertools import groupby
from uuid import UUID

from archive.dossiers.contents import Contents, Entry
from archive.house.levels import mark as level_mark
from web.filters import shape
from web.prints.papers import Holding, Paper
from web.services import identity, services


def holdings(dossiers: Sequence[Paper], locale: str) -> list[Holding]:
    """Return dossiers with what the person sees in them; of one that is kept in custody alone, nothing."""
    levels = services().directory.levels()
    reader = services().dossiers

    def paper(entry: Entry, dossier: Paper) -> Paper:
        level = levels[entry.level_rank]
        number = entry.document_number
        return Paper(
            number=entry.number or "", level_rank=entry.level_rank, level=level_mark(level, locale),
            shape=shape(level.symbol), fonds=dossier.fonds, title=entry.title,
            document_number="" if number is None else str(number), responsible=entry.responsible or "",
            drawn_up=entry.drawn_up or "", pages=entry.pages, medium=entry.medium.value, notes=entry.notes or "",
            first=entry.first, last=entry.last, id=str(entry.record_id),
        )  # fmt: skip

    def parts(dossier: Paper, held: Contents) -> list[Holding]:
        by_volume = [
            (volume or 0, [paper(each, dossier) for each in some])
            for volume, some in groupby(held.entries, lambda each: each.volume)
        ]
        return [Holding(dossier, items, volume, held.volumes) for volume, items in by_volume] or [Holding(dossier, [])]

    found: list[Holding] = []
    with services().db.reading() as session:
        for each in dossiers:
            if each.title:
                held = reader.contents_in(session, identity(), UUID(each.id))
                found += parts(each, held)
            else:
                found.append(Holding(each, []))
    return found
