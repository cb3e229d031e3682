"""Commands on the house itself, and on its first start in containers: house show, acting, secrets, set-up."""

from pathlib import Path

import click
from sqlalchemy import select

from archive.model import House
from runtime.cli.asked import OPERATOR, acting
from runtime.cli.common import command, opened, settings
from runtime.cli.out import Out, locale
from web.words import mark, named

ON = mark("The machine's operator may act as a person (--as); each time is logged with both names.")
OFF = mark("The machine's operator may not act as a person: --as is refused.")


@click.group("house")
def house() -> None:
    """The house: its name, its time zone, and whether the operator may act for people."""


@command("show", "Show the house.")
def show(out: Out) -> None:
    """Show the house."""
    with opened() as parts, parts.db.reading() as session:
        row = session.scalars(select(House)).one()
    lines = [f"{named(row.names, locale())}  {row.zone}", out.gettext(ON if row.operator_may_impersonate else OFF)]
    out.end({"names": dict(row.names), "zone": row.zone, "acting": row.operator_may_impersonate}, lines)


@click.argument("switch", type=click.Choice(["on", "off"]))
@command("acting", "Let the machine's operator act as a person (--as), or forbid it.")
def switch_acting(out: Out, switch: str) -> None:
    """Switch the operator's acting for people."""
    allowed = switch == "on"
    with acting() as parts:
        parts.organisation.let_operator_act(OPERATOR, allowed)
    out.end({"acting": allowed}, [out.gettext(ON if allowed else OFF)])


@click.option(
    "--in", "folder", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="The folder of the house."
)
@command("secrets", "Make the folders and the secrets of a house in containers; what stands is never written over.")
def make_secrets(out: Out, folder: Path) -> None:
    """Make what docker-compose.yml needs before it is started for the first time."""
    from runtime.setting_up.secrets import make  # noqa: PLC0415

    made = make(folder.absolute())
    files, owner = list(made.files), "{}:{}".format(*made.owner)
    out.end(
        {"folder": str(made.folder), "files": files, "owner": owner},
        [
            out.gettext(mark("Written, for %(owner)s alone: %(files)s."), owner=owner, files=", ".join(files)),
            out.gettext(mark("Keep copies elsewhere, in two hands: the folder ring (after the first start), secrets.")),
            out.gettext(mark("Without the ring nothing can be read again, by anyone; no backup holds it.")),
        ],
    )


@click.option("--name", default="物业档案室", help="The house's name.")
@click.option("--naming", type=click.Choice(["grades", "numbered"]), default="grades", help="How the levels are named.")
@click.option("--zone", default="Asia/Shanghai", help="The house's time zone.")
@command("set-up", "Set up the servers of a house and the archive on them; what stands is left.")
def set_up_command(out: Out, name: str, naming: str, zone: str) -> None:
    """Make accounts, buckets, tables and ring, as far as the settings name administrators."""
    from runtime.setting_up.making import create  # noqa: PLC0415
    from runtime.setting_up.servers import refuse_other_version, set_up  # noqa: PLC0415

    chosen = settings()
    done = set_up(chosen)
    refuse_other_version(chosen)
    made = create(chosen, {"zh_CN": name, "zh_TW": name, "en": name}, naming, zone)
    said = mark("The archive stands.") if made else mark("The archive stood already; it was left as it is.")
    lines = [out.gettext(mark("Set up: %(servers)s."), servers=", ".join(done) or "–"), out.gettext(said)]
    out.end({"made": made, "servers": done}, lines)


for _command in (show, switch_acting, make_secrets, set_up_command):
    house.add_command(_command)
COMMANDS = (house,)
