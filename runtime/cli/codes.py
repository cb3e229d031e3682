"""Between the ids that search facets carry and the codes that people and scripts use."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.errors import Fault, InvalidInput
from archive.model import Category, Department, Fonds, Level


class Codes:
    """The codes of categories, fonds, departments and levels, read once.

    A category whose code stands in several fonds is written ``FONDS:CODE``.
    """

    def __init__(self, session: Session) -> None:
        fonds = {row.id: row.code for row in session.scalars(select(Fonds))}
        categories = list(session.scalars(select(Category)))
        often = {row.code: sum(other.code == row.code for other in categories) for row in categories}
        self._names: Mapping[str, dict[str, str]] = {
            "fonds": {key.hex: code for key, code in fonds.items()},
            "category": {
                row.id.hex: row.code if often[row.code] == 1 else f"{fonds[row.fonds_id]}:{row.code}"
                for row in categories
            },
            "department": {row.id.hex: row.code for row in session.scalars(select(Department))},
            "level": {str(row.rank): row.code for row in session.scalars(select(Level))},
        }

    def filters(self, texts: Sequence[str]) -> list[tuple[str, str]]:
        """Read ``FIELD=VALUE`` filters; a code becomes its id.

        Raises:
            InvalidInput: not a pair, or no such code.
        """
        return [self._filter(text) for text in texts]

    def _filter(self, text: str) -> tuple[str, str]:
        name, separator, value = (part.strip() for part in text.partition("="))
        if not separator:
            raise InvalidInput(Fault("filter", "not_a_pair", {"value": text[:100]}))
        known = self._names.get(name)
        if known is None or value in known:
            return name, value
        ids = [key for key, code in known.items() if code == value]
        if not ids:
            raise InvalidInput(Fault("filter", "bad_filter", {"name": name, "value": value[:100]}))
        return name, ids[0]

    def facets(self, facets: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
        """Return facets with codes for ids."""
        return {
            name: {self._names.get(name, {}).get(str(value), str(value)): count for value, count in values.items()}
            for name, values in facets.items()
        }
