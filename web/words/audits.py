"""What audits are called: kinds, states, answers, what is counted, and the steps of a follow-up."""

from collections.abc import Mapping

from archive.model.auditing import AuditKind, AuditState, AuditWord, FindingState, Likelihood
from retention.auditing.facts import Counted, Fact
from web.words import mark, translator
from web.words.records import word

KINDS: Mapping[str, str] = {
    AuditKind.DESTRUCTION: mark("destruction audit"),
    AuditKind.RULES: mark("system and rules"),
    AuditKind.SECURITY: mark("security inspection"),
    AuditKind.ADMINISTRATORS: mark("administrators' acts"),
    AuditKind.RISK: mark("risk assessment"),
}
STATES: Mapping[str, str] = {
    AuditState.PLANNED: mark("to be done"),
    AuditState.CLOSED: mark("audit closed"),
    AuditState.WITHDRAWN: mark("audit taken back"),
}
ANSWERS: Mapping[str, str] = {
    AuditWord.MET: mark("met"),
    AuditWord.NOT_MET: mark("not met"),
    AuditWord.NOT_APPLICABLE: mark("does not apply"),
}
LIKELIHOODS: Mapping[str, str] = {
    Likelihood.LOW: mark("unlikely"),
    Likelihood.MEDIUM: mark("possible"),
    Likelihood.HIGH: mark("likely"),
}
FINDINGS: Mapping[str, str] = {
    FindingState.OPEN: mark("to be mended"),
    FindingState.MENDED: mark("mended, to be looked at"),
    FindingState.CLOSED: mark("finding closed"),
}
STEPS: Mapping[str, str] = {
    "mend": mark("said to be mended"),
    "back": mark("sent back"),
    "close": mark("closed after a look"),
    "move": mark("given another person or day"),
}
FACTS: Mapping[str, str] = {
    Fact.DESTRUCTIONS: mark("destructions in this time"),
    Fact.DESTRUCTIONS_APART: mark("destructions in which nobody had two duties"),
    Fact.DESTRUCTIONS_SIGNED: mark("destructions with every signature, all of the counted list"),
    Fact.DESTRUCTIONS_PROVED: mark(
        "destructions with a proof that found nothing left, all copies of the keys confirmed and tables wiped"
    ),
    Fact.OBJECTIONS: mark("objections to them"),
    Fact.PULLED: mark("records taken out of their lists"),
    Fact.LOG_CHECKPOINT: mark("entries of the log under its last checkpoint, whose signature holds"),
    Fact.OFFICERS_ACTS: mark("acts of the three officers in this time"),
    Fact.REFUSED_ACTS: mark("refused acts in this time"),
    Fact.RIGHTS_CHANGED: mark("changes of levels and rights in this time"),
    Fact.HOLDS_TO_REVIEW: mark("holds whose review is late today"),
    Fact.FINDINGS_LATE: mark("findings of audits that are late today"),
}


def fact_words(fact: Fact, counted: Counted, locale: str) -> str:
    """Say what was counted: ``destructions in this time: 3``, or ``…: 2 of 3``."""
    said = translator(locale)
    what = word(FACTS, fact, locale)
    if counted.of is None:
        return said(mark("%(what)s: %(count)s"), what=what, count=counted.value)
    return said(mark("%(what)s: %(count)s of %(all)s"), what=what, count=counted.value, all=counted.of)
