"""Filling the demonstration archive: the house, its people, then records; goes on where a break left it."""

import time
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.clock import today
from archive.errors import StandsAlready
from archive.files.arrivals import Incoming
from archive.house.organisation import add_department, add_post
from archive.house.places import PlaceRules, add_place, shipped_rules
from archive.identity import system
from archive.model import (
    Category,
    Department,
    DestroyedRecord,
    Fonds,
    House,
    Level,
    Person,
    Place,
    PlaceKind,
    Post,
    Record,
)
from archive.people.grants import Rights
from archive.scheme.install import install
from archive.scheme.shipped import scheme
from runtime.demo import clocks, done, dossiers, required
from runtime.demo.appraising import begin_appraisal, judge_some
from runtime.demo.auditing import audit, hand_over
from runtime.demo.destroying import destroy_some
from runtime.demo.handing_in import hand_in
from runtime.demo.lending import lend
from runtime.demo.people import DEPARTMENTS, DISTRIBUTION, PEOPLE, POSTS
from runtime.demo.shelving import shelve
from runtime.demo.stocktaking import count_shelves, plan_checks
from runtime.demo.telling import tell
from runtime.demo.world import Spot
from runtime.demo.writing import Ground, Made, Writer, fields_of
from runtime.processes.beside import Second, second_process
from runtime.processes.speaking import Speaker
from runtime.processes.working import LocalWaker, work_done
from runtime.setting_up.making import create
from runtime.settings import Settings
from runtime.wiring.parts import Parts, build
from web.words import mark

DEFAULT_SIZE = 2_000
BUILDINGS, FLOORS, DOORS = 4, 6, 2
"""Of each project: buildings, floors of a building, dwellings of a floor."""

MOST_FILES = 300
"""A larger demonstration has files on its first records only."""

WITH_DOSSIERS = 500
"""A demonstration of so many records holds dossiers, too."""

BATCH = 200
PAPERS = 50
BARE = 100
"""Records catalogued and filed in one transaction: it stays under 100 ms."""

NAMES = {
    "zh_CN": "和园物业服务公司(演示)",
    "zh_TW": "和園物業服務公司(示範)",
    "en": "Heyuan Property Services (demonstration)",
}
FONDS = (
    ("H001", "property", ("和园物业服务公司", "和園物業服務公司", "Heyuan Property Services")),
    ("X001", "university", ("明湖大学后勤处", "明湖大學後勤處", "Minghu University Logistics Office")),
)
PROJECTS = (
    ("H001", "A001", "residential", ("和园小区", "和園社區", "Heyuan Estate")),
    ("H001", "A002", "residential", ("望湖花园", "望湖花園", "Lakeview Gardens")),
    ("H001", "B001", "commercial", ("中心广场", "中心廣場", "Central Plaza")),
    ("X001", "D001", "public", ("明湖校区", "明湖校區", "Minghu Campus")),
)


def fill(settings: Settings, out: Speaker, *, size: int | None, files: bool) -> dict[str, Any]:
    """Make the demonstration archive up to ``size`` records and return what is there.

    Raises:
        StandsAlready: there is a house's own archive; only one that the demonstration made is filled further.
    """
    with second_process("index") as second:
        return _filled(settings, out, second, size=size, files=files)


