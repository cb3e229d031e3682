"""What people type into a category's own fields: checked, and brought into the one form that is kept.

Names of persons, phones and identity numbers are protected: they are handed back apart, for sealing under the record's
key, and never stand among the ordinary values.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from math import isfinite
from typing import Any

from archive.dates import BadDate, parse_civil
from archive.errors import Fault, InvalidInput
from archive.personal import check_identity, check_phone
from archive.scheme.fields import FieldDef, FieldKind, decimal, matcher

_OTHER_PHONE = re.compile(r"\+?(?!1\d{10}$)\d{5,16}(?:(?:x|ext|转|轉)\d{1,6})?")
"""Fixed lines and numbers of other places; eleven digits from 1 are a mobile number, and checked as one."""


def check(
    fields: Sequence[FieldDef], values: Mapping[str, Any], *, complete: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Check what was typed into the fields of a category.

    Args:
        fields: the category's definitions.
        values: what was typed, by field name; an empty text or None is no value.
        complete: whether required fields must be there (they need not before filing).

    Returns:
        Ordinary and protected values, each in the one form that is kept: numbers as decimal text, dates as
        ``YYYY[-MM[-DD]]``, choices by code.

    Raises:
        InvalidInput: every fault, each naming its field.
    """
    by_name = {each.name: each for each in fields}
    faults = [Fault(name[:40], "unknown_field", {"name": name[:40]}) for name in values if name not in by_name]
    wrong = {name for name in by_name if not _typed(values.get(name))}
    faults += [Fault(name, "wrong_type") for name in sorted(wrong)]
    typed = {name: values.get(name) for name in by_name if name not in wrong}
    texts = {name: "" if value is None else str(value).strip() for name, value in typed.items()}
    found = {name: _checked(by_name[name], text) for name, text in texts.items() if text}
    kept = {name: value for name, value in found.items() if not isinstance(value, Fault)}
    for name, definition in by_name.items():
        if isinstance(value := found.get(name), Fault):
            faults.append(value)
        elif complete and name not in wrong and not texts[name] and definition.asked(kept):
            faults.append(Fault(name, "required", {"names": dict(definition.names)}))
    ordinary = {name: value for name, value in kept.items() if not by_name[name].protected}
    protected = {name: value for name, value in kept.items() if by_name[name].protected}
    faults += _across(by_name, ordinary)
    if faults:
        raise InvalidInput(*faults)
    return ordinary, protected


def _typed(value: Any) -> bool:
    """Whether a value is a text, a number, a day or nothing: what can be written as a text and read again."""
    if isinstance(value, bool) or (isinstance(value, float) and not isfinite(value)):
        return False
    return value is None or isinstance(value, str | int | float | Decimal | date)


def _across(fields: Mapping[str, FieldDef], values: Mapping[str, str]) -> list[Fault]:
    """Return a fault for each value that the others forbid, as far as they are known."""
    faults = []
    for name, rule in fields.items():
        if (own := values.get(name)) is None:
            continue
        start, most = values.get(rule.not_before or ""), values.get(rule.not_above or "")
        if start and parse_civil(own).last < parse_civil(start).first:
            faults.append(Fault(name, "before_other", {"date": start}))
        if most and Decimal(own) > Decimal(most):
            faults.append(Fault(name, "above_other", {"value": most}))
        if rule.sum_of and all(part in values for part in rule.sum_of):
            total = sum(Decimal(values[part]) for part in rule.sum_of)
            if Decimal(own) != total:
                faults.append(Fault(name, "not_the_sum", {"value": format(total, "f")}))
    return faults


def _checked(definition: FieldDef, text: str) -> str | Fault:
    """Return a value in the form that is kept, or what is wrong with it."""
    name = definition.name
    if len(text) > definition.limit:
        return Fault(name, "too_long", {"limit": definition.limit, "length": len(text)})
    match definition.kind:
        case FieldKind.TEXT | FieldKind.PERSON:
            return _text(definition, text)
        case FieldKind.NUMBER:
            return _number(definition, text)
        case FieldKind.DATE:
            return _date(definition, text)
        case FieldKind.CHOICE:
            return _choice(definition, text)
        case FieldKind.PHONE | FieldKind.IDENTITY:
            return _personal(definition, text)


def _text(definition: FieldDef, text: str) -> str | Fault:
    plain = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc")
    if definition.pattern is None or matcher(definition.pattern).fullmatch(plain):
        return plain
    if definition.example is None:
        return Fault(definition.name, "not_as_asked")
    return Fault(definition.name, "not_like_example", {"example": definition.example})


def _date(definition: FieldDef, text: str) -> str | Fault:
    try:
        return parse_civil(text).text
    except BadDate as bad:
        return bad.fault(definition.name)


def _number(definition: FieldDef, text: str) -> str | Fault:
    number = decimal(text)
    if number is None:
        return Fault(definition.name, "not_a_number", {"value": text[:40]})
    low, high = definition.minimum, definition.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        bounds = {"low": None if low is None else str(low), "high": None if high is None else str(high)}
        return Fault(definition.name, "out_of_range", bounds)
    return format(number, "f")


def _choice(definition: FieldDef, text: str) -> str | Fault:
    """Take a choice by its code or by its name in any language."""
    for code, names in definition.choices.items():
        if text == code or text in names.values():
            return code
    return Fault(definition.name, "unknown_choice", {"value": text[:40], "known": list(definition.choices)})


def _personal(definition: FieldDef, text: str) -> str | Fault:
    """Check a phone or identity number. Its fault never repeats the number."""
    if definition.kind is FieldKind.IDENTITY:
        try:
            return check_identity(text)
        except ValueError as wrong:
            return Fault(definition.name, "bad_identity", {"reason": str(wrong)})
    try:
        return check_phone(text)
    except ValueError as wrong:
        return other_phone(text) or Fault(definition.name, "bad_phone", {"reason": str(wrong)})


def other_phone(text: str) -> str | None:
    """Return a number that is no mainland mobile's in the form that is kept, or None when it can be no phone's."""
    plain = re.sub(r"[\s()-]", "", unicodedata.normalize("NFKC", text))
    return plain if _OTHER_PHONE.fullmatch(plain) else None
