"""Commands on destructions: destruction prove, show; rehearse destruction. Beginning one is for people, on pages."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click
from sqlalchemy import select

from archive.errors import NotFound
from archive.identity import system
from archive.model import Destruction
from archive.policy.rules import Act
from runtime.cli.common import command, opened
from runtime.cli.out import Out
from runtime.scratch import SERVERS
from web.words import mark
from web.words.proof import FOUND, NOT_WIPED, NOTHING, OUTLASTS, PROGRESS, STAYS, UNCONFIRMED, UNREAD, not_wiped

if TYPE_CHECKING:
    from runtime.wiring.parts import Parts


@click.group("destruction")
def destruction() -> None:
    """Destructions: how far one is, and the proof that nothing is left."""


@click.argument("number")
@command("prove", "Look everywhere for what a destruction removed, and keep what was found.")
def prove(out: Out, number: str) -> None:
    """Prove once more."""
    from retention.gone import looks  # noqa: PLC0415 (most commands never need it)

    with opened() as parts:
        key = _found(parts, number)
        made = parts.erasing.again(key)
        with parts.db.writing() as work:
            body = {"destruction": number, "proof": str(made.id), "found": made.found}
            parts.log.note(work.session, system(f"operator:{getpass.getuser()}"), "destruction.prove", body=body)
            work.commit()
        parts.sealer.seal_all()
        facts, clean = dict(made.facts), looks.of(made).clean
    out.end({"number": number, "clean": clean} | facts, _said(out, facts), ok=clean)


@click.argument("number")
@command("show", "Show how far a destruction is, and what its last proof found.")
def show(out: Out, number: str) -> None:
    """Show it."""
    from retention.gone import looks  # noqa: PLC0415 (as above)

    with opened() as parts, parts.db.reading() as session:
        key = _found(parts, number)
        far = looks.progress(session, key)
        proofs = looks.findings(session, key, most=1)
    facts: dict[str, Any] = {
        "number": number, "step": far.step, "records": far.every, "gone": far.gone, "pulled": far.pulled,
        "bytes_waiting": far.bytes_waiting, "wipes_at": far.wipes_at.isoformat() if far.wipes_at else None,
        "clean": proofs[0].clean if proofs else None,
        "found": dict(proofs[0].found) if proofs else None,
    }  # fmt: skip
    out.end(facts, [out.gettext(PROGRESS, gone=far.gone, every=far.every, pulled=far.pulled)])


@click.group("rehearse")
def rehearse() -> None:
    """Rehearsals on a scratch archive."""


@click.option("--in", "folder", type=click.Path(path_type=Path), help="The rehearsal's folder; it is removed again.")
@click.option("--embedded", is_flag=True, help="Play it embedded, not on a database, bucket and indices of its own.")
@click.option(
    "--files", multiple=True, metavar="SERVER FOLDER",
    type=(click.Choice(SERVERS, case_sensitive=False), click.Path(path_type=Path, exists=True, file_okay=False)),
    help="PostgreSQL, S3 or Elasticsearch, and the folder of its files on this machine: they are read raw as well.",
)  # fmt: skip
@command("destruction", "Destroy records of a scratch archive, look for them down to raw bytes; keep the report.")
def rehearse_destruction(out: Out, folder: Path | None, files: tuple[tuple[str, Path], ...], *, embedded: bool) -> None:
    """Rehearse."""
    from runtime.rehearsing import rehearse as play  # noqa: PLC0415 (as above)

    with opened() as parts:
        at = folder or parts.settings.run / "rehearsal-destruction"
        facts = play(parts, at, out.progress, embedded=embedded, files=files)
        parts.sealer.seal_all()
    lines = [
        out.gettext(
            mark("%(destroyed)s records were destroyed; in the raw bytes of database, store, index and backups:"),
            **facts,
        )
    ]
    lines += [f"  {name}: {count}" for name, count in facts["left"].items()]
    if facts["unread"]:
        lines.append(out.gettext(UNREAD, names=", ".join(facts["unread"])))
    restored = mark("The backup of before reads %(neighbours)s neighbours and %(files)s files in all.")
    lines.append(out.gettext(restored, **facts["restored"]))
    good = mark("Destroyed means gone.") if facts["ok"] else mark("Something was left; see above.")
    out.end(facts, [*lines, out.gettext(good)], ok=facts["ok"])


def _found(parts: "Parts", number: str) -> UUID:
    with parts.db.reading() as session:
        parts.guard.require_house(session, system("operator"), Act.RUN_SYSTEM)
        key = session.scalar(select(Destruction.id).where(Destruction.number == number))
    if key is None:
        raise NotFound
    return key


def _said(out: Out, facts: dict[str, Any]) -> list[str]:
    lines = [out.gettext(FOUND, where=where, count=count) for where, count in facts["found"].items()]
    lines = lines or [out.gettext(NOTHING, **facts)]
    if steps := not_wiped(facts.get("database", {}), facts.get("expunge")):
        lines.append(out.gettext(NOT_WIPED, steps=steps))
    lines += [out.gettext(UNCONFIRMED, name=name) for name in facts.get("ring", {}).get("unconfirmed", ())]
    for each in facts["media"]:
        words = OUTLASTS if each["ends"] else STAYS
        lines.append(out.gettext(words, **each))
    return lines


destruction.add_command(prove)
destruction.add_command(show)
rehearse.add_command(rehearse_destruction)
COMMANDS = (destruction, rehearse)
