"""Pages of the house: who is led there, what each act does and logs, and what is hidden from others."""

import html
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from archive.ids import new_id
from archive.model import (
    Category,
    CategoryVersion,
    Department,
    Distribution,
    Fonds,
    Job,
    JobKind,
    JobState,
    LogEntry,
    Place,
    RecordState,
    RecordSubject,
    Subject,
)
from archive.scheme.shipped import scheme
from runtime.doctor import LOOKS
from runtime.settings import SPECS
from tests.factories.web_house import WebHouse, a_web_house, token_of
from web import waiting
from web.house import subjects
from web.number_fields import number_fields
from web.words import translator
from web.words.parts import PARTS

PHONE = "13812345678"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def send(client: FlaskClient, path: str, **data: object) -> tuple[int, str]:
    reply = client.post(path, data={"csrf_token": token_of(client), **data}, follow_redirects=True)
    return reply.status_code, reply.text


def acts(house: WebHouse) -> set[str]:
    with house.services.db.reading() as session:
        return set(session.scalars(select(LogEntry.act)))


def test_each_page_is_in_the_rail_of_those_alone_whom_it_lets_in(house: WebHouse) -> None:
    who = {
        "/house/organisation": {"security"},
        "/house/levels": {"security", "secrecy"},
        "/house/fonds": {"archivist", "system"},
        "/house/rules": {"archivist", "system"},
        "/house/places": {"archivist", "system"},
        "/house/subjects": {"archivist", "clerk"},
        "/system": {"archivist", "system"},
    }
    for login in house.people:
        client = house.browser(login)
        rail = client.get("/").text
        for path, allowed in who.items():
            assert (f'href="{path}"' in rail) == (login in allowed), (login, path)
            reply = client.get(path, follow_redirects=True)
            assert reply.status_code == (200 if login in allowed else 403), (login, path)


def test_acts_are_refused_to_whom_the_pages_are_not_shown(house: WebHouse) -> None:
    client, key = house.browser("staff"), uuid4()
    fonds = house.category.fonds_id
    for path in (
        "organisation/departments/new", "organisation/posts/new", "levels/distributions/new", "levels/groups/new",
        f"levels/distributions/{key}/withdraw", "fonds/new", f"fonds/{fonds}/close", f"fonds/{fonds}/scheme/apply",
        f"fonds/{fonds}/scheme/{house.category.id}/close", f"places/{fonds}/new", "rules/new",
    ):  # fmt: skip
        data = {"code": "X", "name": "x", "level": "4", "fonds": str(fonds), "number_mark": "Z", "template": "x"}
        assert send(client, f"/house/{path}", **data)[0] == 403, path
    assert send(client, "/house/subjects", number=PHONE)[0] == 403
    assert send(client, f"/system/jobs/{key}/retry")[0] == 403


def test_departments_and_posts_are_added_renamed_closed(house: WebHouse) -> None:
    client = house.browser("security")
    status, page = send(client, "/house/organisation/departments/new", code="坏", name="工程部")
    assert status == 422
    assert 'href="#field-code"' in page
    assert 'value="工程部"' in page
    assert "工程部" in send(client, "/house/organisation/departments/new", code="ENG", name="工程部")[1]
    assert send(client, "/house/organisation/departments/new", code="ENG", name="x")[0] == 409
    with house.services.db.reading() as session:
        row = session.scalars(select(Department).where(Department.code == "ENG")).one()
    path = f"/house/organisation/departments/{row.id}"
    assert "维修部" in send(client, f"{path}/rename", name="维修部", version="1")[1]
    assert send(client, f"{path}/rename", name="又改", version="1")[0] == 409
    assert "2026-03-05 起已关闭" in send(client, f"{path}/close", until="2026-3-5", version="2")[1]
    assert "主任" in send(client, "/house/organisation/posts/new", code="head", name="主任")[1]
    assert {"department.add", "department.rename", "department.close", "post.add"} <= acts(house)


