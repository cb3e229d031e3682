"""Commands on accounts: user add, user token."""

import getpass
import secrets
from dataclasses import replace
from typing import IO

import click

from archive.identity import Role, system
from archive.model import TokenScope
from archive.people.managing import LOCALES
from runtime.cli.common import command, opened
from runtime.cli.out import Out
from runtime.processes.working import work_done
from web.words import mark


@click.group("user")
def user() -> None:
    """Accounts."""


@click.argument("login")
@click.option("--name", default=None, help="The person's name; the login otherwise.")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice([r.value for r in Role]))
@click.option("--clearance", type=click.IntRange(0, 99), default=0, help="Rank of the highest level they may read.")
@click.option("--locale", type=click.Choice(LOCALES), default=None, help="The language of their pages.")
@click.option(
    "--password-file", type=click.File("r"), default=None, help="Read the password from a file, - for standard input."
)
@command("add", "Add an account. Without --password-file a password is made and shown once.")
def add(
    out: Out,
    login: str,
    name: str | None,
    roles: tuple[str, ...],
    clearance: int,
    locale: str | None,
    password_file: IO[str] | None,
) -> None:
    """Add an account."""
    password = password_file.read().rstrip("\n") if password_file else secrets.token_urlsafe(15)
    with opened() as parts, work_done(parts, wait=False):
        key = parts.people.add_person(
            system("operator"), login=login, name=name or login, password=password,
            roles={Role(role) for role in roles}, clearance=clearance, locale=locale,
        )  # fmt: skip
    document = {"id": str(key), "login": login} | ({} if password_file else {"password": password})
    lines = [out.gettext(mark("%(login)s was added."), login=login)]
    if not password_file:
        lines.append(out.gettext(mark("Password (shown once): %(password)s"), password=password))
    out.end(document, lines)


@click.argument("login")
@click.option("--name", required=True, help="What the token is for.")
@click.option("--days", type=click.IntRange(1, 366), default=90, help="After how many days it ends.")
@click.option("--write", is_flag=True, help="Let it change what its person may change; otherwise it reads only.")
@command("token", "Make a token for programs; it is shown once.")
def token(out: Out, login: str, name: str, days: int, *, write: bool) -> None:
    """Make a token."""
    with opened() as parts, work_done(parts, wait=False):
        operator = replace(system("operator"), operator=getpass.getuser())
        scope = TokenScope.WRITE if write else TokenScope.READ
        made = parts.people.issue_token(operator, login, name, days, scope)
    out.end({"login": login, "name": name, "scope": scope.value, "token": made}, [made])


user.add_command(add)
user.add_command(token)
COMMANDS = (user,)
