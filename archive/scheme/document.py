"""A scheme as a document: read from YAML, checked whole before anything is written, and written back.

A fault names its path in the file (``categories[3].fields[0].kind``). What a category leaves out (level, term,
importance, rules, fields, required names) it takes from its parent.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from archive.errors import Fault, InvalidInput
from archive.importance import faults_of
from archive.numbering import reference, rule
from archive.scheme.fields import FieldDef, across_faults, check_names, parse_fields
from archive.terms import BadTerm, parse_term

FORMAT = 1
LARGEST_BYTES = 4 * 1024 * 1024
DESCRIPTION = frozenset(
    ("title", "responsible", "drawn_up", "department", "place", "pages", "medium", "keywords", "importance", "notes")
)
"""What of a description itself may be required, beside a category's own fields."""

TITLE_FORM = "title_form"
"""Among what is required: titles of items must say what they are about, 关于……的……."""

ALWAYS_REQUIRED = ("title", "drawn_up")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.]{0,15}")
_RULE_CODE = re.compile(r"[a-z][a-z0-9_.]{0,39}")
_KEYS = frozenset(
    (
        "code",
        "names",
        "level",
        "term",
        "importance",
        "number_rule",
        "reference_rule",
        "fields",
        "required",
        "documents",
        "categories",
    )
)


@dataclass(frozen=True)
class RuleDef:
    """A number rule of the scheme."""

    code: str
    names: Mapping[str, str]
    template: str

    @property
    def is_reference(self) -> bool:
        """Whether it makes reference numbers."""
        return self.code.startswith(reference.PREFIX)


@dataclass(frozen=True)
class CategoryDef:
    """A category with all that it takes from its parents filled in. ``level`` is a rank, or a level's code."""

    code: str
    names: Mapping[str, str]
    parent: str | None
    level: int | str
    term: str
    number_rule: str | None
    reference_rule: str | None
    fields: tuple[FieldDef, ...]
    required: tuple[str, ...]
    documents: tuple[Mapping[str, Any], ...]
    importance: int | None = None
    path: str = field(default="", compare=False)


@dataclass(frozen=True)
class Scheme:
    """A checked scheme; categories stand parents first, in the order of the document."""

    code: str
    names: Mapping[str, str]
    rules: tuple[RuleDef, ...]
    categories: tuple[CategoryDef, ...]

    def to_yaml(self) -> str:
        """Return the document; reading it back gives an equal scheme."""
        data = {
            "format": FORMAT,
            "code": self.code,
            "names": dict(self.names),
            "number_rules": [_rule_data(each) for each in self.rules if not each.is_reference],
            "reference_rules": [_rule_data(each) for each in self.rules if each.is_reference],
            "categories": self._branch(None),
        }
        return yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=120)

    def _branch(self, parent: str | None) -> list[dict[str, Any]]:
        return [_category_data(each) | self._below(each.code) for each in self.categories if each.parent == parent]

    def _below(self, code: str) -> dict[str, Any]:
        below = self._branch(code)
        return {"categories": below} if below else {}


def read_yaml(text: str | bytes, what: str = "scheme") -> dict[str, Any]:
    """Read a YAML document that is a mapping.

    Raises:
        InvalidInput: it is too large, no YAML (with line and column), or no mapping.
    """
    if len(text) > LARGEST_BYTES:
        raise InvalidInput(Fault(what, "too_long", {"limit": LARGEST_BYTES, "length": len(text)}))
    try:
        data = yaml.load(text, Loader=_PlainLoader)  # noqa: S506  (a SafeLoader, below)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a ValueError: 30 February, a number of 5,000 digits
        mark = getattr(error, "problem_mark", None)
        where = {"line": mark.line + 1, "column": mark.column + 1} if mark else {}
        raise InvalidInput(Fault(what, "not_yaml", where)) from None
    if not isinstance(data, dict):
        raise InvalidInput(Fault(what, "not_a_mapping"))
    if data.get("format") != FORMAT:
        raise InvalidInput(Fault("format", "unknown_format", {"known": [FORMAT]}))
    return data


