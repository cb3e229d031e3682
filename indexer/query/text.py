"""A query as a person could have typed it, and what to tell one who typed what is no operator."""

from archive.errors import InvalidInput
from indexer.fields import BY_NAME, FieldKind
from indexer.query.parser import QUOTES, parse
from indexer.query.tree import And, Everything, Negate, Or, Prefix, Query, Range, Words

LOOK_LIKE_OR = frozenset({"or", "Or"})
LOOK_LIKE_AND = frozenset({"and", "And", "和"})


def hints(text: str) -> list[str]:
    """Return what a query may have been meant to say, as codes: ``or_in_capitals``, ``blank_means_and``.

    Each is of a word that stands alone between two others and is searched as a word. A query that cannot be read has
    none.
    """
    try:
        found = parse(text)
    except InvalidInput:
        return []
    inner = [part for group in _groups(found) for part in group.parts[1:-1]]
    between = {
        part.text for part in inner if isinstance(part, Words) and part.field is None and text[part.at] not in QUOTES
    }
    codes = {"or_in_capitals": LOOK_LIKE_OR, "blank_means_and": LOOK_LIKE_AND}
    return [code for code, words in codes.items() if between & words]


def _groups(query: Query) -> list[And]:
    match query:
        case Negate():
            return _groups(query.part)
        case And() | Or():
            own = [query] if isinstance(query, And) else []
            return own + [group for part in query.parts for group in _groups(part)]
    return []


def to_text(query: Query) -> str:
    """What a person could have typed for ``query``: ``parse`` reads it back to the same tree (offsets aside)."""
    match query:
        case Everything():
            return ""
        case Words():
            return _named(query.field) + _written(query.text, query.field)
        case Prefix():
            return _named(query.field) + query.text + "*"
        case Range():
            same = query.low == query.high and query.low is not None
            return _named(query.field) + (query.low or "" if same else f"{query.low or ''}..{query.high or ''}")
        case Negate():
            return "NOT " + _grouped(query.part)
        case And() | Or():
            between = " " if isinstance(query, And) else " OR "
            return between.join(_grouped(part) if isinstance(part, Or) else to_text(part) for part in query.parts)


def _named(field: str | None) -> str:
    return f"{field}:" if field else ""


def _grouped(query: Query) -> str:
    return f"({to_text(query)})" if isinstance(query, And | Or) else to_text(query)


def _written(text: str, field: str | None) -> str:
    """``text`` bare when it reads back as one word, otherwise in quotes that it does not hold."""
    try:
        read = parse(_named(field) + text)
    except InvalidInput:
        read = None
    if isinstance(read, Words) and read.text == text and read.field == field:
        return text
    if field and BY_NAME[field].kind in {FieldKind.DATE, FieldKind.YEAR}:
        return text
    for opening in ('"', "「", "『", "﹁", "﹃"):
        if not set(text) & set(QUOTES[opening]):
            return opening + text + (QUOTES[opening][0])
    return text
