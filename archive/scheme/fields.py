"""A category's own typed fields: how they are defined, and how what people type into them is checked.

Names of persons, phones and identity numbers are protected: they are handed back apart, for sealing under the record's
key, and never stand among the ordinary values.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from typing import Any

import re2

from archive.dates import BadDate, parse_civil
from archive.errors import Fault, InvalidInput
from archive.personal import check_identity, check_phone

DEFAULT_LIMIT = 2_000
LARGEST_LIMIT = 20_000
LANGUAGES = ("zh_CN", "zh_TW", "en")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OTHER_PHONE = re.compile(r"\+?(?!1\d{10}$)\d{5,16}(?:(?:x|ext|转|轉)\d{1,6})?")
"""Fixed lines and numbers of other places; eleven digits from 1 are a mobile number, and checked as one."""

_KEYS = frozenset(
    ("name", "names", "kind", "choices", "required", "limit", "minimum", "maximum", "pattern", "example", "not_before")
)
LONGEST_PATTERN = 200
_TERSE = re2.Options()
_TERSE.log_errors = False


class FieldKind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    PERSON = "person"
    PHONE = "phone"
    IDENTITY = "identity"


PROTECTED = frozenset({FieldKind.PERSON, FieldKind.PHONE, FieldKind.IDENTITY})
"""Kinds that are sealed under the record's or the subject's own key."""


@dataclass(frozen=True)
class FieldDef:
    """A field's definition. ``limit`` is in characters; ``choices`` maps each code to its names.

    ``pattern`` is what a text must match whole (RE2's language: no text takes it long), ``example`` one that does;
    ``not_before`` names the date field that this one does not lie before, where the category has both.
    """

    name: str
    kind: FieldKind
    names: Mapping[str, str]
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    required: bool = False
    limit: int = DEFAULT_LIMIT
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    pattern: str | None = None
    example: str | None = None
    not_before: str | None = None

    @property
    def protected(self) -> bool:
        """Whether values are kept sealed."""
        return self.kind in PROTECTED

    def label(self, locale: str) -> str:
        """Return the field's name in ``locale``."""
        return self.names.get(locale) or self.names["zh_CN"]

    def as_data(self) -> dict[str, Any]:
        """Return the definition as plain data, as it stands in a category row and in YAML."""
        data: dict[str, Any] = {"name": self.name, "kind": self.kind.value, "names": dict(self.names)}
        if self.choices:
            data["choices"] = [{"code": code, "names": dict(names)} for code, names in self.choices.items()]
        if self.required:
            data["required"] = True
        if self.limit != DEFAULT_LIMIT:
            data["limit"] = self.limit
        for key, bound in (("minimum", self.minimum), ("maximum", self.maximum)):
            if bound is not None:
                data[key] = str(bound)
        checks = {"pattern": self.pattern, "example": self.example, "not_before": self.not_before}
        return data | {key: text for key, text in checks.items() if text is not None}


def parse_fields(data: Sequence[Any], at: str = "fields") -> tuple[FieldDef, ...]:
    """Read field definitions from plain data.

    Raises:
        InvalidInput: every fault, each naming its path below ``at`` (``fields[0].kind``).
    """
    faults: list[Fault] = []
    found: list[FieldDef] = []
    for n, each in enumerate(data):
        here = f"{at}[{n}]"
        if not isinstance(each, Mapping):
            faults.append(Fault(here, "not_a_mapping"))
            continue
        mine = _definition_faults(each, here)
        if each.get("name") in {known.name for known in found}:
            mine.append(Fault(f"{here}.name", "repeated", {"name": each["name"]}))
        faults += mine
        if not mine:
            found.append(_definition(each))
    if faults:
        raise InvalidInput(*faults)
    return tuple(found)


def check_names(names: Any, at: str) -> list[Fault]:
    """Return what is wrong with a name in the house's three languages (simplified Chinese must be there)."""
    if not isinstance(names, Mapping) or not names.get("zh_CN"):
        return [Fault(at, "names_missing", {"languages": list(LANGUAGES)})]
    wrong = [key for key, text in names.items() if key not in LANGUAGES or not isinstance(text, str) or len(text) > 200]
    return [Fault(f"{at}.{key}", "bad_name") for key in wrong]


def _definition_faults(data: Mapping[str, Any], at: str) -> list[Fault]:
    faults = [Fault(f"{at}.{key}", "unknown_key") for key in data if key not in _KEYS]
    if not isinstance(data.get("name"), str) or not _NAME.fullmatch(data["name"]):
        faults.append(Fault(f"{at}.name", "bad_code", {"value": str(data.get("name"))[:40]}))
    if data.get("kind") not in {kind.value for kind in FieldKind}:
        known = [kind.value for kind in FieldKind]
        faults.append(Fault(f"{at}.kind", "unknown_kind", {"value": str(data.get("kind"))[:40], "known": known}))
    faults += check_names(data.get("names"), f"{at}.names")
    choices = data.get("choices", [])
    if (data.get("kind") == FieldKind.CHOICE) != bool(choices):
        faults.append(Fault(f"{at}.choices", "choices_missing" if not choices else "choices_unwanted"))
    for n, choice in enumerate(choices if isinstance(choices, list) else []):
        if not isinstance(choice, Mapping) or not isinstance(choice.get("code"), str) or not choice["code"]:
            faults.append(Fault(f"{at}.choices[{n}].code", "bad_code"))
        else:
            faults += check_names(choice.get("names"), f"{at}.choices[{n}].names")
    if not isinstance(data.get("required", False), bool):
        faults.append(Fault(f"{at}.required", "not_yes_or_no"))
    limit = data.get("limit", DEFAULT_LIMIT)
    if not isinstance(limit, int) or not 1 <= limit <= LARGEST_LIMIT:
        faults.append(Fault(f"{at}.limit", "out_of_range", {"low": 1, "high": LARGEST_LIMIT}))
    faults += [
        Fault(f"{at}.{key}", "not_a_number")
        for key in ("minimum", "maximum")
        if data.get(key) is not None and _decimal(str(data[key])) is None
    ]
    return faults + [Fault(f"{at}.{key}", code) for key, code in _check_faults(data)]


def _check_faults(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what is wrong with the checks of a definition: key and code."""
    pattern, example = data.get("pattern"), data.get("example")
    faults: list[tuple[str, str]] = []
    kinds = {"pattern": FieldKind.TEXT, "example": FieldKind.TEXT, "not_before": FieldKind.DATE}
    for key, kind in kinds.items():
        text = data.get(key)
        if text is not None and (not isinstance(text, str) or not 0 < len(text) <= LONGEST_PATTERN):
            faults.append((key, "bad_text"))
        elif text is not None and data.get("kind") != kind:
            faults.append((key, "of_another_kind"))
    if pattern is not None and not faults:
        try:
            matcher = _matcher(pattern)
        except re2.error:
            return [("pattern", "bad_pattern")]
        if example is not None and not matcher.fullmatch(example):
            faults.append(("example", "does_not_match"))
    return faults


@lru_cache(maxsize=256)
def _matcher(pattern: str) -> Any:
    return re2.compile(pattern, _TERSE)


def _definition(data: Mapping[str, Any]) -> FieldDef:
    return FieldDef(
        name=data["name"],
        kind=FieldKind(data["kind"]),
        names=dict(data["names"]),
        choices={choice["code"]: dict(choice["names"]) for choice in data.get("choices", [])},
        required=data.get("required", False),
        limit=data.get("limit", DEFAULT_LIMIT),
        minimum=_decimal(str(data["minimum"])) if data.get("minimum") is not None else None,
        maximum=_decimal(str(data["maximum"])) if data.get("maximum") is not None else None,
        pattern=data.get("pattern"),
        example=data.get("example"),
        not_before=data.get("not_before"),
    )


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
    ordinary: dict[str, Any] = {}
    protected: dict[str, Any] = {}
    for name, definition in by_name.items():
        typed = values.get(name)
        text = "" if typed is None else str(typed).strip()
        if not text:
            if complete and definition.required:
                faults.append(Fault(name, "required", {"names": dict(definition.names)}))
            continue
        kept = _checked(definition, text)
        if isinstance(kept, Fault):
            faults.append(kept)
        else:
            (protected if definition.protected else ordinary)[name] = kept
    faults += _out_of_order(by_name, ordinary)
    if faults:
        raise InvalidInput(*faults)
    return ordinary, protected


def _out_of_order(fields: Mapping[str, FieldDef], values: Mapping[str, Any]) -> list[Fault]:
    """Return a fault for each date that lies before the one that it may not lie before, as far as both are known."""
    faults = []
    for name, definition in fields.items():
        own, other = values.get(name), values.get(definition.not_before or "")
        if own and other and parse_civil(own).last < parse_civil(other).first:
            faults.append(Fault(name, "before_other", {"date": other}))
    return faults


def missing(required: Collection[str], values: Mapping[str, Any]) -> list[Fault]:
    """Return a fault for each required name, of a field or of the description itself, that has no value."""
    return [Fault(name, "required") for name in required if values.get(name) in (None, "", [], ())]


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
    if definition.pattern is None or _matcher(definition.pattern).fullmatch(plain):
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
    number = _decimal(text)
    if number is None:
        return Fault(definition.name, "not_a_number", {"value": text[:40]})
    low, high = definition.minimum, definition.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        bounds = {"low": None if low is None else str(low), "high": None if high is None else str(high)}
        return Fault(definition.name, "out_of_range", bounds)
    return format(number, "f")


def _decimal(text: str) -> Decimal | None:
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", unicodedata.normalize("NFKC", text))
    if len(plain) > 40 or not re.fullmatch(r"[+-]?\d+(\.\d+)?", plain):
        return None
    try:
        return Decimal(plain)
    except InvalidOperation:
        return None


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
