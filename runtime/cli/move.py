"""The command that moves the house to another place, and takes a move back."""

import json
import shlex
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import click

from archive.errors import Fault, InvalidInput, WrongState
from runtime.cli.common import command, settings
from runtime.cli.out import Out
from runtime.locks import held
from runtime.settings import Settings, load
from web.words import mark

_OF = {"store": ("store_",), "database": ("database_",), "index": ("search_",)}


@click.option("--to", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The new settings.")
@click.option("--only", type=click.Choice(sorted(_OF)), help="Move this part alone; all else stays.")
@click.option("--live", is_flag=True, help="Copy files while people work; read only for the rest.")
@click.option("--even-damaged", is_flag=True, help="Go on though some files are not whole here.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Where the report is written.")
@click.option("--undo", is_flag=True, help="Open the house here again after a move, or after one that was killed.")
@command("move", "Move the house to other parts or servers; it is verified, and goes on where it broke off.")
def move(
    out: Out, file: Path | None, only: str | None, live: bool, even_damaged: bool, report: Path | None, undo: bool
) -> None:
    """Move the house."""
    from runtime.moving.closure import moving_parts  # noqa: PLC0415 (heavy)
    from runtime.ready import require_files  # noqa: PLC0415
    from runtime.setting_up.making import require_version  # noqa: PLC0415

    source = settings()
    if (file is None) is not undo:
        raise InvalidInput(Fault("to", "required"))
    require_files(source)
    with held(source.run / "move.lock") as alone:
        if not alone:
            raise WrongState(state="moving", act="move")
        parts = moving_parts(source, source)
        try:
            with parts.db.reading() as session:
                require_version(session.connection())
            if file is None:
                _undo(out, parts)
            else:
                target = target_of(source, file, only)
                how = {"live": live, "even_damaged": even_damaged}
                _move(out, parts, target, report, how)
        finally:
            parts.close()


def target_of(source: Settings, file: Path, only: str | None = None) -> Settings:
    """Read the settings of the new place; what the file does not name is its default, home and ring are the house's.

    With ``only`` all other parts are those of the house.

    Raises:
        BrokenSetting: as ``runtime.settings.load``.
        InvalidInput: a line is no setting.
    """
    given = {"JUANKU_HOME": str(source.home), "JUANKU_KEYS": str(source.keys)} | read_settings(file)
    target = load(given)
    if only is None:
        return target
    moved = {each.name for each in fields(Settings) if each.name.startswith(_OF[only])}
    return replace(source, **{name: getattr(target, name) for name in moved})


def read_settings(file: Path) -> dict[str, str]:
    """Read ``NAME=value`` lines, as a shell or a service file has them. Raises ``InvalidInput``."""
    found = {}
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            raise InvalidInput(Fault("to", "no_setting", {"line": number})) from None
        for word in words[1:] if words[:1] == ["export"] else words:
            name, equals, value = word.partition("=")
            if not equals or not name.startswith("JUANKU_"):
                raise InvalidInput(Fault("to", "no_setting", {"line": number}))
            found[name] = value
    return found


def _move(out: Out, parts: Any, target: Settings, report: Path | None, how: dict[str, bool]) -> None:
    from runtime.moving.house import HouseMove  # noqa: PLC0415 (heavy)

    def told(step: str, done: int, every: int) -> None:
        out.progress(f"{step} {done}/{every}" if every else step)

    mover = HouseMove(parts, target, told=told, live=how["live"], even_damaged=how["even_damaged"])
    facts = mover.run()
    file = report or parts.settings.home / f"move-{facts['move']}.json"
    file.write_text(json.dumps(facts, ensure_ascii=False, indent=1), "utf-8")
    out.end(facts | {"report": str(file)}, _words(out, facts, file))


def _words(out: Out, facts: dict[str, Any], file: Path) -> list[str]:
    said = [out.gettext(mark("The house has moved to %(to)s."), to=facts["to"])]
    if objects := facts.get("objects"):
        line = mark("%(count)s files (%(bytes)s bytes) lie there, each read back and equal by its hash.")
        said.append(out.gettext(line, **objects))
        said += [out.gettext(mark("Not whole here, and not copied: %(key)s"), key=key) for key in objects["damaged"]]
    if tables := facts.get("tables"):
        rows = sum(each["rows"] for each in tables.values())
        line = mark("%(rows)s rows of %(tables)s tables are there, equal by count and hash.")
        said.append(out.gettext(line, rows=rows, tables=len(tables)))
    if facts.get("coming_in"):
        line = mark("%(coming_in)s files were on their way in; they must be sent again.")
        said.append(out.gettext(line, **facts))
    if "read_only_seconds" in facts:
        line = mark("It took %(seconds)s s; for %(read_only_seconds)s s of them nothing could be changed.")
        said.append(out.gettext(line, **facts))
    if facts["parts"] == ["index"]:
        said.append(out.gettext(mark("Start with the new settings now, then run: juanku index repair.")))
    else:
        said.append(out.gettext(mark("Start with the new settings now. The old place is as it was, and closed.")))
    said.append(out.gettext(mark("The report lies in %(file)s."), file=file))
    return said


def _undo(out: Out, parts: Any) -> None:
    from runtime.moving.closure import undo  # noqa: PLC0415 (heavy)

    done = undo(parts)
    said = [out.gettext(mark("The house is open here again; the move to %(to)s is taken back."), to=done.whereto)]
    if done.later:
        line = mark("The log of the other place has %(later)s entries more; what was done there is not here.")
        said.append(out.gettext(line, later=done.later))
    if done.other_witness:
        said.append(out.gettext(OTHER_WITNESS))
    facts = {"to": done.whereto, "state": done.state, "later": done.later, "other_witness": done.other_witness}
    out.end(facts, said)


OTHER_WITNESS = mark(
    "The witness bucket knows the longer log of the other place. Keep it as evidence, name a new one in "
    "JUANKU_STORE_WITNESS_BUCKET, make it by juanku store set-up, and run juanku fsck."
)


COMMANDS = (move,)
