"""How long a browser is waited for: a bound against hanging, no more. A loaded machine is slow, not wrong."""

from playwright.sync_api import expect

MILLISECONDS = 60_000

expect.set_options(timeout=MILLISECONDS)