def test_a_level_is_distributed_and_taken_back_with_a_plain_sentence(house: WebHouse) -> None:
    client = house.browser("security")
    with house.services.db.reading() as session:
        office = session.scalars(select(Department).where(Department.code == "OFFICE")).one()
    status, page = send(client, "/house/levels/distributions/new", level="4", department=str(office.id))
    assert status == 200
    assert "收回后，OFFICE全体人员不能再凭授权查阅" in page
    assert send(client, "/house/levels/distributions/new", level="4", department=str(office.id))[0] == 409
    with house.services.db.reading() as session:
        row = session.scalars(select(Distribution).where(Distribution.department_id == office.id)).one()
    assert "OFFICE全体人员" not in send(client, f"/house/levels/distributions/{row.id}/withdraw")[1]
    assert {"distribution.add", "distribution.remove"} <= acts(house)


def test_a_group_is_told_to_those_alone_who_manage_levels(house: WebHouse) -> None:
    fonds = str(house.category.fonds_id)
    client = house.browser("secrecy")
    assert send(client, "/house/levels/groups/new", fonds=fonds, name="纪检专案", number_mark="1")[0] == 422
    assert "纪检专案" in send(client, "/house/levels/groups/new", fonds=fonds, name="纪检专案", number_mark="Q")[1]
    for login in ("archivist", "system", "staff", "clerk"):
        browser = house.browser(login)
        for path in ("/house/fonds", "/house/rules", f"/house/fonds/{fonds}/scheme", "/house/levels", "/"):
            assert "纪检专案" not in browser.get(path).text, (login, path)


def test_a_fonds_is_added_renamed_joined_and_closed_only_by_its_code(house: WebHouse) -> None:
    client = house.browser("system")
    assert "明湖大学" in send(client, "/house/fonds/new", code="X1", name="明湖大学")[1]
    assert send(client, "/house/fonds/new", code="X1", name="x")[0] == 409
    send(client, "/house/fonds/new", code="X2", name="旧公司")
    with house.services.db.reading() as session:
        first, second = (session.scalars(select(Fonds).where(Fonds.code == code)).one() for code in ("X1", "X2"))
    assert "湖大" in send(client, f"/house/fonds/{first.id}/rename", name="湖大", version="1")[1]
    joining = {"successor": str(first.id), "on": "2026-03-05", "version": "1"}
    status, page = send(client, f"/house/fonds/{second.id}/join", confirm="X1", **joining)
    assert status == 422
    assert "请输入 X2" in page
    assert "指向 X1" in send(client, f"/house/fonds/{second.id}/join", confirm="X2", **joining)[1]
    closing = {"on": "20260305", "version": "2"}
    assert send(client, f"/house/fonds/{first.id}/close", confirm="", **closing)[0] == 422
    assert "已关闭" in send(client, f"/house/fonds/{first.id}/close", confirm="X1", **closing)[1]
    assert {"fonds.add", "fonds.rename", "fonds.join", "fonds.close"} <= acts(house)


def test_a_scheme_is_checked_then_brought_in_and_comes_out_as_it_went_in(house: WebHouse) -> None:
    client = house.browser("archivist")
    at = f"/house/fonds/{house.category.fonds_id}/scheme"
    text = scheme("university").to_yaml()
    bad = text.replace("level: 1", "levle: 1", 1)
    status, page = send(client, f"{at}/import", file=(BytesIO(bad.encode()), "s.yaml"))
    assert status == 422
    assert "categories[0].levle" in page
    status, page = send(client, f"{at}/import", file=(BytesIO(b"a: [1"), "s.yaml"))
    assert status == 422
    status, page = send(client, f"{at}/import", file=(BytesIO(text.encode()), "s.yaml"))
    assert status == 200
    assert "WYH" in page.split("不再列出")[1], "what the file does not name is told as closing"
    assert "scheme.install" not in acts(house)
    with house.services.db.reading() as session:
        assert len(session.scalars(select(Category)).all()) == 1, "checking writes nothing"
    kept = re.search(r'<textarea name="text" hidden>\n(.*?)</textarea>', page, re.DOTALL)
    assert kept
    assert send(client, f"{at}/apply", text=html.unescape(kept[1]))[0] == 200
    assert "scheme.install" in acts(house)
    out = client.get(f"{at}/export")
    assert "attachment" in out.headers["Content-Disposition"]
    assert "没有变化" in send(client, f"{at}/import", file=(BytesIO(out.data), "s.yaml"))[1]
    assert "WYH" not in client.get(at).text
    assert "WYH" in client.get(f"{at}?closed=1").text


