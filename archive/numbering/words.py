"""A rule taken apart, so that the edges can say in words what its numbers hold."""

from typing import Any

from archive.numbering.rule import Literal, NumberField, Part, Rule, Slot

Words = list[tuple[str, dict[str, Any]]]
"""Message codes with their facts, in the order of the number."""


def explain(rule: Rule) -> Words:
    """Return the parts of a rule as message codes with facts.

    Codes: ``rule_text`` (facts ``text``), ``rule_optional`` (facts ``parts``: the same again, shown only when the
    record has them), ``rule_serial`` (facts ``width``, at least so many digits), and ``rule_<field>`` for each
    field (facts ``width`` when one is set, 0 otherwise). The last is ``rule_counts_by`` with ``fields``, those that
    begin a new count when one of them changes.
    """
    counted = [slot.name.value for slot in rule.slots() if slot.name is not NumberField.SERIAL]
    return [*(_said(part) for part in rule.parts), ("rule_counts_by", {"fields": counted})]


def _said(part: Part) -> tuple[str, dict[str, Any]]:
    if isinstance(part, Literal):
        return ("rule_text", {"text": part.text})
    if isinstance(part, Slot):
        return (f"rule_{part.name.value}", {"width": part.width})
    return ("rule_optional", {"parts": [_said(inner) for inner in part.parts]})


MESSAGE_CODES = (
    "rule_text",
    "rule_optional",
    "rule_counts_by",
    *(f"rule_{name.value}" for name in NumberField),
)
"""Every code that ``explain`` may give, for the tables of words at the edges."""
