"""The report of an audit 审计报告: each point with its answer and what the system counted, and every finding."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from web.prints.papers import Words

AUDIT_REPORT = (
    ("serial", 6), ("point", 60), ("audit_answer", 12), ("told", 50), ("counted_facts", 40), ("destruction", 16),
)  # fmt: skip
AUDIT_FINDINGS = (
    ("serial", 6), ("what_found", 50), ("likelihood", 12), ("measure", 50), ("responsible_for", 16), ("due", 12),
    ("state", 20), ("followed", 60),
)  # fmt: skip


@dataclass(frozen=True)
class AuditReport:
    """An audit as it is printed: texts in the form's language."""

    number: str
    name: str
    kind: str
    fonds: str
    period: str
    due: str
    planned: str
    closed: str
    conclusion: str
    points: Sequence[tuple[str, str, str, str, str]]
    findings: Sequence[tuple[str, str, str, str, str, str, str]]


def audit_reports(given: Sequence[AuditReport], _words: Words) -> list[dict[str, Any]]:
    """Return a sheet for each."""
    return [_report(each) for each in given]


def _report(given: AuditReport) -> dict[str, Any]:
    points, findings = AUDIT_REPORT[1:], AUDIT_FINDINGS[1:]
    heads = ("number", "name", "kind", "fonds", "period", "due", "planned", "closed", "conclusion")
    return {
        "level_rank": 0,
        "level": "",
        "shape": "",
        **{name: getattr(given, name) for name in heads},
        "rows": [
            {"serial": str(at), **dict(zip((name for name, _width in points), each, strict=True))}
            for at, each in enumerate(given.points, 1)
        ],
        "findings": [
            {"serial": str(at), **dict(zip((name for name, _width in findings), each, strict=True))}
            for at, each in enumerate(given.findings, 1)
        ],
    }


def sample(rows: int, name: str, long: str) -> AuditReport:
    """Return a made report."""
    day = "2026-01-31" if rows else ""
    return AuditReport(
        "SJ2026-0001", name, name, name if rows else "", f"{day} – {day}" if rows else "", day, day, day,
        long if rows else "",
        [(long, name, long if at % 3 == 0 else "", name, "XH2026-0001" if at % 4 == 0 else "") for at in range(rows)],
        [(long, name, long, name, day, name, long) for _at in range(rows // 5)],
    )  # fmt: skip
