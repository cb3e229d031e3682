"""A house in which people sign in: the services of accounts and rights over an empty database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from argon2 import PasswordHasher

from archive.identity import Role, system
from archive.people.grants import Rights
from archive.people.managing import People
from archive.people.passwords import Passwords
from archive.policy.guard import Guard
from tests.factories import records
from tests.factories.databases import a_database
from tests.fakes.clock import FixedClock
from tests.fakes.refusals import RememberingLog

GOOD = "梅花三弄-2026-春"


@contextmanager
def an_office(folder: Path) -> Iterator[SimpleNamespace]:
    """Yield an office with a security administrator ``guardian``, a secrecy officer and a reader ``wang``."""
    db = a_database(folder)
    log, clock = RememberingLog(), FixedClock()
    guard = Guard(db, log, clock, "Asia/Shanghai")
    cheap = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    people = People(db, log, clock, guard, cheap)
    with db.writing() as work:
        records.a_house(work.session)
        work.commit()
    operator = system("operator")
    for login, roles in (
        ("guardian", [Role.SECURITY_ADMIN]),
        ("secrecy", [Role.SECRECY_OFFICER]),
        ("wang", [Role.STAFF]),
    ):
        people.add_person(operator, login=login, name=login.title(), password=GOOD, roles=roles)
    who = {login: people.identity_of(login) for login in ("guardian", "secrecy", "wang")}
    yield SimpleNamespace(
        db=db, log=log, clock=clock, guard=guard, people=people, rights=Rights(db, log, guard), operator=operator, **who
    )
    db.close()
