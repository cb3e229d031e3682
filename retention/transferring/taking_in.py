"""A bag of another archive comes in as drafts: verified first, and gone on with after a break."""

import json
from collections.abc import Callable, Collection, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.bag import Bag, bag_hash, checked, payload_of, text_of
from archive.bringing_in.imports import PAPER, Imports, Source
from archive.cataloguing.describing import Draft
from archive.database import Database
from archive.errors import Fault, InvalidInput
from archive.failpoints import reach
from archive.files.intake import IntakeService
from archive.identity import Identity
from archive.model import Category, Level, Medium, RecordKind
from archive.scheme.fields import parse_fields

_TOGETHER = 20
_TOLD = 20


@dataclass(frozen=True)
class Means:
    """What a bag comes in by."""

    db: Database
    imports: Imports
    intake: IntakeService


@dataclass
class Came:
    """What became of a bag: drafts that were made or taken up again, and files that came in.

    ``run`` is for ``Imports.end``, once it is written that the bag is in: forgotten before, it would come in twice.
    """

    number: str
    records: int
    files: int
    resumed: int
    run: str


Steps = Generator[tuple[int, int] | None, None, Came]
"""How far it is, in records; None while the bag is verified."""


def take_in(
    means: Means,
    identity: Identity,
    bag: Bag,
    draft: Draft,
    *,
    begun: bool = False,
    note: Callable[[Collection[UUID]], None] = lambda _ids: None,
) -> Steps:
    """Bring a bag in as drafts; a broken run goes on where it stood.

    Args:
        means: of the archive.
        identity: whose drafts they are.
        bag: where it lies.
        draft: where the records go: fonds, category, and the level of those whose own is not known here.
        begun: whether records of it came in before.
        note: told which drafts there are, those of an earlier run too; some twice, if that was broken off.

    Raises:
        InvalidInput: the bag is not whole (each fault), or no transfer that can be read; or it was begun so long ago
            that it is forgotten what came in.
        NotAllowed: they may not catalogue one of the records.
    """
    wrong = []
    for fault in checked(bag):
        wrong += [fault] if fault else []
        yield None
    if wrong:
        raise InvalidInput(*(Fault(each.path[:200], f"bag_{each.code}") for each in wrong[:_TOLD]))
    number, told = _read(bag)
    run, names = bag_hash(bag), list(told)
    left = means.imports.left(identity, run)
    if begun and not left:
        raise InvalidInput(Fault("bag", "bag_given_up"))
    with means.db.reading() as session:
        try:
            drafts = {name: _drafted(session, draft, each) for name, each in told.items()}
        except (ValueError, TypeError, AttributeError):
            raise InvalidInput(Fault("bag", "bag_unreadable")) from None
    keys: dict[str, UUID] = {name: left[name][0].record_id for name in names if name in left}
    note(keys.values())
    fresh = [name for name in names if name not in keys]
    for start in range(0, len(fresh), _TOGETHER):
        some = fresh[start : start + _TOGETHER]
        sources = [Source(name, run[:64] if told[name].get("files") else PAPER, drafts[name]) for name in some]
        made = means.imports.begin(identity, run, sources)
        note(made)
        keys |= dict(zip(some, made, strict=True))
        yield 0, len(names)
    files = 0
    for done, (name, each) in enumerate(told.items()):
        yield done, len(names)
        wanted = each.get("files", [])
        files += len(wanted)
        if name in left and len(left[name][0].contents) >= len(wanted):
            continue
        if name in left:
            means.intake.take_back(identity, [keys[name]])
        for file in wanted:
            means.intake.receive(identity, keys[name], str(file["name"]), bag.chunks(f"data/{file['path']}"))
        reach("transfer.record_received")
    return Came(number, len(names), files, len(left), run)


def _read(bag: Bag) -> tuple[str, dict[str, Mapping[str, Any]]]:
    """Return the number of a transfer, and the description of each record by its folder.

    What a description names is read only if the manifest lists it.
    """
    try:
        there = payload_of(bag)
        about = json.loads(text_of(bag, "data/transfer.json"))
        folders = [str(each["folder"]) for each in about["records"]]
        told = {name: json.loads(text_of(bag, f"data/{name}/description.json")) for name in folders}
        files = [(file["name"], f"data/{file['path']}") for each in told.values() for file in each.get("files", [])]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise InvalidInput(Fault("bag", "bag_unreadable")) from None
    if out := [path for _, path in files if path not in there]:
        raise InvalidInput(*(Fault(path[:200], "bag_unlisted") for path in out[:_TOLD]))
    return str(about.get("number", ""))[:100], told


def _drafted(session: Session, draft: Draft, told: Mapping[str, Any]) -> Draft:
    category = session.get_one(Category, draft.category_id)
    known = {each.name for each in parse_fields(category.fields)}
    fields = {name: value for name, value in told.get("fields", {}).items() if name in known}
    over = [f"{name}: {value}" for name, value in told.get("fields", {}).items() if name not in known]
    before = [f"原档号: {told['archive_number']}"] if told.get("archive_number") else []
    level = session.scalar(select(Level.rank).where(Level.code == told.get("level")))
    notes = "\n".join([*([told["notes"]] if told.get("notes") else []), *before, *over])
    return replace(
        draft,
        title=str(told.get("title", "")),
        kind=RecordKind(told.get("kind", "item")),
        responsible=told.get("responsible"),
        drawn_up=told.get("drawn_up"),
        level_rank=level if level is not None else draft.level_rank,
        term=told.get("term"),
        pages=told.get("pages"),
        medium=Medium(told.get("medium", "electronic")),
        material=told.get("material") or "document",
        keywords=tuple(told.get("keywords") or ()),
        notes=notes or None,
        fields=fields,
    )