def _filled(settings: Settings, out: Speaker, second: Second, *, size: int | None, files: bool) -> dict[str, Any]:
    create(settings, NAMES, "grades")
    parts = build(settings, LocalWaker())
    parts.page_reader = None  # where OCR is installed, the serving worker reads the scans: nobody waits for that here
    try:
        begun = time.monotonic()
        if not _is_ours(parts):
            raise StandsAlready(what="archive", field="home")
        _people_and_places(parts, out)
        clocks.install(parts)
        wanted = DEFAULT_SIZE if size is None else size
        with work_done(parts, wait=True, told=lambda left: out.progress(str(left)), beside=second) as release:
            _records(parts, out, wanted, files=files, grow=size is not None, filed=release)
            clocks.wind_up(parts)
            shelve(parts, [(code, names) for _fonds, code, _kind, names in PROJECTS])
            count_shelves(parts)
            plan_checks(parts)
            lend(parts)
            tell(parts)
        destroy_some(settings)
        with work_done(parts, wait=True):
            begin_appraisal(parts)
        with work_done(parts, wait=True):  # once the job has opened the appraisal
            judge_some(parts)
            audit(parts)
            hand_over(parts)
        with parts.db.reading() as session:
            count = session.scalar(select(func.count()).select_from(Record))
        # "name" is what a person signs in with and what --as takes: scripts go on with it
        people = [
            {"name": p.login, "login": p.login, "full_name": p.name, "role": p.role.value, "password": p.password}
            for p in PEOPLE
        ]
        document = {"records": count, "people": people, "seconds": round(time.monotonic() - begun, 3)}
        done.write(settings, document)
        return document
    finally:
        parts.close()


def _is_ours(parts: Parts) -> bool:
    with parts.db.reading() as session:
        house = session.scalars(select(House)).one()
        return house.names == NAMES


def _people_and_places(parts: Parts, out: Speaker) -> None:
    """Set up what records need; each step looks whether it is done."""
    with parts.db.writing() as work:
        session = work.session
        if session.scalar(select(func.count()).select_from(Fonds)):
            set_up = True
        else:
            out.remark(mark("Setting up the demonstration house …"))
            set_up = False
            for code, kind, names in FONDS:
                fonds = Fonds(code=code, names=_names(names))
                session.add(fonds)
                session.flush()
                install(session, fonds, scheme(kind), now=parts.clock.now())
            for code, names in DEPARTMENTS.items():
                add_department(session, code, _names(names))
            for code, names in POSTS.items():
                add_post(session, code, _names(names))
            _places(session, shipped_rules())
            work.commit()
    with parts.db.reading() as session:
        complete = session.scalar(select(func.count()).select_from(Person)) == len(PEOPLE)
    if not (set_up and complete):
        _people(parts)


def _names(names: tuple[str, str, str]) -> dict[str, str]:
    return dict(zip(("zh_CN", "zh_TW", "en"), names, strict=True))


def _places(session: Session, rules: PlaceRules) -> None:
    for fonds_code, code, kind, names in PROJECTS:
        fonds_id = session.scalars(select(Fonds.id).where(Fonds.code == fonds_code)).one()

        def add(
            step: PlaceKind, code: str, names: tuple[str, str, str], parent: Place | None, *types: str,
            fonds_id: UUID = fonds_id,
        ) -> Place:  # fmt: skip
            return add_place(
                session, rules, fonds_id, kind=step, code=code, names=_names(names), parent=parent, types=types
            )

        project = add(PlaceKind.PROJECT, code, names, None, kind)
        for number in range(1, BUILDINGS + 1):
            title = (f"{number}号楼", f"{number}號樓", f"Building {number}")
            building = add(PlaceKind.BUILDING, f"{number:02d}", title, project)
            unit = add(PlaceKind.UNIT, "001", ("1单元", "1單元", "Unit 1"), building)
            for floor, door in product(range(1, FLOORS + 1), range(1, DOORS + 1)):
                room = f"{floor}{door:02d}"
                add(PlaceKind.ROOM, f"{floor:02d}{door:02d}", (f"{room}室", f"{room}室", f"Room {room}"), unit)


def _people(parts: Parts) -> None:
    operator = system("demo")
    rights = Rights(parts.db, parts.log, parts.guard)
    with parts.db.reading() as session:
        there = dict(session.execute(select(Person.login, Person.id)).all())
        posts = dict(session.execute(select(Post.code, Post.id)).all())
        departments = dict(session.execute(select(Department.code, Department.id)).all())
        fonds = dict(session.execute(select(Fonds.code, Fonds.id)).all())
        places = dict(session.execute(select(Place.path, Place.id)).all())
    for rank, codes in DISTRIBUTION.items() if not there else ():
        for code in codes or (None,):
            rights.distribute(operator, rank, post_id=posts[code] if code else None)
    for person in PEOPLE:
        if person.login in there:
            continue
        key = parts.people.add_person(
            operator, login=person.login, name=person.name, password=person.password,
            roles={person.role}, clearance=person.clearance,
        )  # fmt: skip
        parts.people.assign_post(operator, key, posts[person.post], departments[person.department])
        if person.place:
            rights.grant(operator, key, place_id=places[person.place])
        elif person.clearance:
            for fonds_id in fonds.values():
                rights.grant(operator, key, fonds_id=fonds_id)