def test_a_category_is_changed_and_closed_and_keeps_its_versions(house: WebHouse) -> None:
    client = house.browser("archivist")
    at = f"/house/fonds/{house.category.fonds_id}/scheme/{house.category.id}"
    assert "对方单位" in client.get(at).text
    version = house.category.version
    change = {"name": "合同", "level": "2", "version": str(version)}
    status, page = send(client, f"{at}/change", term="X9", **change)
    assert status == 422
    assert 'href="#field-term"' in page
    status, page = send(client, f"{at}/change", term="D30", importance="4", **change)
    assert (status, 'href="#field-importance"' in page) == (422, True)
    page = send(client, f"{at}/change", term="D30", importance="2", **change)[1]
    assert "30 年" in page
    assert "<dt>重要程度</dt><dd>重要</dd>" in page
    record = house.a_record(title="电梯合同")
    assert '重要 <span class="help">按类目</span>' in client.get(f"/records/{record.id}").text
    assert f'data-words="版本">{version + 1}</td>' in page
    field = {"name": "付清", "code": "paid", "kind": "choice", "choices": "yes 已付清", "version": str(version + 1)}
    assert send(client, f"{at}/fields/new", **field | {"choices": ""})[0] == 422
    assert send(client, f"{at}/fields/new", **field)[0] == 200
    field = {"name": "金额", "code": "sum", "kind": "number", "version": str(version + 2)}
    assert "必填" in send(client, f"{at}/fields/new", **field)[1]
    field |= {"minimum": "1", "required_if": "paid=yes", "version": str(version + 3)}
    status, page = send(client, f"{at}/fields/sum", **field | {"minimum": "x"})
    assert (status, 'href="#field-minimum"' in page) == (422, True)
    page = send(client, f"{at}/fields/sum", **field)[1]
    assert "不小于 1" in page
    assert "“付清”为“已付清”时，归档必填" in page
    assert send(client, f"{at}/fields/sum", **field)[0] == 409
    assert client.get(f"{at}/fields/none").status_code == 404
    assert "已于" in send(client, f"{at}/close")[1]
    assert client.get(f"/house/fonds/{uuid4()}/scheme/{house.category.id}").status_code == 404
    assert {"scheme.change", "scheme.close"} <= acts(house)


def test_places_are_walked_added_and_changed(house: WebHouse) -> None:
    client = house.browser("archivist")
    at = f"/house/places/{house.category.fonds_id}"
    assert client.get("/house/places").headers["Location"] == at
    status, page = send(client, f"{at}/new", code="B2", name="写字楼", property_types=["residential"])
    assert status == 422
    assert 'value="写字楼"' in page
    assert "写字楼" in send(client, f"{at}/new", code="B2", name="写字楼", property_types=["commercial"])[1]
    assert "一号楼" in send(client, f"{at}/new?at=B2", code="1", name="一号楼")[1]
    assert send(client, f"{at}/new?at=B2", code="1", name="又一")[0] == 409
    changed = {"name": "大厦", "version": "1"}
    assert send(client, f"{at}/change?at=B2", address="x", land_area="很大", **changed)[0] == 422
    page = send(client, f"{at}/change?at=B2", address="湖滨路 1 号", land_area="1200", **changed)[1]
    assert "湖滨路 1 号" in page
    assert "大厦" in page
    assert client.get(f"{at}?at=Z9").status_code == 404
    with house.services.db.reading() as session:
        assert session.scalars(select(Place).where(Place.path == "B2/01/")).one()
    assert {"place.add", "place.change"} <= acts(house)


def test_a_rule_is_told_while_it_is_written_and_added(house: WebHouse) -> None:
    client = house.browser("archivist")
    good, bad = "{fonds}-{year}-{mark}{serial:5}", "{fonds}-{owner}-{mark}{serial}"
    assert "Z109-2026-A00001" in client.get("/house/rules/check", query_string={"template": good}).text
    assert 'class="fault"' in client.get("/house/rules/check", query_string={"template": bad}).text
    status, page = send(client, "/house/rules/new", code="own", name="自编", template=bad)
    assert status == 422
    assert 'value="自编"' in page
    assert "scheme.add_rule" not in acts(house)
    assert (
        "Z109-2026-A00001" in send(client, "/house/rules/new", code="own", name="自编", template=good, only="check")[1]
    )
    assert "scheme.add_rule" not in acts(house)
    assert "自编" in send(client, "/house/rules/new", code="own", name="自编", template=good)[1]
    assert send(client, "/house/rules/new", code="own", name="自编", template=good)[0] == 409
    assert "scheme.add_rule" in acts(house)