class _PlainLoader(yaml.SafeLoader):
    """A safe loader that takes no aliases, so that a small document cannot grow into a huge one."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError
        return super().compose_node(parent, index)


def load(source: Path | str) -> Scheme:
    """Read and check a scheme from a file, or from the text itself.

    Raises:
        InvalidInput: every fault, each naming its path in the document.
    """
    return parse(read_yaml(source.read_bytes() if isinstance(source, Path) else source))


def parse(data: Mapping[str, Any]) -> Scheme:
    """Check a scheme given as plain data. Raises as ``load`` does."""
    faults: list[Fault] = []
    known = {"format", "code", "names", "number_rules", "reference_rules", "fields", "categories"}
    faults += [Fault(str(key)[:60], "unknown_key") for key in data if key not in known]
    faults += _code_faults(data.get("code"), "code") + check_names(data.get("names"), "names")
    rules = _rules(data, faults)
    reader = _Reader(_catalogue(data.get("fields", {}), faults), {each.code: each for each in rules}, faults)
    categories = tuple(reader.read(data.get("categories", []), "categories", None))
    if not categories and not faults:
        faults.append(Fault("categories", "required"))
    if faults:
        raise InvalidInput(*faults)
    return Scheme(data["code"], dict(data["names"]), rules, categories)


def _code_faults(code: Any, at: str) -> list[Fault]:
    if isinstance(code, str) and _CODE.fullmatch(code):
        return []
    return [Fault(at, "bad_code", {"value": str(code)[:40]})]


def _items(data: Any, at: str, faults: list[Fault]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(data, list):
        faults.append(Fault(at, "not_a_list"))
        return
    for n, each in enumerate(data):
        if isinstance(each, dict):
            yield f"{at}[{n}]", each
        else:
            faults.append(Fault(f"{at}[{n}]", "not_a_mapping"))


def _rules(data: Mapping[str, Any], faults: list[Fault]) -> tuple[RuleDef, ...]:
    rules: dict[str, RuleDef] = {}
    for key in ("number_rules", "reference_rules"):
        for at, each in _items(data.get(key, []), key, faults):
            code = str(each.get("code", ""))
            mine = check_names(each.get("names"), f"{at}.names")
            if code in rules:
                mine.append(Fault(f"{at}.code", "repeated", {"code": code}))
            if (key == "reference_rules") != code.startswith(reference.PREFIX):
                mine.append(Fault(f"{at}.code", "bad_prefix", {"prefix": reference.PREFIX}))
            mine += rule_faults(code, str(each.get("template", "")), at)
            faults += mine
            if not mine:
                rules[code] = RuleDef(code, dict(each["names"]), each["template"])
    return tuple(rules.values())


def rule_faults(code: str, template: str, at: str = "") -> list[Fault]:
    """Return what is wrong with a rule's code and template, as faults of ``<at>.code`` and ``<at>.template``."""
    named = [] if _RULE_CODE.fullmatch(code) else [Fault(f"{at}.code".lstrip("."), "bad_code", {"value": code[:40]})]
    try:
        (reference.parse if code.startswith(reference.PREFIX) else rule.parse)(template)
    except InvalidInput as refused:
        return [*named, *(Fault(f"{at}.template".lstrip("."), f.code, f.facts) for f in refused.faults)]
    return named


def _catalogue(data: Any, faults: list[Fault]) -> dict[str, FieldDef]:
    if not isinstance(data, dict):
        faults.append(Fault("fields", "not_a_mapping"))
        return {}
    found: dict[str, FieldDef] = {}
    for name, each in data.items():
        try:
            given = [{"name": name, **each}] if isinstance(each, dict) else [each]
            found |= {f.name: f for f in parse_fields(given)}
        except InvalidInput as refused:
            faults += [
                Fault(f.field.replace("fields[0]", f"fields.{name}", 1), f.code, f.facts) for f in refused.faults
            ]
    return found