def _grounds(session: Session) -> Sequence[Ground]:
    grounds = []
    kinds = {code: (kind, names[0]) for code, kind, names in FONDS}
    for fonds in session.scalars(select(Fonds).order_by(Fonds.code)):
        branches = select(Category.parent_id).where(Category.parent_id.is_not(None))
        leaves = select(Category).where(Category.fonds_id == fonds.id, Category.id.not_in(branches))
        rows = session.scalars(leaves.where(Category.closed_on.is_(None)))
        grounds.append(
            Ground(
                fonds.id,
                [(category, fields_of(category)) for category in rows],
                _spots(session, fonds),
                list(session.scalars(select(Department.id))),
                *kinds[fonds.code],
            )
        )
    return grounds


def _spots(session: Session, fonds: Fonds) -> Sequence[Spot]:
    names: dict[str, tuple[str, ...]] = {"": ()}
    spots = []
    for place in session.scalars(select(Place).where(Place.fonds_id == fonds.id).order_by(Place.path)):
        above = names[place.path.removesuffix(f"{place.code}/")]
        here = above if place.kind is PlaceKind.UNIT else (*above, place.names["zh_CN"])
        names[place.path] = here
        if place.kind is not PlaceKind.UNIT:
            spots.append(Spot(place.id, place.kind, place.path, here))
    return spots


def _records(parts: Parts, out: Speaker, size: int, *, files: bool, grow: bool, filed: Callable[[], None]) -> None:
    with parts.db.reading() as session:
        grounds = _grounds(session)
        there = sum(session.scalar(select(func.count()).select_from(each)) or 0 for each in (Record, DestroyedRecord))
        ranks = session.scalar(select(func.count()).select_from(Level))
    if there and not grow:
        return
    writer = Writer(seed=20261122 + there, today=today(parts.clock, parts.zone))
    out.remark(mark("Filling it with %(count)s records …"), count=size - there)
    with_files = min(MOST_FILES, size) if files and ranks else 0
    with_dossiers = size - there >= WITH_DOSSIERS and not dossiers.stand(parts)
    alone = size - dossiers.COUNT - required.COUNT if with_dossiers else size
    for start in range(there, alone, BATCH):
        numbers = range(start, min(start + BATCH, alone))
        made = [writer.make(grounds[n % 4 == 3], n + 1) for n in numbers]
        drafts = [each.draft for each in made]
        if start < with_files:
            _with_papers(parts, writer, made)
        else:
            for at in range(0, len(drafts), BARE):
                _bare(parts, drafts[at : at + BARE])
        filed()
        out.progress(f"{numbers[-1] + 1}/{size}")
    if with_dossiers:
        dossiers.make(parts)
        hand_in(parts)
        required.make(parts)
        filed()


def _bare(parts: Parts, drafts: Sequence[Any]) -> None:
    """Catalogue and file in one short transaction."""
    operator = system("demo")
    with parts.db.writing() as work:
        ids = parts.records.insert(work, operator, drafts)
        parts.filing.in_work(work, operator, ids)
        work.commit()


def _with_papers(parts: Parts, writer: Writer, made: Sequence[Made]) -> None:
    operator = system("demo")
    ids: list[UUID] = parts.records.create_many(operator, [each.draft for each in made])
    papers = [(key, *writer.file(each)) for key, each in zip(ids, made, strict=True)]
    coming = [Incoming(key, name, [data]) for key, name, data in papers]
    for start in range(0, len(coming), PAPERS):
        parts.intake.receive_many(operator, coming[start : start + PAPERS])
    parts.filing.file(operator, ids)
