"""Routes whose builders of addresses are compiled when the first address is built.

Werkzeug compiles two for each of the hundreds of routes when they are added: a tenth of a start.
"""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule


class LateRule(Rule):
    """A route that costs nothing until it is used."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        late = super()._compile_builder

        def build(rule: Rule, /, **values: Any) -> tuple[str, str]:
            compiled: Callable[..., tuple[str, str]] = late(append_unknown).__get__(rule)
            setattr(rule, "_build_unknown" if append_unknown else "_build", compiled)
            return compiled(**values)

        return build
