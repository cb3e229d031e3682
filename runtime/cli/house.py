"""Commands that make and run an archive: init, config, demo, serve."""

from typing import NoReturn

import click

from archive.errors import BrokenSetting
from runtime.cli.common import command, settings
from runtime.cli.out import Out
from runtime.demo import done
from runtime.processes.serve import Occupied, serve
from runtime.ready import require_files
from runtime.setting_up import first_code
from runtime.settings import Settings, shown
from web.words import mark

SAID = {
    "serving": mark("Juanku answers at %(url)s – Ctrl-C ends it."),
    "set_up": mark("There is no archive yet. Set it up in the browser with this code: %(code)s (also in %(file)s)."),
    "restarted": mark("The %(name)s process ended (code %(code)s) and was started again."),
    "stopping": mark("Ending: what is under way is finished first …"),
    "stopped": mark("All has ended."),
}


@command("config", "Print all settings with their source and meaning; secrets are masked.")
def config(out: Out) -> None:
    """Print the settings."""
    rows = shown(settings())
    lines = [
        f"{row['variable']:<24} {row['value']}\n{'':<24} {out.gettext(row['meaning'])} [{row['source']}]"
        for row in rows
    ]
    out.end({"settings": rows}, lines)


@click.option("--name", default="物业档案室", help="The house's name.")
@click.option("--naming", type=click.Choice(["grades", "numbered"]), default="grades", help="How the levels are named.")
@click.option("--zone", default="Asia/Shanghai", help="The house's time zone.")
@command("init", "Make an empty archive in JUANKU_HOME, with its key ring in JUANKU_KEYS.")
def init(out: Out, name: str, naming: str, zone: str) -> None:
    """Make an archive."""
    from runtime.setting_up.making import create  # noqa: PLC0415 (the other commands here need no database)

    chosen = settings()
    _warn_ring(out, chosen)
    made = create(chosen, {"zh_CN": name, "zh_TW": name, "en": name}, naming, zone)
    said = (
        mark("The archive stands in %(home)s.")
        if made
        else mark("There is an archive in %(home)s already; it was left as it is.")
    )
    todo = mark("Next: juanku fonds add CODE --name NAME --scheme property, then juanku user add, then juanku serve.")
    out.end({"made": made, "home": str(chosen.home)}, [out.gettext(said, home=chosen.home), out.gettext(todo)])


def _warn_ring(out: Out, chosen: Settings) -> None:
    if chosen.keys_beside_home:
        out.remark(
            mark("The key ring lies beside the data (%(keys)s). To run a house, set JUANKU_KEYS to another disk."),
            keys=chosen.keys,
        )


@click.option("--size", type=click.IntRange(1, 5_000_000), default=None, help="How many records to make.")
@click.option("--no-files", is_flag=True, help="Make descriptions only.")
@click.option("--no-serve", is_flag=True, help="Fill the archive and end.")
@click.option("--port", type=click.IntRange(0, 65535), default=None, help="The port to serve at.")
@command("demo", "Make an archive with demonstration records and serve it at http://127.0.0.1:8000.")
def demo(out: Out, size: int | None, no_files: bool, no_serve: bool, port: int | None) -> None:
    """Make and serve the demonstration archive."""
    chosen = settings()
    _warn_ring(out, chosen)
    document = done.read(chosen, size)
    if document is None:
        from runtime.demo.fill import fill  # noqa: PLC0415 (a second start has nothing to fill, and is quick)

        document = fill(chosen, out, size=size, files=not no_files)
    lines = [out.gettext(mark("%(count)s records are there. Sign in as:"), count=document["records"])]
    lines += [
        f"  {p.get('full_name', p['name']):<10} {p['role']:<16} {p['login']:<12} {p['password']}"
        for p in document["people"]
    ]
    if no_serve:
        out.end(document, lines)
    if out.as_json:
        import json  # noqa: PLC0415

        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        click.echo("\n".join(lines))
    _serve(out, chosen, port)


@click.option("--port", type=click.IntRange(0, 65535), default=None, help="The port to serve at.")
@command("serve", "Serve the archive, or set one up in the browser where there is none.")
def serve_command(out: Out, port: int | None) -> None:
    """Serve the archive."""
    chosen = settings()
    if out.as_json or not first_code.needed(chosen):  # a program sets nothing up in a browser
        require_files(chosen)
    _serve(out, chosen, port)


def _serve(out: Out, chosen: Settings, port: int | None) -> NoReturn:
    from dataclasses import replace  # noqa: PLC0415

    served = chosen if port is None else replace(chosen, port=port)
    try:
        code = serve(served, lambda message, facts: out.remark(SAID[message], **facts))
    except Occupied as error:
        what, value = error.args
        if what == "home":
            out.remark(mark("This archive (%(home)s) is being served already."), home=value)
            raise SystemExit(1) from None
        out.fail(BrokenSetting(variable="JUANKU_PORT", reason="in_use", value=value))
    raise SystemExit(code)


COMMANDS = (config, init, demo, serve_command)
