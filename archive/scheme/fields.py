"""A category's own typed fields: what each is, and which rules its values keep, alone and beside those of others."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from typing import Any

import re2

from archive.errors import Fault, InvalidInput

DEFAULT_LIMIT = 2_000
LARGEST_LIMIT = 20_000
LANGUAGES = ("zh_CN", "zh_TW", "en")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

_KEYS = frozenset(
    (
        "name", "names", "kind", "choices", "required", "limit", "minimum", "maximum", "pattern", "example",
        "not_before", "not_above", "sum_of", "required_if",
    )
)  # fmt: skip
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
    Rules across fields hold where the category has them all and as far as their values are known: ``not_before`` names
    the date that this one does not lie before, ``not_above`` the number that this one does not pass, ``sum_of`` the
    numbers that it is the sum of. ``required_if`` makes it needed where another field has a value: a choice's code, or
    any (None).
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
    not_above: str | None = None
    sum_of: tuple[str, ...] = ()
    required_if: tuple[str, str | None] | None = None

    def asked(self, values: Mapping[str, Any]) -> bool:
        """Whether the field is needed beside the values of the others."""
        if self.required_if is None:
            return self.required
        name, wanted = self.required_if
        return self.required or (bool(values.get(name)) if wanted is None else values.get(name) == wanted)

    @property
    def others(self) -> frozenset[str]:
        """The other fields that its rules name."""
        named = (self.not_before, self.not_above, *self.sum_of, self.required_if and self.required_if[0])
        return frozenset(name for name in named if name)

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
        if self.required_if is not None:
            name, wanted = self.required_if
            data["required_if"] = {name: True if wanted is None else wanted}
        checks = {key: getattr(self, key) for key in ("pattern", "example", "not_before", "not_above")}
        data |= {key: text for key, text in checks.items() if text is not None}
        return data | ({"sum_of": list(self.sum_of)} if self.sum_of else {})


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
        if each.get("name") in [known.name for known in found]:  # a list: what was typed may not be hashable
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
    known = [kind.value for kind in FieldKind]
    if data.get("kind") not in known:
        faults.append(Fault(f"{at}.kind", "unknown_kind", {"value": str(data.get("kind"))[:40], "known": known}))
    faults += check_names(data.get("names"), f"{at}.names")
    choices = data.get("choices", [])
    if (data.get("kind") == FieldKind.CHOICE) != bool(choices):
        faults.append(Fault(f"{at}.choices", "choices_missing" if not choices else "choices_unwanted"))
    if not isinstance(choices, list):
        faults.append(Fault(f"{at}.choices", "not_a_list"))
        choices = []
    for n, choice in enumerate(choices):
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
        if data.get(key) is not None and decimal(str(data[key])) is None
    ]
    return faults + [Fault(f"{at}.{key}", code) for key, code in _check_faults(data)]


def _check_faults(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what is wrong with the checks of a definition: key and code."""
    pattern, example = data.get("pattern"), data.get("example")
    faults: list[tuple[str, str]] = []
    kinds = {
        "pattern": FieldKind.TEXT, "example": FieldKind.TEXT, "not_before": FieldKind.DATE,
        "not_above": FieldKind.NUMBER,
    }  # fmt: skip
    for key, kind in kinds.items():
        text = data.get(key)
        if text is not None and (not isinstance(text, str) or not 0 < len(text) <= LONGEST_PATTERN):
            faults.append((key, "bad_text"))
        elif text is not None and data.get("kind") != kind:
            faults.append((key, "of_another_kind"))
    parts, when = data.get("sum_of", []), data.get("required_if", {})
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        faults.append(("sum_of", "not_a_list"))
    elif parts and data.get("kind") != FieldKind.NUMBER:
        faults.append(("sum_of", "of_another_kind"))
    if not isinstance(when, Mapping) or len(when) > 1 or not all(_is_condition(*each) for each in when.items()):
        faults.append(("required_if", "not_a_condition"))
    if pattern is not None and not faults:
        try:
            compiled = matcher(pattern)
        except re2.error:
            return [("pattern", "bad_pattern")]
        if example is not None and not compiled.fullmatch(example):
            faults.append(("example", "does_not_match"))
    return faults


def _is_condition(name: Any, wanted: Any) -> bool:
    return isinstance(name, str) and (wanted is True or (isinstance(wanted, str) and bool(wanted)))


def across_faults(fields: Sequence[FieldDef], known: Mapping[str, FieldDef]) -> list[Fault]:
    """Return what is wrong with the fields that rules name, each fault under its field's name (``a.sum_of``).

    ``known`` are the fields that a rule may name, by name: it may name one that a category has not.
    """
    faults = []
    for each in fields:
        for key, names, kind in (
            ("not_before", (each.not_before,), FieldKind.DATE), ("not_above", (each.not_above,), FieldKind.NUMBER),
            ("sum_of", each.sum_of, FieldKind.NUMBER),
        ):  # fmt: skip
            wrong = [name for name in names if name and (name == each.name or not _is_a(known.get(name), kind))]
            faults += [Fault(f"{each.name}.{key}", "unknown_field", {"name": name[:40]}) for name in wrong]
        if each.required_if is not None:
            name, wanted = each.required_if
            other = known.get(name)
            if other is None or name == each.name:
                faults.append(Fault(f"{each.name}.required_if", "unknown_field", {"name": name[:40]}))
            elif wanted is not None and wanted not in other.choices:
                facts = {"value": wanted[:40], "known": list(other.choices)}
                faults.append(Fault(f"{each.name}.required_if", "unknown_choice", facts))
    return faults


def _is_a(other: FieldDef | None, kind: FieldKind) -> bool:
    return other is not None and other.kind is kind


@lru_cache(maxsize=256)
def matcher(pattern: str) -> Any:
    """Return what matches a pattern whole; the same one is compiled once. Raises ``re2.error``."""
    return re2.compile(pattern, _TERSE)


def _definition(data: Mapping[str, Any]) -> FieldDef:
    return FieldDef(
        name=data["name"],
        kind=FieldKind(data["kind"]),
        names=dict(data["names"]),
        choices={choice["code"]: dict(choice["names"]) for choice in data.get("choices", [])},
        required=data.get("required", False),
        limit=data.get("limit", DEFAULT_LIMIT),
        minimum=decimal(str(data["minimum"])) if data.get("minimum") is not None else None,
        maximum=decimal(str(data["maximum"])) if data.get("maximum") is not None else None,
        pattern=data.get("pattern"),
        example=data.get("example"),
        not_before=data.get("not_before"),
        not_above=data.get("not_above"),
        sum_of=tuple(data.get("sum_of", ())),
        required_if=next(
            ((key, None if code is True else code) for key, code in data.get("required_if", {}).items()), None
        ),
    )


def decimal(text: str) -> Decimal | None:
    """Return a number as people write it, with commas perhaps; None when it is none."""
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", unicodedata.normalize("NFKC", text))
    if len(plain) > 40 or not re.fullmatch(r"[+-]?\d+(\.\d+)?", plain):
        return None
    try:
        return Decimal(plain)
    except InvalidOperation:
        return None