class _Reader:
    """Reads the tree of categories, each with what it takes from its parent."""

    def __init__(self, catalogue: Mapping[str, FieldDef], rules: Mapping[str, RuleDef], faults: list[Fault]) -> None:
        self._catalogue = catalogue
        self._rules = rules
        self._faults = faults
        self._codes: set[str] = set()

    def read(self, data: Any, at: str, parent: CategoryDef | None) -> Iterator[CategoryDef]:
        for here, each in _items(data, at, self._faults):
            category = self._category(each, here, parent)
            yield category
            yield from self.read(each.get("categories", []), f"{here}.categories", category)

    def _category(self, data: Mapping[str, Any], at: str, parent: CategoryDef | None) -> CategoryDef:
        mine = [Fault(f"{at}.{str(key)[:40]}", "unknown_key") for key in data if key not in _KEYS]
        mine += _code_faults(data.get("code"), f"{at}.code") + check_names(data.get("names"), f"{at}.names")
        code = str(data.get("code"))
        if code in self._codes:
            mine.append(Fault(f"{at}.code", "repeated", {"code": code[:40]}))
        self._codes.add(code)
        self._faults += mine
        level = data.get("level", parent.level if parent else 1)
        if isinstance(level, bool) or not isinstance(level, int | str):
            self._faults.append(Fault(f"{at}.level", "bad_level"))
        importance = data.get("importance", parent.importance if parent else None)
        self._faults += [replace(each, field=f"{at}.importance") for each in faults_of(importance)]
        fields = self._fields(data["fields"], f"{at}.fields") if "fields" in data else (parent.fields if parent else ())
        names = data.get("names")
        return CategoryDef(
            code=code,
            names=dict(names) if isinstance(names, dict) else {},
            parent=parent.code if parent else None,
            level=level,
            term=self._term(data.get("term", parent.term if parent else None), f"{at}.term"),
            number_rule=self._rule(data, "number_rule", at, parent.number_rule if parent else None),
            reference_rule=self._rule(data, "reference_rule", at, parent.reference_rule if parent else None),
            fields=fields,
            required=self._required(data, at, fields, parent),
            documents=tuple(self._documents(data.get("documents", []), f"{at}.documents")),
            importance=importance,
            path=at,
        )

    def _term(self, term: Any, at: str) -> str:
        try:
            return parse_term(str(term or ""), at).code
        except BadTerm as bad:
            self._faults += bad.faults
            return ""

    def _rule(self, data: Mapping[str, Any], key: str, at: str, inherited: str | None) -> str | None:
        code = data.get(key, inherited)
        if code is None:
            if key == "number_rule":
                self._faults.append(Fault(f"{at}.{key}", "no_number_rule", {"category": str(data.get("code"))[:40]}))
            return None
        known = self._rules.get(str(code))
        if known is None or known.is_reference != (key == "reference_rule"):
            self._faults.append(Fault(f"{at}.{key}", "unknown_rule", {"code": str(code)[:40]}))
        return str(code)

    def _fields(self, data: Any, at: str) -> tuple[FieldDef, ...]:
        if not isinstance(data, list):
            self._faults.append(Fault(at, "not_a_list"))
            return ()
        given = []
        for n, each in enumerate(data):
            if isinstance(each, str) and each not in self._catalogue:
                self._faults.append(Fault(f"{at}[{n}]", "unknown_field", {"name": each[:40]}))
            else:
                given.append(self._catalogue[each].as_data() if isinstance(each, str) else each)
        try:
            found = parse_fields(given, at)
        except InvalidInput as refused:
            self._faults += refused.faults
            return ()
        known = {each.name: each for each in (*self._catalogue.values(), *found)}
        self._faults += [replace(each, field=f"{at}.{each.field}") for each in across_faults(found, known)]
        return found

    def _required(
        self, data: Mapping[str, Any], at: str, fields: Sequence[FieldDef], parent: CategoryDef | None
    ) -> tuple[str, ...]:
        own = {each.name for each in fields} | DESCRIPTION | {TITLE_FORM}
        if "required" not in data:
            inherited = parent.required if parent else ALWAYS_REQUIRED
            return tuple(name for name in inherited if name in own)
        given = data["required"] if isinstance(data["required"], list) else [data["required"]]
        wrong = [(n, name) for n, name in enumerate(given) if not isinstance(name, str) or name not in own]
        self._faults += [Fault(f"{at}.required[{n}]", "unknown_field", {"name": str(x)[:40]}) for n, x in wrong]
        return tuple(dict.fromkeys((*ALWAYS_REQUIRED, *map(str, given))))

    def _documents(self, data: Any, at: str) -> Iterator[Mapping[str, Any]]:
        seen: set[str] = set()
        for here, each in _items(data, at, self._faults):
            mine = _code_faults(each.get("code"), f"{here}.code") + check_names(each.get("names"), f"{here}.names")
            mine += [Fault(f"{here}.{key}", "unknown_key") for key in each if key not in {"code", "names", "required"}]
            if str(each.get("code")) in seen:
                mine.append(Fault(f"{here}.code", "repeated", {"code": str(each["code"])[:40]}))
            seen.add(str(each.get("code")))
            self._faults += mine
            if not mine:
                yield {"code": each["code"], "names": dict(each["names"]), "required": bool(each.get("required", True))}


def _rule_data(each: RuleDef) -> dict[str, Any]:
    return {"code": each.code, "names": dict(each.names), "template": each.template}


def _category_data(each: CategoryDef) -> dict[str, Any]:
    data: dict[str, Any] = {"code": each.code, "names": dict(each.names), "level": each.level, "term": each.term}
    data["importance"] = each.importance
    data |= {"number_rule": each.number_rule, "reference_rule": each.reference_rule}
    data["fields"] = [f.as_data() for f in each.fields]
    data["required"] = list(each.required)
    data["documents"] = [dict(paper) for paper in each.documents]
    return data
