"""What the rules are called that find values for fields: each says where such values stand."""

from collections.abc import Mapping

from archive.cataloguing.proposals import Proposed
from web.words import mark, translator

RULES: Mapping[str, str] = {
    "title_about": mark("the heading that says what it is about"),
    "title_contract": mark("a line of its own near the top that names a contract"),
    "title_kind": mark("a line of its own near the top that names a kind of paper"),
    "subject": mark("the mail's subject"),
    "file_title": mark("the title in the file's properties"),
    "date_signed": mark("a date on a line of its own near the end"),
    "date_first": mark("the first date near the beginning"),
    "date_enacted": mark("the last adoption or amendment told at the head"),
    "date_last": mark("the last date near the end"),
    "file_made": mark("the day in the file's properties on which it was made"),
    "file_name": mark("the day in the file's name"),
    "file_date": mark("where it was read is not kept (such as the file's own date)"),
    "number_head": mark("the document number in the head"),
    "number_label": mark("what stands behind its label near the top"),
    "signed_above": mark("the line above the date at the end"),
    "signed_before": mark("the name before the date at the end"),
    "issuer": mark("the issuing body in the head"),
    "party": mark("party A of the contract"),
    "labelled": mark("the name behind its label near the top"),
    "sender": mark("the mail's sender"),
    "file_author": mark("the author in the file's properties"),
}


def rule_words(rule: str, locale: str) -> str:
    """Return a rule in words; one without words shows its own name."""
    return translator(locale)(RULES[rule]) if rule in RULES else rule


def place_words(each: Proposed, locale: str) -> str:
    """Say where a value was found and by which rule: ``page 1: the heading …``."""
    words = rule_words(each.found.rule, locale)
    if each.found.page is None:
        return words
    return translator(locale)(mark("page %(number)s: %(rule)s"), number=each.found.page, rule=words)
