"""Where every server is to be there (``JUANKU_TEST_NO_SKIPS``), a test that is left out fails, but for some reasons."""

import os
from collections.abc import Generator
from typing import TypeVar

import pytest

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

VARIABLE = "JUANKU_TEST_NO_SKIPS"

ALLOWED = (
    "of the embedded database's own file",
    "no PostgreSQL server (JUANKU_TEST_POSTGRES)",  # while the embedded database is tested
    "the server's disk is not ours",
    "may not mount a disk of its own, that could fill up",
    "there is no folder here that even root may not write",
)
"""What is tested on another database, and what a machine without rights over its disks cannot try."""


def asked() -> bool:
    """Whether no test may be left out."""
    return bool(os.environ.get(VARIABLE))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Have a test that is left out fail."""
    report = yield
    return _told(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Have a module that is left out fail."""
    report = yield
    return _told(report)


def _told(report: Report) -> Report:
    if asked() and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(allowed in reason for allowed in ALLOWED):
            report.outcome, report.longrepr = "failed", f"left out, though {VARIABLE} is set: {reason}"
    return report
