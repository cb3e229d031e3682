"""Commands on number rules: number check, explain, list, add."""

from typing import Any

import click
from sqlalchemy import select

from archive.errors import Fault, InvalidInput
from archive.model import NumberRule
from archive.numbering import reference, rule
from runtime.cli.asked import OPERATOR, acting, added, like, names_of, with_names
from runtime.cli.common import command, opened
from runtime.cli.out import Out, locale, pointed
from web.words import mark, named
from web.words.faults import explain_fault
from web.words.numbers import rule_lines


@click.group("number")
def number() -> None:
    """Number rules: the templates by which numbers are made."""


@click.argument("template")
@click.option("--reference", "is_reference", is_flag=True, help="Check a reference rule, not a formal one.")
@command("check", "Check a template: what is wrong and where, or how its numbers look.")
def check(out: Out, template: str, is_reference: bool) -> None:
    """Check a template."""
    try:
        document = _explained(template, is_reference=is_reference)
    except InvalidInput as refused:
        fault = refused.faults[0]
        at, told = int(fault.facts.get("at", 0)), explain_fault(fault, locale())
        lines = [*pointed(template, at), told]
        out.end({"ok": False, "template": template, "at": at, "code": fault.code, "words": told}, lines, ok=False)
    out.end({"ok": True, **document}, _lines(out, document))


def _explained(template: str, *, is_reference: bool) -> dict[str, Any]:
    if is_reference:
        found = reference.parse(template)
        preview = found.render({name: f"<{name}>" for name in found.names})
        return {"template": template, "preview": preview, "parts": list(found.names)}
    checked = rule.parse(template)
    return {"template": template, "preview": checked.preview(), "parts": rule_lines(checked, locale())}


def _lines(out: Out, document: dict[str, Any]) -> list[str]:
    said = out.gettext(mark("For example: %(number)s"), number=document["preview"])
    return [document["template"], said, *(f"  {part}" for part in document["parts"])]


@click.argument("code")
@command("explain", "Say in words what the numbers of a rule hold.")
def explain(out: Out, code: str) -> None:
    """Explain a rule."""
    with opened() as parts, parts.db.reading() as session:
        row = session.scalars(select(NumberRule).where(NumberRule.code == code)).one_or_none()
    if row is None:
        raise InvalidInput(Fault("code", "unknown_rule", {"code": code[:40]}))
    document = _explained(row.template, is_reference=code.startswith(reference.PREFIX))
    out.end({"code": code, "names": dict(row.names), **document}, [named(row.names, locale()), *_lines(out, document)])


@command("list", "List the number rules and reference rules.")
def list_rules(out: Out) -> None:
    """List the rules."""
    with opened() as parts, parts.db.reading() as session:
        rows = session.scalars(select(NumberRule).order_by(NumberRule.code)).all()
    shown = [
        {"code": row.code, "names": dict(row.names),
         **_explained(row.template, is_reference=row.code.startswith(reference.PREFIX))}
        for row in rows
    ]  # fmt: skip
    lines = [f"{row['code']:<24} {row['template']}\n{'':<24} {row['preview']}" for row in shown]
    out.end({"rules": shown}, lines)


@click.argument("template")
@click.argument("code")
@with_names
@command("add", "Add a number rule that schemes can name; a code that begins 'reference.' makes a reference rule.")
def add(out: Out, code: str, template: str, name: str, name_tw: str | None, name_en: str | None) -> None:
    """Add a rule."""
    names = names_of(name, name_tw, name_en)
    with acting() as parts:
        with parts.db.reading() as session:
            there = session.scalars(select(NumberRule).where(NumberRule.code == code)).one_or_none()
        key, is_new = added(
            "code",
            lambda: like(there, names=names, template=template),
            lambda: parts.scheme.add_rule(OPERATOR, code, names, template),
        )
    document = _explained(template, is_reference=code.startswith(reference.PREFIX))
    out.end({"id": str(key), "code": code, "added": is_new, **document}, _lines(out, document))


for _command in (check, explain, list_rules, add):
    number.add_command(_command)
COMMANDS = (number,)
