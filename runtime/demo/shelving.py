"""Store rooms of the demonstration, and its papers on their shelves."""

from collections.abc import Sequence
from itertools import islice

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.identity import system
from archive.model import Medium, Person, Record, RecordState, Security, ShelfKind, ShelfPlace
from archive.shelving.copies import CopyFacts, add_copy
from archive.shelving.tree import PlaceFacts, add_shelf_place
from runtime.wiring.parts import Parts

CABINETS = (
    ("01", ("开放架", "開放架", "Open rack"), Security.WORK_AREA),
    ("02", ("文件柜", "文件櫃", "Filing cabinet"), Security.CABINET),
    ("03", ("密码文件柜", "密碼文件櫃", "Cabinet with a lock"), Security.LOCKED_CABINET),
)
SECURE = ("S01", ("公司保密室", "公司保密室", "Secure room"))
SHELVES, BOXES, SHELF_HOLDS, BOX_HOLDS = 2, 2, 6, 30
MOST = 240
"""Papers that are shelved: a demonstration is not to be waited for."""

BATCH = 20


def shelve(parts: Parts, rooms: Sequence[tuple[str, tuple[str, str, str]]]) -> None:
    """Furnish a store room for each of ``rooms`` (code, names) and one secure room, then shelve filed papers.

    Does nothing where there are places already.
    """
    operator = system("demo")
    with parts.db.reading() as session:
        if session.scalar(select(func.count()).select_from(ShelfPlace)):
            return
    furnished: list[tuple[str, tuple[str, str, str], Security | None]] = [
        *((code, _of(names), None) for code, names in rooms), (*SECURE, Security.SECURE_ROOM)
    ]  # fmt: skip
    for code, names, security in furnished:
        with parts.db.writing() as work:
            _room(work.session, code, names, security)
            parts.log.note(work.session, operator, "shelf.add", body={"where": code})
            work.commit()
    with parts.db.reading() as session:
        papers = select(Record.id, Record.place_path, Record.level_rank, Record.pages).where(
            Record.state == RecordState.FILED, Record.medium == Medium.BOTH
        )
        waiting = iter(session.execute(papers.order_by(Record.id).limit(MOST)).all())
        boxes = session.execute(select(ShelfPlace.id, ShelfPlace.path).where(ShelfPlace.kind == ShelfKind.BOX)).all()
    places = {path: key for key, path in boxes}
    codes, taken = [code for code, _ in rooms], dict.fromkeys(places, 0)
    while batch := list(islice(waiting, BATCH)):
        with parts.db.writing() as work:
            for record_id, at, rank, pages in batch:
                project = (at or "").partition("/")[0]
                room = SECURE[0] if rank > len(CABINETS) else project if project in codes else codes[0]
                cabinet = "01" if rank > len(CABINETS) else CABINETS[rank - 1][0]
                own = sorted(path for path in places if path.startswith(f"{room}-{cabinet}-"))
                path = next((each for each in own if taken[each] < BOX_HOLDS), None)
                if path is None:
                    continue
                copy = add_copy(work.session, record_id, CopyFacts(pages=pages), parts.clock)
                parts.shelving.placing.in_work(work.session, operator, copy.id, places[path])
                taken[path] += 1
            work.commit()


def _of(names: tuple[str, str, str]) -> tuple[str, str, str]:
    return f"{names[0]}档案室", f"{names[1]}檔案室", f"Records room, {names[2]}"


def _names(names: tuple[str, str, str]) -> dict[str, str]:
    return dict(zip(("zh_CN", "zh_TW", "en"), names, strict=True))


def _room(session: Session, code: str, names: tuple[str, str, str], security: Security | None) -> None:
    keeper = session.scalar(select(Person.id).where(Person.login == "archivist")) if security else None
    room = add_shelf_place(
        session, ShelfKind.ROOM, code, PlaceFacts(_names(names), security, custodian_id=keeper), None
    )
    for number, called, kind in CABINETS[: 1 if security else None]:
        facts = PlaceFacts(_names(called if not security else CABINETS[2][1]), None if security else kind)
        cabinet = add_shelf_place(session, ShelfKind.CABINET, number, facts, room)
        for n in range(1, SHELVES + 1):
            shelf = add_shelf_place(session, ShelfKind.SHELF, str(n), PlaceFacts(capacity=SHELF_HOLDS), cabinet)
            for box in range(1, BOXES + 1):
                add_shelf_place(session, ShelfKind.BOX, f"{box:02d}", PlaceFacts(capacity=BOX_HOLDS), shelf)
