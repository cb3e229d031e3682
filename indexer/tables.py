"""The cells of a spreadsheet, read behind the walls of a fork."""

from indexer.extract.answer import Failure, Reason
from indexer.sandbox.client import Extractor
from indexer.sandbox.tasks import TABLE

Table = tuple[str, list[list[str]], bool]
"""A sheet: its name, its rows of cells, and whether rows were left out."""


def read_sheets(extractor: Extractor, data: bytes) -> list[Table] | Failure:
    """Return the sheets of a spreadsheet, or why it cannot be read.

    Raises:
        Unavailable: no fork server can be started.
    """
    file = extractor.hold([data], len(data))
    try:
        answer = extractor.done_held(TABLE, file, 1)
    finally:
        file.close()
    if isinstance(answer, Failure):
        return answer
    try:
        return [
            (str(sheet["name"]), [[str(cell) for cell in row] for row in sheet["rows"]], bool(sheet["more"]))
            for sheet in answer["sheets"]
        ]
    except (KeyError, TypeError):
        return Failure(Reason.CRASHED, "table")
