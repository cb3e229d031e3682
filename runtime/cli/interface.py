"""The command that describes the interface for programs."""

import json

from runtime.cli.common import command
from runtime.cli.out import Out


@command("openapi", "Print the OpenAPI document of the interface for programs; it needs no archive.")
def openapi(out: Out) -> None:
    """Print the document."""
    from web.api.document import document  # noqa: PLC0415 (no other command needs the web)

    described = document()
    out.end(described, [json.dumps(described, ensure_ascii=False, indent=2)])


COMMANDS = (openapi,)
