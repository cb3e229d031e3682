"""A house full of secrets: the wired product over records at every level, each holding words found nowhere else.

The words of record 7 begin with ``zq007``, so that whatever says ``zq007`` speaks of record 7.
"""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from reportlab.pdfgen import canvas
from sqlalchemy import event, select

from archive.cataloguing.describing import Draft
from archive.database import Base
from archive.identity import Identity, Role, system
from archive.ids import new_id
from archive.model import Category, Content, Department, Fonds, NumberRule, Person, Record, RecordPerson, RecordState
from archive.people.grants import Rights
from archive.people.managing import People
from archive.people.passwords import Passwords
from archive.policy.condition import holds
from archive.policy.facts import facts_of
from archive.policy.rules import Act, condition
from runtime.processes.pages import make_app
from runtime.settings import load
from runtime.wiring.parts import NoWaker, Parts, build
from storage.ring import KeyRing
from tests.factories import people as rights
from tests.factories import records as rows
from tests.factories.web_house import PASSWORD, token_on

SECRET = re.compile(r"zq(\d{3})")
ABSENT = 999
"""A record that there is not."""

PLACES_OF_WORDS = ("ti", "re", "kw", "no", "of", "pf", "tx", "pt")
"""Title, responsible, keyword, note, ordinary field, protected field, text file, PDF text: all of them searchable."""

RULE = "{fonds}-{category}·{year}-{term}-{mark}{serial:4}"
FIELDS = [
    {"name": "partner", "kind": "text", "names": rights.names("对方")},
    {"name": "owner", "kind": "person", "names": rights.names("业主")},
    {"name": "phone", "kind": "phone", "names": rights.names("电话")},
    {"name": "identity", "kind": "identity", "names": rights.names("身份证")},
]
OPERATOR = system("operator")


def word(number: int, where: str) -> str:
    """Return the word of a record that stands in one place alone."""
    return f"zq{number:03d}{where}"


