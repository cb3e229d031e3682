"""What programs send of batches that are handed in."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from archive.handin.lines import LONGEST, MOST_COPIES, MOST_LINES, MOST_PAGES
from archive.handin.listing import LONGEST_NAME
from archive.model import Carrier, Failing, HandInState
from web.api.given import Code, Page, Reason
from web.api.shapes import Shape


class BatchList(Page):
    """Which batches."""

    state: HandInState | None = None


class NewBatch(Shape):
    """A batch to be opened."""

    fonds: Code = Field(description="The fonds' code.")
    category: Code = Field(description="The category's code.")
    name: Annotated[str, Field(max_length=LONGEST_NAME)]
    department: Code | None = Field(None, description="The department's code.")
    level: int | None = Field(None, ge=0, le=99, description="The level's rank; the category's when left out.")


class BatchLine(Shape):
    """What a line of the list says: a number or a title at least."""

    line: UUID | None = Field(None, description="The line that is mended; left out for a new one.")
    number: Annotated[str, Field(max_length=LONGEST["number"])] = ""
    title: Annotated[str, Field(max_length=LONGEST["title"])] = ""
    drawn_up: Annotated[str, Field(max_length=40)] = Field("", description="A civil date as far as it is known.")
    pages: int | None = Field(None, ge=0, le=MOST_PAGES)
    copies: int = Field(1, ge=1, le=MOST_COPIES)
    carrier: Carrier | None = Field(Carrier.PAPER, description="Null: a file that is in the archive already.")
    remarks: Annotated[str, Field(max_length=LONGEST["remarks"])] = ""


class BatchLines(Shape):
    """All lines that lie with the clerk; one that is left out is taken off the list, or withdrawn if it came back."""

    lines: list[BatchLine] = Field(max_length=MOST_LINES)


class LineLooked(Shape):
    """What was found of a line: it passes when all four hold and no reason is given."""

    arrived: bool = True
    pages_agree: bool = True
    readable: bool = True
    labelled: bool = True
    reason: Failing | None = None
    words: Reason = ""
