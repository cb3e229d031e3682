"""How important a record is: the step a person said, else its category's, else none. It decides nothing alone."""

from typing import Any

from sqlalchemy import ColumnElement, func, select

from archive.errors import Fault
from archive.model import Category, Record

ORDINARY, IMPORTANT, ESSENTIAL = 1, 2, 3
STEPS = (ORDINARY, IMPORTANT, ESSENTIAL)


def faults_of(step: Any) -> list[Fault]:
    """Return what is wrong with a step; None says nothing, and is right."""
    if step is None or (isinstance(step, int) and not isinstance(step, bool) and step in STEPS):
        return []
    return [Fault("importance", "out_of_range", {"low": STEPS[0], "high": STEPS[-1]})]


def at_most(step: int) -> ColumnElement[bool]:
    """Return the condition of records whose importance is said, and is ``step`` or less."""
    by_category = select(Category.importance).where(Category.id == Record.category_id).correlate(Record)
    return func.coalesce(Record.importance, by_category.scalar_subquery()) <= step