@dataclass
class SecretsHouse:
    """The house, its application, its records by number and its people by login."""

    parts: Parts
    app: Flask
    records: dict[int, UUID] = field(default_factory=dict)
    contents: dict[int, list[UUID]] = field(default_factory=dict)
    people: dict[str, UUID] = field(default_factory=dict)
    fonds: dict[str, UUID] = field(default_factory=dict)
    categories: dict[str, UUID] = field(default_factory=dict)
    departments: dict[str, UUID] = field(default_factory=dict)
    numbers: dict[UUID, int] = field(default_factory=dict)

    @property
    def rights(self) -> Rights:
        """The acts on rights."""
        return Rights(self.parts.db, self.parts.log, self.parts.guard)

    def who(self, login: str) -> Identity:
        """Return who stands behind a login."""
        return self.parts.people.identity_of(login)

    def browser(self, login: str | None = None) -> FlaskClient:
        """Return a browser, signed in as ``login``."""
        client = self.app.test_client()
        if login is not None:
            token = token_on(client.get("/sign-in").text)
            reply = client.post("/sign-in", data={"login": login, "password": PASSWORD, "csrf_token": token})
            assert reply.status_code == 303, reply.text
        return client

    def work(self) -> None:
        """Run every job that waits."""
        while self.parts.runner.drain():
            pass

    def may(self, login: str, act: Act = Act.READ) -> set[int]:
        """Return the records on which a person may do an act, by the rules in Python alone."""
        with self.parts.db.reading() as session:
            allowed = condition(act, self.parts.guard.reach(session, self.who(login)))
            named: dict[UUID, set[UUID]] = {}
            for link in session.scalars(select(RecordPerson)):
                named.setdefault(link.record_id, set()).add(link.person_id)
            return {
                self.numbers[row.id]
                for row in session.scalars(select(Record))
                if holds(allowed, facts_of(row, named.get(row.id, ())))
            }

    def searchable(self, login: str) -> set[int]:
        """Return the records that a search by this person must find."""
        with self.parts.db.reading() as session:
            binned = {self.numbers[key] for key in session.scalars(select(Record.id).filter_by(state="binned"))}
        return self.may(login) - binned

    def row(self, number: int) -> Record:
        """Return a record's row as it stands."""
        with self.parts.db.reading() as session:
            return session.get_one(Record, self.records[number])

    def add_person(
        self,
        login: str,
        roles: Iterable[Role] = (Role.STAFF,),
        clearance: int = 0,
        fonds: str | None = None,
        **more: UUID | None,
    ) -> UUID:
        """Add a person straight as rows (so that officers can hold what no act would give them)."""
        key = self.parts.people.add_person(OPERATOR, login=login, name=f"{login}某", password=PASSWORD, roles=roles)
        with self.parts.db.writing() as work:
            person = work.session.get_one(Person, key)
            person.clearance = clearance
            if fonds or more:
                rights.grants(work.session, person, fonds=self.fonds[fonds] if fonds else None, **more)
            work.commit()
        self.people[login] = key
        return key

    def add_records(self, drafts: Mapping[int, Draft], state: RecordState, *, files: bool = True) -> None:
        """Catalogue records with their files, and bring them to a state."""
        made = self.parts.records.create_many(OPERATOR, list(drafts.values()))
        for number, key in zip(drafts, made, strict=True):
            self.records[number] = key
            self.numbers[key] = number
            if files:
                self._add_files(number, key)
        if state is RecordState.FILED:
            assert all(each.reason is None for each in self.parts.filing.file(OPERATOR, made))
        if state is RecordState.BINNED:
            for key in made:
                version = self.row(self.numbers[key]).version
                self.parts.records.bin(OPERATOR, key, version)

    def _add_files(self, number: int, key: UUID) -> None:
        text = f"报告正文 {word(number, 'tx')} 完".encode()
        names = [(f"{word(number, 'fn')}.txt", text), (f"{word(number, 'fn')}.pdf", a_pdf(number))]
        for name, data in names[: 2 if number % 4 == 0 else 1]:
            got = self.parts.intake.receive(OPERATOR, key, name, [data])
            self.contents.setdefault(number, []).append(got.content_id)

    def draft(self, number: int, fonds: str = "WA", category: str = "GC", **more: object) -> Draft:
        """Return the description of a record that holds its words in every field."""
        values: dict[str, object] = {
            "title": f"关于维修的请示 {word(number, 'ti')}",
            "responsible": f"某科 {word(number, 're')}",
            "keywords": (word(number, "kw"),),
            "notes": word(number, "no"),
            "drawn_up": f"20{number % 20 + 10}-03-05",
            "fields": {"partner": word(number, "of"), "owner": word(number, "pf")},
        }
        return Draft(fonds_id=self.fonds[fonds], category_id=self.categories[fonds + category], **values | more)  # type: ignore[arg-type]


def a_pdf(number: int) -> bytes:
    """Return a PDF of one page whose text and whose title hold the record's words."""
    out = io.BytesIO()
    paper = canvas.Canvas(out)
    paper.setTitle(word(number, "pd"))
    paper.drawString(72, 700, f"Page one {word(number, 'pt')} end")
    paper.showPage()
    paper.save()
    return out.getvalue()


@contextmanager
def a_secrets_house(folder: Path) -> Iterator[SecretsHouse]:
    """Yield an empty house with two fonds, two branches in each, two departments, and everything wired."""
    settings = load({"JUANKU_HOME": str(folder / "home"), "JUANKU_KEYS": str(folder / "keys")})
    settings.home.mkdir(parents=True)
    settings.run.mkdir()
    KeyRing.create(settings.keys)
    parts = build(settings, NoWaker())
    event.listen(
        parts.db.engine, "connect", lambda made, _: made.execute("PRAGMA synchronous=OFF")
    )  # no power cuts here
    Base.metadata.create_all(parts.db.engine)
    cheap = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    parts.__dict__["people"] = People(parts.db, parts.log, parts.clock, parts.guard, cheap)
    house = SecretsHouse(parts, Flask("not yet"))
    _furnish(house)
    house.app = make_app(parts)
    try:
        yield house
    finally:
        parts.close()


