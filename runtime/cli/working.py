"""Workers beside the one that ``juanku serve`` starts."""

import click

from archive.errors import Fault, InvalidInput
from archive.jobs.outbox import QUEUES
from runtime.cli.common import command, settings
from runtime.cli.out import Out
from web.words import mark

NAMES = sorted(set(QUEUES.values()))
INDEX = "index"


@click.option(
    "--queues", default=None, help="Which queues (light, extract, ocr, index, retention), with commas between."
)
@command("worker", "Run jobs beside the worker of juanku serve, until Ctrl-C or a termination signal.")
def worker(out: Out, queues: str | None) -> None:
    """Run jobs until told to end; the batch under way is finished first."""
    from runtime.setting_up import require_ready  # noqa: PLC0415 (mistyped queues are told at once)
    from runtime.worker import help_out  # noqa: PLC0415

    chosen = settings()
    one_writer = chosen.search_url.startswith("embedded")
    wanted = [word.strip() for word in queues.split(",")] if queues else NAMES
    for queue in wanted:
        if queue not in NAMES:
            out.fail(InvalidInput(Fault("queues", "no_such_queue", {"value": queue[:40], "known": ", ".join(NAMES)})))
    if one_writer and queues and INDEX in wanted:
        out.fail(InvalidInput(Fault("queues", "one_index_writer")))
    require_ready(chosen)
    mine = [queue for queue in wanted if not (one_writer and queue == INDEX)]
    out.remark(mark("Working on: %(queues)s. Ctrl-C ends it, after the batch under way."), queues=", ".join(mine))
    help_out(chosen, mine)
    out.end({"queues": mine}, [out.gettext(mark("All has ended."))])


COMMANDS = (worker,)
