"""The rules of a field in words: what its values must be, alone and beside those of other fields."""

from collections.abc import Iterator, Sequence

from archive.scheme.fields import DEFAULT_LIMIT, FieldDef
from web.words import mark, named, translator


def rules_told(each: FieldDef, fields: Sequence[FieldDef], locale: str) -> list[str]:
    """Return every rule of a field, one a line."""
    return [*_alone(each, locale), *across_told(each, fields, locale)]


def across_told(each: FieldDef, fields: Sequence[FieldDef], locale: str) -> list[str]:
    """Return the rules of a field that name others, as far as those stand among ``fields``."""
    _ = translator(locale)
    known = {other.name: other for other in fields}
    found = []
    for name, words in (
        (each.not_before, mark("not before: %(field)s")),
        (each.not_above, mark("not more than: %(field)s")),
    ):
        if name in known:
            found.append(_(words, field=known[name].label(locale)))
    if each.sum_of and all(name in known for name in each.sum_of):
        parts = " + ".join(known[name].label(locale) for name in each.sum_of)
        found.append(_(mark("the sum of: %(fields)s"), fields=parts))
    if each.required_if is not None and each.required_if[0] in known:
        other, wanted = known[each.required_if[0]], each.required_if[1]
        found.append(_(mark("needed to file if %(condition)s"), condition=condition_told(other, wanted, locale)))
    return found


def condition_told(other: FieldDef, wanted: str | None, locale: str) -> str:
    """Return in words when a field that is needed beside another one is."""
    _ = translator(locale)
    if wanted is None:
        return _(mark("“%(field)s” is given"), field=other.label(locale))
    value = named(other.choices.get(wanted), locale) or wanted
    return _(mark("“%(field)s” is “%(value)s”"), field=other.label(locale), value=value)


def _alone(each: FieldDef, locale: str) -> Iterator[str]:
    _ = translator(locale)
    if each.limit != DEFAULT_LIMIT:
        yield _(mark("at most %(count)s characters"), count=each.limit)
    if each.minimum is not None:
        yield _(mark("%(value)s at least"), value=each.minimum)
    if each.maximum is not None:
        yield _(mark("%(value)s at most"), value=each.maximum)
    if each.pattern is not None:
        yield _(mark("written as %(pattern)s"), pattern=each.pattern)
    if each.example is not None:
        yield _(mark("for example: %(example)s"), example=each.example)