def _furnish(house: SecretsHouse) -> None:
    with house.parts.db.writing() as work:
        session = work.session
        rows.a_house(session)
        rule = NumberRule(id=new_id(), code="plain", names=rights.names("规则"), template=RULE)
        session.add(rule)
        session.flush()
        for code in ("WA", "WB"):
            fonds: Fonds = rows.a_fonds(session, code)
            house.fonds[code] = fonds.id
            for branch in ("GC", "CW"):
                category: Category = rows.a_category(session, fonds, branch)
                category.fields, category.number_rule_id, category.term = FIELDS, rule.id, "D10"
                house.categories[code + branch] = category.id
        for rank in (1, 2, 3, 4):
            rights.distributed_to(session, rank)
        for code in ("OFFICE", "FIELD"):
            department: Department = rights.a_department(session, code)
            house.departments[code] = department.id
        work.commit()


def fill(house: SecretsHouse) -> None:
    """Fill a house: 32 filed records, 8 provisional, 4 binned; some named ``insider``, some under need-to-know."""
    with house.parts.db.writing() as work:
        fonds = work.session.get_one(Fonds, house.fonds["WA"])
        group = rows.a_group(work.session, fonds, "X")
        places = {path: rows.a_place(work.session, fonds, path).id for path in ("P1/", "P2/")}
        work.commit()
    house.add_person("insider", clearance=4)
    house.add_person("chief", [Role.ARCHIVIST], 4)  # nobody is locked out of a record: one at least is named
    insider, chief = (house.people["insider"],), (house.people["chief"],)
    filed: dict[int, Draft] = {}
    for rank in (1, 2, 3, 4):
        for step, more in enumerate(
            (
                {"place_id": places["P1/"]},
                {"place_id": places["P2/"], "category": "CW"},
                {"fonds": "WB"},
                {"fonds": "WB", "category": "CW"},
                {"group_id": group.id, "named": chief},
                {"group_id": group.id, "named": insider + chief, "place_id": places["P1/"]},
                {"named": insider, "fonds": "WB"},
                {"department_id": house.departments["OFFICE"]},
            )
        ):
            number = rank * 10 + step
            filed[number] = house.draft(number, level_rank=rank, **more)
    house.add_records(filed, RecordState.FILED)
    waiting = {
        100 + rank * 10 + step: house.draft(100 + rank * 10 + step, level_rank=rank, department_id=department)
        for rank in (1, 2, 3, 4)
        for step, department in enumerate(house.departments.values())
    }
    house.add_records(waiting, RecordState.PROVISIONAL)
    house.add_records(
        {200 + rank: house.draft(200 + rank, level_rank=rank) for rank in (1, 2, 3, 4)}, RecordState.BINNED
    )
    house.work()
    with house.parts.db.reading() as session:
        states = set(session.scalars(select(Content.text_state)))
    assert {state.value for state in states} == {"text"}
    _people(house, places["P1/"])


def _people(house: SecretsHouse, place: UUID) -> None:
    for clearance in (0, 1, 2, 3, 4):
        house.add_person(f"staff{clearance}", clearance=clearance, fonds="WA")
    house.add_person("nogrant", clearance=4)
    house.add_person("placed", clearance=3, place=place)
    house.add_person("branched", [Role.APPROVER], 2, category=house.categories["WBCW"])
    house.add_person("archivist1", [Role.ARCHIVIST], 1, "WA")
    house.add_person("archivist3", [Role.ARCHIVIST], 3, "WA")
    house.add_person("clerk1", [Role.CLERK], 1)
    house.add_person("clerk3", [Role.CLERK], 3)
    house.add_person("secrecy", [Role.SECRECY_OFFICER], 2, "WB")
    for role in (Role.AUDIT_ADMIN, Role.SECURITY_ADMIN, Role.SYSTEM_ADMIN):
        house.add_person(role.value, [role], 4, "WA")
    house.add_person("keeper", clearance=1)
    with house.parts.db.writing() as work:
        session = work.session
        post = rights.a_post(session, "clerk")
        for login in ("clerk1", "clerk3"):
            person = session.get_one(Person, house.people[login])
            rights.holds_post(session, person, post, session.get_one(Department, house.departments["OFFICE"]))
        rights.is_custodian(session, session.get_one(Person, house.people["keeper"]), 4)
        rights.a_loan(
            session, session.get_one(Person, house.people["staff3"]), house.records[32],
            since=house.parts.clock.now(), until=house.parts.clock.now() + timedelta(days=20_000),
        )  # fmt: skip
        work.commit()
