"""Commands for a house that keeps its objects in MinIO, or another S3 store."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archive.errors import BrokenSetting
from runtime.cli.common import command, opened, settings
from runtime.cli.out import Out
from web.words import mark

if TYPE_CHECKING:
    from runtime.stores import Minios


@click.group("store")
def store() -> None:
    """The object store."""


@click.option("--key", help="The administrator's credential; else the everyday one.")
@click.option(
    "--secret-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file that holds its secret.",
)
@command("set-up", "Make the buckets as they must be: versions, object lock, a place for pieces.")
def set_up_command(out: Out, key: str | None, secret_file: Path | None) -> None:
    """Make the buckets; what stands is left as it is."""
    from runtime.stores import administrator  # noqa: PLC0415 (only a house with a bucket has the library)
    from storage.minio.setup import set_up, set_up_witness  # noqa: PLC0415

    chosen = settings()
    minios = _minios()
    key = key or chosen.store_admin_key
    secret = secret_file.read_text("utf-8").strip() if secret_file else chosen.store_admin_secret
    client = administrator(chosen, key, secret) if key and secret else minios.everyday
    found = set_up(client, minios.bucket)
    if chosen.store_witness_bucket:
        set_up_witness(client, chosen.store_witness_bucket)
    ok = found.versioned and found.locks and found.incoming
    words = (
        mark("The bucket %(bucket)s keeps versions, can lock them, and has a place for pieces.")
        if ok
        else mark("The bucket %(bucket)s cannot lock; object lock is given when a bucket is made. Name another one.")
    )
    out.end({"ok": ok, "bucket": minios.bucket, **asdict(found)}, [out.gettext(words, bucket=minios.bucket)], ok=ok)


@click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="Write them into this folder.")
@command("policies", "Print what each credential may do in the buckets, for the store's administrator to enter.")
def policies_command(out: Out, to: Path | None) -> None:
    """Print or write the policies."""
    from storage.minio.setup import policies  # noqa: PLC0415 (as above)

    made = policies(_minios().bucket, settings().store_witness_bucket or None)
    if to:
        to.mkdir(parents=True, exist_ok=True)
        for name, policy in made.items():
            (to / f"{name}.json").write_text(json.dumps(policy, indent=2) + "\n", "utf-8")
    told = mark("Written: %(files)s.")
    lines = (
        [out.gettext(told, files=", ".join(f"{to / name}.json" for name in made))]
        if to
        else [f"{name}:\n{json.dumps(policy, indent=2)}" for name, policy in made.items()]
    )
    out.end({"policies": made}, lines)


@command("status", "Say how far the objects of filed records are locked.")
def status_command(out: Out) -> None:
    """Show how far the locks have come."""
    from storage.locks import progress  # noqa: PLC0415 (as above)

    _minios()
    with opened() as parts, parts.db.reading() as session:
        found = progress(session, parts.clock.now())
    first = found.first_end.date().isoformat() if found.first_end else None
    said = mark(
        "%(locked)s of %(filed)s objects of filed records and acts are locked; the first lock ends on %(first)s."
    )
    lines = [out.gettext(said, locked=found.locked, filed=found.filed, first=first or "–")]
    out.end({"filed": found.filed, "locked": found.locked, "first_end": first}, lines)


def _minios() -> "Minios":
    from runtime.stores import minios  # noqa: PLC0415 (as above)

    found = minios(settings())
    if found is None:
        raise BrokenSetting(variable="JUANKU_STORE_URL", reason="store_is_a_folder")
    return found


for each in (set_up_command, policies_command, status_command):
    store.add_command(each)

COMMANDS = (store,)
