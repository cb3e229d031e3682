"""How much programs want of a list."""

from pydantic import Field

from web.api.given import Page


class LongPage(Page):
    """Of a list that programs knew before it had pages: as much as one page holds, unless they ask for less."""

    limit: int = Field(200, ge=1, le=200)
