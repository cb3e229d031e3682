"""Forms of required papers: the certificate of completeness, and the form by which a filing is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from archive.required.looking import Item, Looked
from archive.required.standing import PaperStands, Stands
from archive.subject_facts import names_of_subjects
from web.prints.papers import Paper, Words, highest
from web.services import identity, services
from web.words import mark, named
from web.words.required import STANDS, told

COMPLETE = mark("Every paper that the template %(template)s asks for is there, as far as I see.")
LACKING = mark("Not complete: %(what)s.")
YES, NO, UNKNOWN = mark("yes"), mark("no"), mark("not known")
SEEN = mark("seen %(day)s")
BACK = mark("given back %(day)s")


@dataclass(frozen=True)
class Needs:
    """A dossier with what stands of its required papers; None: made data. ``people`` are names by part."""

    dossier: Paper
    found: Looked | None = None
    people: Mapping[str, str] = field(default_factory=dict)


def needs(dossiers: Sequence[Paper]) -> list[Needs]:
    """Return those dossiers that follow a template and that the person reads."""
    looked = services().papers.several(identity(), [UUID(each.id) for each in dossiers if each.title])
    with services().db.reading() as session:
        return [
            Needs(
                each,
                looked[UUID(each.id)],
                {
                    part: next(iter(names_of_subjects(session, services().vault, [key])), "")
                    for part, key in looked[UUID(each.id)].people.items()
                },
            )
            for each in dossiers
            if UUID(each.id) in looked
        ]


def certificates(given: Sequence[Needs], words: Words) -> list[dict[str, Any]]:
    """Return a certificate for each: what is asked for, what is there, and whether it is complete."""
    return [{**_head(each, words), "told": _told(each, words), "clocks": _clocks(each, words)} for each in given]


def filings(given: Sequence[Needs], words: Words) -> list[dict[str, Any]]:
    """Return the form of each filing: what is known, the people, the papers, and who signs."""
    return [{**_head(each, words), "known": _known(each, words), "parties": _parties(each, words)} for each in given]


def _head(each: Needs, words: Words) -> dict[str, Any]:
    found, dossier = each.found, each.dossier
    return {
        **highest([dossier]),
        "number": dossier.number,
        "title": dossier.title,
        "fonds": f"{dossier.fonds} {dossier.fonds_name}".strip(),
        "template": named(found.template.names, words.locale) if found else "",
        "linked": found.linked.title if found and found.linked else "",
        "rows": [_row(one, found.items.get(one.paper.code, ()), words) for one in found.standing.papers]
        if found
        else [],
    }


def _row(one: PaperStands, items: Sequence[Item], words: Words) -> dict[str, str]:
    met = [item.met for item in items if item.met]
    needed = one.stands not in {Stands.NOT_NEEDED, Stands.OPTIONAL}
    seen = [words.said(SEEN, day=each.seen_on) for each in met if each.seen_on]
    seen += [words.said(BACK, day=each.returned_on) for each in met if each.returned_on]
    return {
        "serial": one.paper.number,
        "title": named(one.paper.names, words.locale),
        "needed_count": str(one.paper.count) if needed else "",
        "there_count": str(one.there),
        "copy_sealed": words.said(YES) if any(each.copy_sealed for each in met) else "",
        "original_seen": "\n".join(seen),
        "stands": words.said(STANDS[one.stands]),
    }


def _told(each: Needs, words: Words) -> str:
    if each.found is None:
        return ""
    if each.found.standing.complete:
        return words.said(COMPLETE, template=named(each.found.template.names, words.locale))
    return words.said(LACKING, what=told(each.found, words.locale))


def _clocks(each: Needs, words: Words) -> list[dict[str, str]]:
    return [
        {
            "clock": named(runs.rule.names, words.locale),
            "counted_from": runs.since.isoformat(),
            "due_on": runs.due.isoformat(),
            "met_on": runs.met_on.isoformat() if runs.met_on else "",
        }
        for runs in (each.found.clocks if each.found else ())
    ]


def _known(each: Needs, words: Words) -> list[list[str]]:
    if each.found is None:
        return []
    known = [
        [named(fact.names, words.locale), _value(each.found.row.facts.get(fact.code), words)]
        for fact in each.found.template.facts
    ]
    return known + [
        [named(part.names, words.locale), each.people.get(part.code, "")] for part in each.found.template.people
    ]


def _value(value: Any, words: Words) -> str:
    if value is None:
        return words.said(UNKNOWN)
    if isinstance(value, bool):
        return words.said(YES if value else NO)
    return str(value)


def _parties(each: Needs, words: Words) -> list[str]:
    return [named(party, words.locale) for party in each.found.template.parties] if each.found else []
