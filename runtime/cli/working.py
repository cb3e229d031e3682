"""The processes of a house on servers: pages, and workers, each by itself."""

import click

from archive.errors import BrokenSetting, Fault, InvalidInput
from archive.jobs.outbox import QUEUES
from runtime.cli.common import command, settings
from runtime.cli.out import Out
from runtime.ready import require_files
from web.words import mark

NAMES = sorted(set(QUEUES.values()))
INDEX = "index"


@click.option("--queues", default=None, help=f"Which queues ({', '.join(NAMES)}), with commas between.")
@click.option("--first", is_flag=True, help="Also seal the log and sign it: where juanku serve does not run.")
@command("worker", "Run jobs beside the worker of juanku serve, until Ctrl-C or a termination signal.")
def worker(out: Out, queues: str | None, first: bool) -> None:
    """Run jobs until told to end; the batch under way is finished first."""
    from runtime.processes.worker import help_out, lead  # noqa: PLC0415
    from runtime.setting_up.making import require_ready, stop_unless_ready  # noqa: PLC0415 (mistyped queues are told at once)

    chosen = settings()
    one_writer = chosen.search_url.startswith("embedded")
    wanted = [word.strip() for word in queues.split(",")] if queues else NAMES
    for queue in wanted:
        if queue not in NAMES:
            out.fail(InvalidInput(Fault("queues", "no_such_queue", {"value": queue[:40], "known": ", ".join(NAMES)})))
    if one_writer and queues and INDEX in wanted and not first:
        out.fail(InvalidInput(Fault("queues", "one_index_writer")))
    if first:
        stop_unless_ready(chosen)  # nobody starts it again by hand: it waits for a database that is starting
    else:
        require_ready(chosen)
    mine = [queue for queue in wanted if first or not (one_writer and queue == INDEX)]
    out.remark(mark("Working on: %(queues)s. Ctrl-C ends it, after the batch under way."), queues=", ".join(mine))
    if not first:
        help_out(chosen, mine)
    else:
        waits = mark("Another first worker, or a command, is at work on this machine; this one waits for its end.")
        lead(chosen, mine, lambda: out.remark(waits))
    out.end({"queues": mine}, [out.gettext(mark("All has ended."))])


@command("web", "Serve the pages alone, in several processes, until a termination signal; workers run beside it.")
def web(out: Out) -> None:
    """Serve the pages by gunicorn."""
    from runtime.setting_up.making import stop_unless_ready  # noqa: PLC0415

    chosen = settings()
    require_files(chosen)
    stop_unless_ready(chosen)
    try:
        from runtime.processes.house_web import serve_pages  # noqa: PLC0415 (comes with the extra house)
    except ModuleNotFoundError as error:
        if error.name != "gunicorn":
            raise
        out.fail(BrokenSetting(variable="JUANKU_WEB_PROCESSES", reason="driver_missing"))
    serve_pages(chosen)


COMMANDS = (worker, web)
