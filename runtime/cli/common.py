"""What the commands share: settings, parts, and the way errors leave."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from archive.errors import ArchiveError
from runtime.cli.out import Out
from runtime.locks import held
from runtime.settings import Settings, load
from web.words import mark

if TYPE_CHECKING:
    from archive.ports import Waker
    from runtime.wiring.parts import Parts


def command(name: str, help_text: str, **context: Any) -> Callable[[Callable[..., None]], click.Command]:
    """Make a command that takes ``--json`` and tells every archive error in words.

    The function gets ``out`` as its first argument; ``context`` are click's context settings.
    """

    def wrap(function: Callable[..., None]) -> click.Command:
        @functools.wraps(function)
        def run(*, as_json: bool, **options: Any) -> None:
            out = Out(as_json)
            try:
                function(out, **options)
            except ArchiveError as error:
                out.fail(error)
            except KeyboardInterrupt:
                out.remark(mark("Stopped. What was finished is kept; start again to go on."))
                raise SystemExit(130) from None
            except Exception as error:
                from runtime.refusals import as_ours  # noqa: PLC0415 (knows the database; most commands never need it)

                if ours := as_ours(error):
                    out.fail(ours)
                raise

        as_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
        made: click.Command = click.command(name, help=help_text, context_settings=context)(as_json(run))
        return made

    return wrap


def settings() -> Settings:
    """Read the settings."""
    return load()


@contextmanager
def opened() -> "Iterator[Parts]":
    """Open the archive that the settings name; a running worker hears of new jobs.

    The parts are imported here, so that a command that needs none of them answers at once.

    Raises:
        WrongState: there is no archive yet.
    """
    from runtime.setting_up.making import require_ready  # noqa: PLC0415
    from runtime.wiring.parts import build, settle  # noqa: PLC0415

    chosen = load()
    require_ready(chosen)
    parts = build(chosen, _waker(chosen))
    settle()
    try:
        yield parts
    finally:
        parts.close()


def _waker(chosen: Settings) -> "Waker":
    """Return the broker's waker if a worker runs; importing its client for nobody would only cost time."""
    from runtime.processes.working import LocalWaker  # noqa: PLC0415

    with held(chosen.run / "worker.lock") as nobody_works:
        if nobody_works:
            return LocalWaker()
    from runtime.celery_app import CeleryWaker  # noqa: PLC0415

    return CeleryWaker(chosen)