def a_subject(client: FlaskClient, house: WebHouse, name: str, phone: str) -> str:
    data = {"kind": "owner", "fonds": str(house.category.fonds_id), "name": name, "phone": phone}
    token = token_of(client)
    reply = client.post("/house/subjects/new", data=data | {"csrf_token": token})
    assert reply.status_code == 303, reply.text
    return reply.headers["Location"]


def test_a_subject_is_found_by_its_whole_number_and_shown_masked(house: WebHouse) -> None:
    client = house.browser("clerk")
    fonds = str(house.category.fonds_id)
    status, page = send(client, "/house/subjects/new", kind="owner", fonds=fonds, name="", phone="1381")
    assert status == 422
    assert 'href="#field-name"' in page
    at = a_subject(client, house, "江一苇", PHONE)
    page = client.get(at).text
    assert "江一苇" in page
    assert PHONE not in page
    assert "江一苇" in send(client, "/house/subjects", number=PHONE)[1]
    assert "没有对象是这个号码" in send(client, "/house/subjects", number="1381234")[1]
    assert {"subject.add", "subject.read", "subject.find"} <= acts(house)
    for login in ("staff", "auditor", "system", "security"):
        assert "江一苇" not in house.browser(login).get(at).text


def test_a_subject_keeps_its_number_when_it_is_changed_and_leads_on_when_merged(house: WebHouse) -> None:
    client = house.browser("archivist")
    first, second = a_subject(client, house, "江一苇", PHONE), a_subject(client, house, "江苇", "13900001111")
    assert PHONE not in client.get(f"{first}/change").text
    assert "江壹苇" in send(client, f"{first}/change", name="江壹苇", phone="", version="1")[1]
    assert "江壹苇" in send(client, "/house/subjects", number=PHONE)[1]
    send(client, f"{first}/change", name="江壹苇", phone="", away=["phone"], version="2")
    assert "没有对象是这个号码" in send(client, "/house/subjects", number=PHONE)[1]
    assert send(client, f"{first}/merge", into="13700000000")[0] == 422
    assert "江苇" in send(client, f"{first}/merge", into="13900001111")[1]
    page = client.get(first).text
    assert second in page
    assert f"{first}/change" not in page
    assert send(client, f"{second}/split", name="某人")[0] == 422
    with house.services.db.reading() as session:
        assert len(session.scalars(select(Subject)).all()) == 2
    assert {"subject.change", "subject.merge"} <= acts(house)


