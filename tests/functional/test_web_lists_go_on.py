"""Lists that are longer than a page: behind each page the next one, every row once, also where moments are the same."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from archive.ids import new_id
from archive.model import (
    ApprovalState,
    BackupAct,
    BackupRun,
    Content,
    ContentState,
    Copy,
    CopyMove,
    FilingRun,
    FilingRunRow,
    FilingRunState,
    Fixity,
    FixityFinding,
    FixityRun,
    HoldKind,
    HoldRecord,
    IssuedNumber,
    Job,
    JobKind,
    JobState,
    Record,
    RecordKind,
    RecordState,
    RecordSubject,
    ScannedPage,
    ScanState,
    ScheduleDraft,
    ShelfKind,
)
from archive.model.bulk import BulkMove, BulkMoveRow, BulkState, MoveInto, RowState
from archive.model.contents import Reread
from archive.model.handin import BagDraft, BagIntake
from archive.model.required import DossierPerson
from archive.shelving.tree import PlaceFacts
from retention.holds import Wanted
from tests.factories import people as rights
from tests.factories.web_house import WebHouse, a_web_house, token_of

ROWS = 5
IDENTITY = "11010519491231002X"
KEY = r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def moments(house: WebHouse) -> list[datetime]:
    """Return the moments of rows: the second and the third are the same, where a page of two ends."""
    now = house.clock.now()
    return [now - timedelta(minutes=each) for each in (1, 2, 2, 3, 4)]


def walked(client: FlaskClient, at: str, row: str) -> list[str]:
    """Follow a list to its end; return what ``row`` finds on its pages, each of which holds two at most."""
    found: list[str] = []
    for _page in range(ROWS):
        page = client.get(at).text
        here = re.findall(row, page)
        assert 1 <= len(here) <= 2, page
        found += here
        following = re.search(r'<a href="([^"]+)">更多</a></p>', page)
        if not following:
            return found
        at = unescape(following[1])
    raise AssertionError("it does not end")


def put(house: WebHouse, *rows: object) -> None:
    with house.services.db.writing() as work:
        work.session.add_all(rows)
        work.commit()


def dossiers_of_a_subject(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str, set[str]]:
    monkeypatch.setattr("web.house.subjects.PAGE", 2)
    who, own = house.services.people.identity_of("archivist"), house.services
    person = own.subjects.add(who, house.category.fonds_id, "employee", {"name": "钱程"})
    made = [house.a_record(title=f"企业卷{each}", kind=RecordKind.DOSSIER) for each in range(ROWS)]
    put(house, *(DossierPerson(dossier_id=each.id, part="lawyer", subject_id=person) for each in made))
    return "archivist", f"/house/subjects/{person}", f"/records/{KEY}/papers", {str(each.id) for each in made}


def records_of_a_subject(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str, set[str]]:
    monkeypatch.setattr("web.house.subjects.PAGE", 2)
    person = house.services.subjects.add(
        house.services.people.identity_of("archivist"), house.category.fonds_id, "employee", {"name": "钱程"}
    )
    made = [house.a_record(title=f"合同{each}") for each in range(ROWS)]
    put(house, *(RecordSubject(record_id=each.id, subject_id=person) for each in made))
    return "archivist", f"/house/subjects/{person}", f'"/records/{KEY}"', {str(each.id) for each in made}


def failed_jobs(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str, set[str]]:
    monkeypatch.setattr("web.house.system.PAGE", 2)
    made = [
        Job(id=new_id(), kind=JobKind.INDEX, state=JobState.FAILED, run_after=at, created_at=at, finished_at=at)
        for at in moments(house)
    ]
    keys = {str(each.id) for each in made}
    put(house, *made)
    return "system", "/system", f"/system/jobs/{KEY}/retry", keys


def runs_of_reading(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str, set[str]]:
    monkeypatch.setattr("web.house.rereading.PAGE", 2)
    made = [Reread(id=new_id(), chosen={}, asked_at=at, total=1) for at in moments(house)]
    keys = {str(each.id) for each in made}
    put(house, *made)
    return "system", "/system/rereading?text=no_text", f"/system/rereading/{KEY}", keys


def backups(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str, set[str]]:
    monkeypatch.setattr("web.house.backups.PAGE", 2)
    sets = [f"{each}.5" for each in range(ROWS)]
    put(
        house,
        *(
            BackupRun(id=new_id(), act=BackupAct.MAKE, began_at=at, ended_at=at, error=f"fault_{seconds}")
            for at, seconds in zip(moments(house), sets, strict=True)
        ),
    )
    return "system", "/system/backups", r"fault_(\d\.5)", set(sets)


def checks_of_files(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str, set[str]]:
    monkeypatch.setattr("web.house.fixity.PAGE", 2)
    totals = [7100 + each for each in range(ROWS)]
    put(house, *(FixityRun(id=new_id(), began_at=at, total=n) for at, n in zip(moments(house), totals, strict=True)))
    return "system", "/system/fixity", r">(71\d\d)<", {str(each) for each in totals}


def files_not_whole(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str, set[str]]:
    monkeypatch.setattr("web.house.fixity.PAGE", 2)
    names, ends = [f"object-{each}" for each in range(ROWS)], (None, None, None, 1, 1)
    put(
        house,
        *(
            FixityFinding(
                id=new_id(), content_id=new_id(), object_key=name, found=Fixity.CHANGED, found_at=at,
                ended_at=at if end else None,
            )
            for name, at, end in zip(names, moments(house), ends, strict=True)
        ),
    )  # fmt: skip
    return "system", "/system/fixity", r"(object-\d)<", set(names)


def bags(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str, set[str]]:
    monkeypatch.setattr("web.retention.bags_in.PAGE", 2)
    record, who = house.a_record(title="移交包"), house.services.people.identity_of("archivist").person_id
    made = [
        BagIntake(
            id=new_id(), record_id=record.id, content_id=new_id(), category_id=house.category.id, level_rank=1,
            begun_by=who, begun_at=at,
        )
        for at in moments(house)
    ]  # fmt: skip
    keys = {str(each.id) for each in made}
    put(house, *made)
    return "archivist", "/transfers/in", f"/transfers/in/{KEY}", keys


def drafts_of_a_bag(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str, set[str]]:
    monkeypatch.setattr("web.retention.bags_in.PAGE", 2)
    who, other = (house.services.people.identity_of(each).person_id for each in ("archivist", "clerk"))
    bag, theirs = (
        BagIntake(
            id=new_id(), record_id=house.a_record(title="移交包").id, content_id=new_id(),
            category_id=house.category.id, level_rank=1, begun_by=each, begun_at=rights.NOW,
        )
        for each in (who, other)
    )  # fmt: skip
    made = [house.a_record(title=f"收进的{each}").id for each in range(ROWS)]
    another = house.a_record(title="别的包").id
    put(house, bag, theirs)
    put(house, *(BagDraft(bag_id=bag.id, record_id=each) for each in made))
    put(house, BagDraft(bag_id=theirs.id, record_id=another))
    return (
        "archivist",
        f"/transfers/in/{bag.id}",
        f'<td class="wide"[^>]*><a href="/records/{KEY}"',
        set(map(str, made)),
    )


def held_records(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str, set[str]]:
    monkeypatch.setattr("web.retention.holds.PAGE", 2)
    own, who = house.services, house.services.people.identity_of("archivist")
    made = [house.a_record(title=f"诉讼材料{each}") for each in range(ROWS)]
    day = house.clock.now().date() + timedelta(days=30)
    hold = own.retention.holds.place(who, Wanted(HoldKind.RECORD, {"id": str(made[0].id)}, "诉讼", "起诉", "法院", day))
    put(house, *(HoldRecord(hold_id=hold, record_id=each.id, since=rights.NOW) for each in made))
    return "archivist", f"/holds/{hold}", f'<li><a href="/records/{KEY}"', {str(each.id) for each in made}


def lying_on_a_shelf(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str, set[str]]:
    monkeypatch.setattr("web.custody.shelves.MOST", 2)
    made = _shelved(house)
    numbers = ("A-2", None, "A-1", None, "A-3")
    with house.services.db.writing() as work:
        for copy, number in zip(made[1], numbers, strict=True):
            work.session.get_one(Record, copy.record_id).archive_number = number
        work.commit()
    return "archivist", f"/shelves/{made[0]}", f'class="number"><a href="/records/{KEY}"', {
        str(each.record_id) for each in made[1]
    }  # fmt: skip


def moves_at_a_shelf(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str, set[str]]:
    monkeypatch.setattr("web.custody.shelves.LATEST", 2)
    place, copies = _shelved(house)
    put(house, *(
        CopyMove(id=new_id(), at=at, copy_id=copy.id, to_id=place)
        for at, copy in zip(moments(house), copies, strict=True)
    ))  # fmt: skip
    row = f'<tr><td class="number">[-0-9: ]+</td><td class="number"><a href="/records/{KEY}"'
    return "archivist", f"/shelves/{place}", row, {str(each.record_id) for each in copies}


def _shelved(house: WebHouse) -> tuple[UUID, list[Copy]]:
    own, who, place = house.services, house.services.people.identity_of("archivist"), None
    for kind in ShelfKind:
        facts = PlaceFacts({"zh_CN": "库"}, None, 9 if kind in {ShelfKind.SHELF, ShelfKind.BOX} else None, None)
        place = own.shelving.tree.add(who, kind, "1", facts, place)
    assert place
    made = [
        Copy(
            id=new_id(), record_id=house.a_record(title=f"图纸{each}").id, number=1, place_id=place,
            created_at=rights.NOW,
        )
        for each in range(ROWS)
    ]  # fmt: skip
    with own.db.writing() as work:
        work.session.expire_on_commit = False
        work.session.add_all(made)
        work.commit()
    return place, made


def refused_moves(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str, set[str]]:
    monkeypatch.setattr("web.cataloguing.bulk_moves.SHOWN", 2)
    who, key = house.services.people.identity_of("archivist").person_id, new_id()
    into = house.a_record(title="案卷", kind=RecordKind.DOSSIER).id
    made = [house.a_record(title=f"散件{each}").id for each in range(ROWS)]
    put(
        house,
        BulkMove(
            id=key, person_id=who, kind=MoveInto.DOSSIER, target_id=into, state=BulkState.DONE,
            created_at=house.clock.now(),
        ),
    )  # fmt: skip
    put(
        house,
        *(
            BulkMoveRow(move_id=key, at=at, record_id=each, state=RowState.REFUSED, reason="filed")
            for at, each in enumerate(made)
        ),
    )
    return "archivist", f"/bulk/moves/{key}", f'<a href="/records/{KEY}"', {str(each) for each in made}


def refused_by_filing(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str, set[str]]:
    monkeypatch.setattr("web.custody.steps.REFUSED", 2)
    who, key = house.services.people.identity_of("archivist").person_id, new_id()
    made = [house.a_record(title=f"散件{each}").id for each in range(ROWS)]
    put(house, FilingRun(id=key, person_id=who, created_at=house.clock.now(), state=FilingRunState.DONE))
    put(
        house,
        *(
            FilingRunRow(run_id=key, position=at, record_id=each, outcome="filed_already", missing=[])
            for at, each in enumerate(made, 1)
        ),
    )
    return "archivist", f"/steps/runs/{key}", f'<a href="/records/{KEY}"', {str(each) for each in made}


def drafts_of_schedules(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str, set[str]]:
    monkeypatch.setattr("web.retention.schedules.LAST_DRAFTS", 2)
    who = house.services.people.identity_of("archivist").person_id
    states = [*[ApprovalState.REFUSED] * 2, *[ApprovalState.ASKED] * 3]
    made = [
        ScheduleDraft(
            id=new_id(), code=f"d{at}", names={"zh_CN": f"规则{at}"}, definition={}, categories=[], asked_by=who,
            asked_at=moment, state=state, why="新规",
        )
        for at, (moment, state) in enumerate(zip(moments(house), states, strict=True))
    ]  # fmt: skip
    keys = {str(each.id) for each in made}
    put(house, *made)
    return "archivist", "/schedules", f"/schedules/drafts/{KEY}", keys


def put_aside(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str, set[str]]:
    monkeypatch.setattr("web.arriving.put_aside.MOST", 2)
    keys = _contents(house)
    with house.services.db.writing() as work:
        for key, at in zip(keys, moments(house), strict=True):
            values = {"state": ContentState.QUARANTINED, "created_at": at, "reason": "encrypted"}
            work.session.execute(update(Content).where(Content.id == key).values(values))
        work.commit()
    return "archivist", "/put-aside", r"(扫描件\d)\.txt</a>", {f"扫描件{each}" for each in range(ROWS)}


def doubtful_scans(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str, set[str]]:
    monkeypatch.setattr("web.arriving.scans.MOST", 2)
    keys = _contents(house)
    with house.services.db.writing() as work:
        for key, confidence in zip(keys, (None, 50, 50, 0, 70), strict=True):
            state = ScanState.FAILED if confidence is None else ScanState.READ
            work.session.add(ScannedPage(content_id=key, number=1, state=state, confidence=confidence))
        work.commit()
    return "archivist", "/scans/doubtful", r"(扫描件\d)\.txt", {f"扫描件{each}" for each in range(ROWS)}


def files_sent(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str, set[str]]:
    monkeypatch.setattr("web.arriving.uploads.PAGE", 2)
    keys, who = _contents(house), house.services.people.identity_of("archivist").person_id
    with house.services.db.writing() as work:
        for key, at in zip(keys, moments(house), strict=True):
            sent = update(Content).where(Content.id == key).values(created_by=who, created_at=at)
            work.session.execute(sent)
        work.commit()
    return "archivist", "/uploads", r"(扫描件\d)\.txt", {f"扫描件{each}" for each in range(ROWS)}


def loans_for_others(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str, set[str]]:
    monkeypatch.setattr("web.lending.borrowing.PAGE", 2)
    archivist = house.browser("archivist")
    wish = {"csrf_token": token_of(archivist), "form": "room", "purpose": "work", "reason": "核对", "borrower": "staff"}
    for each in range(ROWS):
        sent = archivist.post("/loans/describe", data=wish | {"sought": f"找{each}号楼的图"})
        assert sent.status_code == 303, sent.text
    return "archivist", "/loans", r"(找\d)号楼的图", {f"找{each}" for each in range(ROWS)}


def _contents(house: WebHouse) -> list[UUID]:
    own, who = house.services, house.services.people.identity_of("archivist")
    return [
        own.intake.receive(
            who, house.a_record(title="案卷", state=RecordState.PROVISIONAL).id, f"扫描件{each}.txt", [b"x" * 10]
        ).content_id
        for each in range(ROWS)
    ]


LISTS: list[Callable[[WebHouse, pytest.MonkeyPatch], tuple[str, str, str, set[str]]]] = [
    dossiers_of_a_subject, records_of_a_subject, failed_jobs, runs_of_reading, backups, checks_of_files,
    files_not_whole, bags, drafts_of_a_bag, held_records, lying_on_a_shelf, moves_at_a_shelf, put_aside, doubtful_scans,
    refused_moves, refused_by_filing, drafts_of_schedules, files_sent, loans_for_others,
]  # fmt: skip


@pytest.mark.postgres
@pytest.mark.parametrize("made", LISTS, ids=lambda each: each.__name__)
def test_a_list_goes_on_behind_its_page(
    house: WebHouse, monkeypatch: pytest.MonkeyPatch, made: Callable[..., tuple[str, str, str, set[str]]]
) -> None:
    login, at, row, keys = made(house, monkeypatch)
    found = walked(house.browser(login), at, row)
    assert (len(found), set(found)) == (ROWS, keys)


@pytest.mark.parametrize("made", LISTS, ids=lambda each: each.__name__)
def test_a_place_that_cannot_be_read_is_the_first_page(
    house: WebHouse, monkeypatch: pytest.MonkeyPatch, made: Callable[..., tuple[str, str, str, set[str]]]
) -> None:
    login, at, row, _keys = made(house, monkeypatch)
    browser, wrong = house.browser(login), "after=%27_x&moved=%00&dossiers=_&runs=1"
    first = re.findall(row, browser.get(at).text)
    assert re.findall(row, browser.get(f"{at}{'&' if '?' in at else '?'}{wrong}").text) == first


def test_behind_the_last_row_a_list_says_so_and_leads_back(house: WebHouse) -> None:
    page = house.browser("archivist").get(f"/scans/doubtful?after=99_{'f' * 32}_9").text
    assert ("没有识别得不好" in page, "没有更多内容" in page, 'href="/scans/doubtful">回到开头' in page) == (
        False,
        True,
        True,
    )


def test_visits_by_a_paper_go_on_and_the_number_stands_in_no_address(
    house: WebHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.lending.uses.VISITS", 2)
    archivist = house.browser("archivist")
    number, record = "WY01-WYH·2024-D10-0001", house.a_record(title="竣工图", pages=12)
    put(house, IssuedNumber(fonds_id=record.fonds_id, number=number, record_id=record.id))
    for each in range(ROWS):
        told = {"name": f"来访{each}", "paper": "resident", "paper_number": IDENTITY, "need": "核对", "how": "read"}
        data = {"csrf_token": token_of(archivist), **told, "numbers": number}
        assert archivist.post("/loans/uses/new", data=data).status_code == 303
    sent = {"csrf_token": token_of(archivist), "paper": "resident", "paper_number": IDENTITY}
    found: list[str] = []
    for _page in range(3):
        page = archivist.post("/loans/uses/find", data=sent).text
        found += re.findall(f'<li><a href="/loans/uses/{KEY}"', page)
        assert all(IDENTITY not in address for address in re.findall(r'(?:href|action)="([^"]*)"', page))
        hidden = dict(
            re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.partition('class="plain-list"')[2])
        )
        sent = sent | hidden
    assert (len(found), len(set(found)), "after" in hidden) == (ROWS, ROWS, False)