def test_all_subjects_of_one_number_are_found_page_by_page(house: WebHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    client = house.browser("clerk")
    made = {a_subject(client, house, f"同号{n}", PHONE) for n in range(5)}
    monkeypatch.setattr(subjects, "FOUND", 2)
    behind: dict[str, str] = {}
    seen, pages = list[str](), 0
    while True:
        assert pages < 5, "it does not end"
        page = send(client, "/house/subjects", number=PHONE, **behind)[1]
        seen += re.findall(r'href="(/house/subjects/[0-9a-f-]{36})"', page)
        pages += 1
        more = re.search(rf'value="{PHONE}"><input type="hidden" name="after" value="([^"]+)"', page)
        if more is None:
            break
        behind = {"after": more[1]}
    assert (pages, len(seen), set(seen)) == (3, 5, made)
    beyond = send(client, "/house/subjects", number=PHONE, after=UUID(int=2**128 - 1).hex)[1]
    assert ["此处之后没有更多" in beyond, "没有对象" in beyond] == [True, False]


def test_what_is_ticked_stays_ticked_while_the_pages_of_a_split_are_turned(house: WebHouse) -> None:
    client = house.browser("archivist")
    at = a_subject(client, house, "江一苇", "13900002222")
    key, who = UUID(at.rsplit("/", 1)[1]), house.services.people.identity_of("archivist")
    titles = [f"分出{n:03}" for n in range(subjects.PAGE + 5)]
    ids = [house.a_record(title=title, level=1).id for title in titles]
    with house.services.db.writing() as work:
        work.session.add_all(RecordSubject(record_id=record_id, subject_id=key) for record_id in ids)
        work.commit()
    hidden = house.a_record(title="别的对象的").id

    def ticks(page: str, name: str) -> dict[str, bool]:
        found = re.findall(rf'name="{name}" value="([^"]+)"( checked)?', page)
        return {text: bool(mark) for text, mark in found}

    first = client.get(f"{at}/split").text
    assert len(ticks(first, "records")) == subjects.PAGE
    [turn] = re.findall(r'name="turn" value="([^"]+)"', first)
    buttons = re.findall("<button([^>]*)>([^<]*)<", first[first.index('<form method="post"', first.index("<main")) :])
    assert [("name=" in buttons[0][0], buttons[0][1]), buttons[1][1]] == [(False, "拆分"), "其他档案"], "by Enter"
    chosen = [*list(ticks(first, "records"))[:2], str(hidden)]
    status, second = send(client, f"{at}/split", records=chosen, turn=turn, name="江二苇", after="")
    assert (status, ticks(second, "picked")) == (200, dict.fromkeys(chosen[:2], True))
    assert len(ticks(second, "records")) == 5
    assert [f'value="{turn}"' in second, 'value="江二苇"' in second] == [True, True]
    assert not set(ticks(first, "records")) & set(ticks(second, "records"))
    more = list(ticks(second, "records"))[:1]
    typed = {"picked": chosen[:1], "records": more, "after": turn}
    status, again = send(client, f"{at}/split", **typed, name="")
    assert (status, ticks(again, "picked")) == (422, {chosen[0]: True})
    assert [key for key, ticked in ticks(again, "records").items() if ticked] == more
    status, back = send(client, f"{at}/split", **typed, turn="first", name="江二苇")
    assert (status, ticks(back, "picked")) == (200, {more[0]: True})
    assert [key for key, ticked in ticks(back, "records").items() if ticked] == chosen[:1]
    assert "已拆分" in send(client, f"{at}/split", **typed, name="江二苇")[1]
    left = {row.id for row in house.services.house.subjects.show(who, key).records}
    assert set(ids) - left == {UUID(chosen[0]), UUID(more[0])}


def a_failed_job(house: WebHouse, error: str = "unavailable") -> Job:
    with house.services.db.writing() as work:
        now = house.clock.now()
        row = Job(
            id=new_id(), kind=JobKind.SWEEP_ORPHANS, payload={}, state=JobState.FAILED, attempts=5, run_after=now,
            error=error, created_at=now, finished_at=now,
        )  # fmt: skip
        work.session.add(row)
        work.commit()
    return row


def test_a_failed_job_is_done_again_or_given_up_by_who_runs_the_system(house: WebHouse) -> None:
    client, jobs = house.browser("system"), [a_failed_job(house, error) for error in ("store", "OperationalError")]
    page = client.get("/system").text
    assert "文件存储没有应答" in page
    assert "程序错误（OperationalError）" in page
    archivist = house.browser("archivist")
    assert "JUANKU_<wbr>HOME" in page
    assert "<wbr>HOME" not in archivist.get("/system").text
    assert archivist.get("/system/parts").status_code == 403
    assert send(archivist, f"/system/jobs/{jobs[0].id}/retry")[0] == 403
    assert "正等待重做" in send(client, f"/system/jobs/{jobs[0].id}/retry")[1]
    assert "已放弃" in send(client, f"/system/jobs/{jobs[1].id}/cancel", sure="1")[1]
    assert send(client, f"/system/jobs/{jobs[1].id}/retry")[0] == 409
    with house.services.db.reading() as session:
        assert [session.get_one(Job, job.id).state for job in jobs] == [JobState.QUEUED, JobState.CANCELLED]
        assert session.get_one(Job, jobs[0].id).attempts == 0
    assert {"job.retry", "job.cancel"} <= acts(house)


def test_jobs_are_told_by_queue_and_a_broker_that_is_away_too(house: WebHouse) -> None:
    client = house.browser("system")
    a_failed_job(house, "lease_lost")
    page = client.get("/system").text
    assert "保管与清理" in page
    assert "没有应答" not in page
    object.__setattr__(house.services.house, "broker", lambda: False)
    assert "唤醒工作进程的消息代理没有应答" in client.get("/system").text


def test_settings_and_findings_are_told_in_the_readers_words(house: WebHouse) -> None:
    client = house.browser("system")
    assert "数据目录" in client.get("/system").text
    assert "正常" in client.get("/system/parts").text
    assert set(PARTS) == set(LOOKS), "a part that the doctor looks at has no name of people's"
    assert "由 内置引擎 0.27 应答" in client.get("/system").text
    assert "检索索引" not in house.browser("archivist").get("/system").text
    for locale in ("zh_CN", "zh_TW"):
        gettext = translator(locale)
        assert not [spec.meaning for spec in SPECS.values() if gettext(spec.meaning) == spec.meaning]


def test_a_category_is_added_below_another_and_moved(house: WebHouse) -> None:
    client, clerk = house.browser("archivist"), house.browser("staff")
    at = f"/house/fonds/{house.category.fonds_id}/scheme"
    assert "新增类目" in client.get(at).text
    assert clerk.get(f"{at}/new").status_code == 403
    assert "WYH" in client.get(f"{at}/new?parent={house.category.id}").text
    status, page = send(client, f"{at}/new", code="W 1", name="维保", parent=str(house.category.id))
    assert (status, 'href="#field-code"' in page) == (422, True)
    status, page = send(client, f"{at}/new", code="W2", name="维保", term="Y")
    assert (status, 'href="#field-level"' in page) == (422, True), "nothing above it says how secret"
    page = send(client, f"{at}/new", code="WB01", name="维保合同", parent=str(house.category.id))[1]
    assert "维保合同" in page
    with house.services.db.reading() as session:
        row = session.scalars(select(Category).where(Category.code == "WB01")).one()
    assert (row.parent_id, row.term) == (house.category.id, house.category.term)
    own = client.get(f"{at}/{house.category.id}/move").text
    assert "WB01" not in own.split("<select")[1], "nothing is moved below itself"
    status, page = send(client, f"{at}/{row.id}/move", parent="", version="1", reason=" ")
    assert (status, 'href="#field-reason"' in page) == (422, True)
    wanted = {"parent": "", "version": "1", "reason": "合同另成一支"}
    page = send(client, f"{at}/{row.id}/move", **wanted)[1]
    assert "尚未移动" in page
    with house.services.db.reading() as session:
        assert session.get_one(Category, row.id).parent_id == house.category.id
    assert "类目已移动" in send(client, f"{at}/{row.id}/move", **wanted, sure="1")[1]
    back = wanted | {"parent": str(house.category.id), "sure": "1"}
    assert send(client, f"{at}/{row.id}/move", **back)[0] == 409
    with house.services.db.reading() as session:
        assert session.get_one(Category, row.id).parent_id is None
    assert {"scheme.add", "scheme.move"} <= acts(house)


@pytest.mark.parametrize(("count", "told"), [(1_000, "1,000"), (1_001, "1,000+"), (250_000, "1,000+")])
def test_a_desk_counts_no_further_than_anyone_reads(
    house: WebHouse, monkeypatch: pytest.MonkeyPatch, count: int, told: str
) -> None:
    monkeypatch.setattr(waiting, "WAITS", (waiting.Wait("of this", "desk.desk", lambda _session: count),))
    house.a_record(title="待归档", state=RecordState.PROVISIONAL)  # an empty desk says where to begin
    assert f"<strong>{told}</strong> of this" in house.browser("archivist").get("/").text


def test_a_category_of_old_that_would_be_refused_today_closes_no_history(house: WebHouse) -> None:
    record, browser = house.a_record(title="电梯合同"), house.browser("archivist")
    history = f"/records/{record.id}/history"
    browser.get(f"/records/{record.id}")
    assert browser.get(history).status_code == 200
    old = {"name": "other", "kind": "phone", "names": {}, "gone": 1}, {"name": "x", "kind": "gone"}
    with house.services.db.writing() as work:
        work.session.add(
            CategoryVersion(
                category_id=house.category.id, version=99, since=house.clock.now(), definition={"fields": list(old)}
            )
        )  # fmt: skip
        work.commit()
    assert browser.get(history).status_code == 200
    with house.app.test_request_context():
        assert "other" in number_fields(), "what is known is read anew"
