"""The demonstration archive with something of everything in it, so that every page has what it is made to show."""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import xlsxwriter
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.serving import make_server

from archive.handin.checking import Looked
from archive.handin.lines import LineFacts
from archive.handin.listing import NewBatch
from archive.identity import system
from archive.model import (
    Appraisal,
    AppraisalItem,
    AppraisalState,
    Category,
    DueState,
    Fonds,
    PersonPost,
    RecordDue,
    ScannedPage,
    ScanState,
    Verdict,
)
from retention.appraising.judging import Filter
from runtime.demo.handing_in import hand_in
from runtime.processes.pages import make_app
from runtime.wiring.parts import Parts
from tests.factories.archives import Archive
from tests.factories.drawn import a_pdf
from tests.factories.hostile_files import a_locked_pdf
from tests.factories.scanned import a_page, a_scanned_pdf
from tests.factories.web_house import token_on

CATEGORY = ("H001", "WYX04")
LONG = (
    "关于和园小区一期三号楼二单元曳引式电梯维护保养服务合同及其补充协议、安全技术档案移交清单、"
    "定期检验报告、应急救援演练记录、配件更换审批单和年度考核评分结果一并归入物业设备设施运行维护类案卷并长期保存的备案材料汇编（二〇二四年度第一次修订）"
)
LETTER = (
    "和园物业服务公司文件\n物管发〔2024〕12号\n关于做好二〇二四年度电梯维护保养工作的通知\n各项目部：\n"
    + "为保证电梯安全运行，各项目部应当督促维保单位每十五日至少进行一次清洁、润滑、调整和检查。" * 6
    + "\n和园物业服务公司\n2024年3月5日\n"
)
CONTRACT = "电梯维护保养服务合同\n合同编号：HY-2024-031\n甲方：和园物业服务公司\n乙方：迅捷电梯有限公司\n" + (
    "乙方应当按照约定的服务内容和标准对电梯进行维护保养，并接受甲方的监督检查。" * 12
)
HEADERS = ["题名", "日期", "责任者", "密级", "页数", "文件名"]
ROWS = [
    ["电梯维护保养合同（三号楼）", "2024-3-5", "迅捷电梯有限公司", "1", "12", "a.pdf"],
    ["消防设施月检记录", "2024-13-40", "", "绝顶", "十", ""],
    ["配电房运行记录", "113/3/5", "和园物业服务公司", "2", "8", "b.pdf"],
    ["", "2024", "", "1", "3", ""],
]


def password_of(login: str) -> str:
    """Return the password of someone of the demonstration."""
    return f"juanku-{login}-2026"


@dataclass
class Furnished:
    """An archive served in this process, and the addresses of what lies in it, by the word that pages are named by."""

    archive: Archive
    parts: Parts
    app: Flask
    url: str
    places: Mapping[str, str]


class Hands:
    """Someone at the pages, without a browser."""

    def __init__(self, app: Flask, login: str) -> None:
        self.client: FlaskClient = app.test_client()
        self.post("/sign-in", "/sign-in", login=login, password=password_of(login))

    def post(self, path: str, form: str = "/account", /, **data: Any) -> Any:
        """Send a form, with the token of the page at ``form``."""
        token = token_on(self.client.get(form).text)
        reply = self.client.post(path, data={"csrf_token": token} | data)
        faults = re.findall(r'<li><a href="#field.*|<p>.*', reply.text)
        assert reply.status_code in {200, 303}, (path, reply.status_code, faults)
        return reply

    def read(self, path: str) -> str:
        """Return a page."""
        reply = self.client.get(path)
        assert reply.status_code == 200, (path, reply.status_code)
        return reply.text


def _sheet() -> BytesIO:
    out = BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet("目录")
    for down, row in enumerate([HEADERS, *ROWS]):
        for at, cell in enumerate(row):
            sheet.write_string(down, at, cell)
    book.close()
    out.seek(0)
    return out


def _record(hands: Hands, category: str, title: str, *files: tuple[str, bytes], **more: Any) -> str:
    values = {"category": category, "title": title, "drawn_up": "2024-03-05", "level": "2"} | more
    reply = hands.post("/records", f"/records/new?category={category}", **values)
    found = re.search(r"/records/([0-9a-f-]{36})", reply.location or reply.text)
    assert found, reply.text
    for name, data in files:
        hands.post(f"/records/{found[1]}/files", files=(BytesIO(data), name))
    return found[1]


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, pattern
    return found[1]


def furnish(archive: Archive, parts: Parts, app: Flask) -> dict[str, str]:
    """Put something of everything in, and return where it lies."""
    with parts.db.reading() as session:
        fonds = session.scalars(select(Fonds).where(Fonds.code == CATEGORY[0])).one()
        here = select(Category).where(Category.fonds_id == fonds.id, Category.code == CATEGORY[1])
        category = session.scalars(here).one()
    places = {"fonds": str(fonds.id), "category": str(category.id)}
    archivist, security, secrecy = (Hands(app, login) for login in ("archivist", "security", "secrecy"))
    contract, letter = a_pdf(CONTRACT[:60], CONTRACT[60:200]), ("通知.txt", LETTER.encode())

    def record(name: str, title: str, *files: tuple[str, bytes]) -> None:
        places[name] = _record(archivist, places["category"], title, *files)

    record("long", LONG, ("电梯维护保养服务合同（正本，签章扫描件，二〇二四年三月五日补充）.pdf", contract))
    record("filed", "三号楼电梯维护保养服务合同（2024年）", ("合同.pdf", contract), letter)
    record("letter", "通知", letter)
    scan = a_scanned_pdf(a_page(["第一条 乙方应当按照约定维护电梯", "第二条 甲方应当按照约定支付费用"]))
    record("scanned", "电梯维修验收单", ("验收单.pdf", scan))
    record("locked", "加密的合同附件", ("附件.pdf", a_locked_pdf()))
    record("binned", "误录的空白登记表")
    version = _first(r'name="version" value="(\d+)"', archivist.read(f"/records/{places['binned']}"))
    archivist.post(f"/records/{places['binned']}/bin", version=version)
    archive.work(parts)
    with parts.db.writing() as work:
        work.session.execute(update(ScannedPage).values(state=ScanState.READ, confidence=61))
        work.commit()
    archivist.post("/records/file", record=places["filed"])
    shown = archivist.read(f"/records/{places['filed']}")
    places["content"] = _first(r"/files/([0-9a-f-]{36})/pages/1", shown)
    places["number"] = _first(r'class="archive-number"[^>]*>([^<]+)<', shown)
    _dossier(archivist, places)
    _moved(archivist, places)
    _correction(secrecy, places)
    _loans(archivist, secrecy, places, parts.guard.day() + timedelta(days=5))
    _uses(archivist, places)
    taken = secrecy.client.get(f"/files/{places['content']}?first=1&last=1")
    assert taken.status_code == 200, taken.text
    begun = archivist.client.post(
        f"/uploads/begin/{places['long']}", json={"name": "竣工图（分十二册）.zip", "size": 9_000_000},
        headers={"X-CSRFToken": token_on(archivist.read("/account"))},
    )  # fmt: skip
    assert begun.status_code == 200, begun.text
    _bring_in(archivist, places)
    _hand_in(parts, places)
    chosen = [places["long"], places["letter"], places["filed"]]
    edit = archivist.post(
        "/bulk/new", record=chosen, changing="1", change=["notes", "keywords"], notes="待核对", add="电梯"
    )
    places["bulk"] = _first(r"/bulk/([0-9a-f-]{36})", edit.location or edit.text)
    _shelve(archivist, places)
    subject = archivist.post(
        "/house/subjects/new", "/house/subjects/new?kind=owner", kind="owner",
        fonds=places["fonds"], name="张三", phone="19000000000",
    )  # fmt: skip
    places["subject"] = _first(r"/house/subjects/([0-9a-f-]{36})", subject.location or subject.text)
    _people(security, secrecy, parts, places)
    _leaving(archivist, secrecy, places)
    _clocks(archivist, places)
    _destruction(archivist, parts, places)
    _audit(Hands(app, "audit"), places, parts.guard.day())
    archive.work(parts)
    return _asked_outside(parts, places)


def _asked_outside(parts: Parts, places: dict[str, str]) -> dict[str, str]:
    """Ask the clerk, who is not on the panel, about a record that it judges; return the places."""
    chair, acts, key = parts.people.identity_of("archivist"), parts.retention.appraisals, UUID(places["appraisal"])
    ids = [each.row.record_id for each in acts.looks.items(chair, key, Filter(), limit=1)]
    acts.consulting.ask(chair, key, ids, "clerk", "补充协议是否仍在履行？是否另有副本在业务部门？")
    return places


def _clocks(archivist: Hands, places: dict[str, str]) -> None:
    listed = archivist.read("/schedules")
    places["schedule"] = _first(r'/schedules/([0-9a-f-]{36})"', listed)
    form = f"/schedules/{places['schedule']}/change"
    drafted = archivist.post(
        form, form, name="一般档案", term="D10", exact="least", trigger="year_end", start="next_january",
        action="appraise", source="8号令", categories=CATEGORY[1], reason="统一期限",
    )  # fmt: skip
    places["draft"] = _first(r"/schedules/drafts/([0-9a-f-]{36})", drafted.location or drafted.text)
    archivist.post("/events", record=places["filed"], event="contract_end", day="2024-12-31", note="合同期满")
    placed = archivist.post(
        "/holds/new", "/holds/new", kind="query", words="配电房", name="配电房事故调查", reason="事故调查取证",
        authority="安委会〔2026〕2号", review_on="2199-06-30",
    )  # fmt: skip
    places["hold"] = _first(r"/holds/([0-9a-f-]{36})", placed.location or placed.text)
    archivist.post("/matters", record=places["filed"], kind="claim", reason="业主索赔未结")
    old = _record(archivist, places["category"], "电梯大修合同（1980年度，含补充协议）", drawn_up="1980-05-06")
    archivist.post("/records/file", record=old)
    begun = archivist.post(
        "/appraisals/new", "/appraisals/new", purpose="到期合同鉴定", panel="archivist secrecy staff",
        chair="archivist",
    )  # fmt: skip
    places["appraisal"] = _first(r"/appraisals/([0-9a-f-]{36})", begun.location or begun.text)
    archivist.post(f"/appraisals/{places['appraisal']}/open", f"/appraisals/{places['appraisal']}", version="1")


def _destruction(archivist: Hands, parts: Parts, places: dict[str, str]) -> None:
    """Begin to destroy a record of which an appraisal said so."""
    key = UUID(_record(archivist, places["category"], "2010年绿化养护合同"))
    archivist.post("/records/file", record=str(key))
    who = UUID(places["person"])
    with parts.db.writing() as work:
        session, now = work.session, parts.clock.now()
        session.merge(RecordDue(record_id=key, state=DueState.DATED, due=date(2021, 1, 1)))
        appraisal = Appraisal(
            number="JD2026-0001", purpose="到期合同鉴定", state=AppraisalState.CLOSED, begun_by=who, begun_at=now,
            closed_at=now,
        )  # fmt: skip
        session.add(appraisal)
        session.flush()
        session.add(
            AppraisalItem(
                appraisal_id=appraisal.id,
                record_id=key,
                position=1,
                number="1",
                due=date(2021, 1, 1),
                verdict=Verdict.DESTROY,
            )
        )
        work.commit()
    begun = archivist.post(
        "/destructions/new", "/destructions/new", purpose="到期合同销毁", method="shredding", place="市保密销毁中心"
    )
    places["destruction"] = _first(r"/destructions/([0-9a-f-]{36})", begun.location or begun.text)


def _questions(secrecy: Hands) -> None:
    """Ask twice why a number is not open; one is answered."""
    staff = Hands(secrecy.client.application, "staff")
    for number in ("H001-WYX04-0099", "H001-WYX04-0100"):
        staff.post("/why", "/why", number=number, ask="1")
    secrecy.post(_first(r'action="(/why/[^"]+/answer)"', secrecy.read("/why")), "/why", answer="shut")


def _audit(auditor: Hands, places: dict[str, str], day: date) -> None:
    """Plan a risk assessment, answer a point, and have the archivist mend what it found."""
    at = "/audits/new"
    ends = (day + timedelta(days=20)).isoformat()
    planned = auditor.post(at, at, checklist="risk", since="2026-01-01", until=ends, due=ends, again_months="12")
    places["audit"] = _first(r"/audits/([0-9a-f-]{36})", planned.location or planned.text)
    show = f"/audits/{places['audit']}"
    auditor.post(f"{show}/answer", show, point="keys", said="not_met", words="备用密钥三年未试开。", version="0")
    auditor.post(
        f"{show}/find", show, point="keys", what="备用密钥多年未试开，主密钥损坏时能否开启并无把握。",
        likelihood="medium", measure="每年由两人试开一次并记录。", responsible="archivist", due=ends,
    )  # fmt: skip
    places["finding"] = _first(r"/audits/findings/([0-9a-f-]{36})", auditor.read(show))


def _transfer(archivist: Hands, places: dict[str, str]) -> None:
    begun = archivist.post(
        "/transfers/new",
        "/transfers/new",
        receiver="青山区档案馆",
        numbers=places["number"],
        reason="按接收范围移交进馆",
    )
    places["transfer"] = _first(r"/transfers/([0-9a-f-]{36})", begun.location or begun.text)
    held = BytesIO()
    with ZipFile(held, "w") as bag:
        bag.writestr("YJ2026-009/bagit.txt", "BagIt-Version: 1.0\n")
    key = _record(archivist, places["category"], "兄弟公司移交包", ("移交包.zip", held.getvalue()))
    taken = archivist.post("/transfers/in/new", "/transfers/in/new", record=key, category=places["category"], level="2")
    places["bag_in"] = _first(r"/transfers/in/([0-9a-f-]{36})", taken.location or taken.text)


def _reread(system: Hands, places: dict[str, str]) -> None:
    begun = system.post("/system/rereading", "/system/rereading", text="no_text")
    places["reread"] = _first(r"/system/rereading/([0-9a-f-]{36})", begun.location or begun.text)


def _leaving(archivist: Hands, secrecy: Hands, places: dict[str, str]) -> None:
    _secrecy(secrecy, places)
    _renewal(archivist, places)
    _transfer(archivist, places)
    _reread(Hands(secrecy.client.application, "system"), places)


def _renewal(archivist: Hands, places: dict[str, str]) -> None:
    form = "/renewals/new"
    asked = archivist.post(
        form, form, records=places["filed"], how="years", years="10", authority="档案鉴定委员会",
        reason="合同尚有争议，须延长保管",
    )  # fmt: skip
    places["renewal"] = _first(r"/renewals/([0-9a-f-]{36})", asked.location or asked.text)


def _secrecy(secrecy: Hands, places: dict[str, str]) -> None:
    form = "/secrecy/reviews/new"
    asked = secrecy.post(
        form, form, records=places["filed"], verdict="extend", years="5", reason="合同仍在履行，到期前应继续保密"
    )
    places["secrecy_review"] = _first(r"/secrecy/reviews/([0-9a-f-]{36})", asked.location or asked.text)


def _correction(reader: Hands, places: dict[str, str]) -> None:
    form = f"/records/{places['filed']}/correct"
    shown = dict(re.findall(r'name="([a-z_]+)" type="[a-z]+" value="([^"]*)"', reader.read(form)))
    version = _first(r'name="version" value="(\d+)"', reader.read(form))
    told = {
        "title": "三号楼电梯维护保养服务合同（2024年度）",
        "drawn_up": "2024-03-06",
        "reason": "封面写明年度，落款为三月六日",
    }
    asked = reader.post(form, form, **{**shown, **told, "version": version})
    places["correction"] = _first(r"/corrections/([0-9a-f-]{36})", asked.location or asked.text)


def _loans(archivist: Hands, borrower: Hands, places: dict[str, str], day: date) -> None:
    """Have something asked for that waits for the archivist, and something that was described."""
    form = f"/records/{places['filed']}/borrow"
    asked = borrower.post(form, form, form="screen", purpose="work", reason="核对维保条款和付款节点")
    places["request"] = _first(r"/loans/requests/([0-9a-f-]{36})", asked.location)
    at = "/loans/describe"
    borrower.post(at, at, sought="三号楼去年的消防验收资料", form="room", purpose="audit", reason="配合消防检查")
    archivist.read(f"/loans/requests/{places['request']}")
    archivist.post("/loans/basket/add", record=places["filed"], back="/")
    papers = {}
    for name, title in (("round", "业主委员会会议纪要（传阅）"), ("kept", "一号楼业主资料册")):
        key = _record(archivist, places["category"], title, level="1", medium="paper")
        archivist.post("/records/file", record=key)
        papers[name] = _first(r'class="archive-number"[^>]*>([^<]+)<', archivist.read(f"/records/{key}"))
    at = "/circulations/new"
    texts = {"purpose": "传阅", "scope": "全文，不得复制", "until": day.isoformat(), "receivers": "secrecy,director"}
    slip = archivist.post(at, at, number=papers["round"], **texts)
    places["slip"] = _first(r"/circulations/([0-9a-f-]{36})", slip.location or slip.text)
    key = _record(archivist, places["category"], "二号楼业主资料册（内部）", level="2", medium="paper")
    archivist.post("/records/file", record=key)
    number = _first(r'class="archive-number"[^>]*>([^<]+)<', archivist.read(f"/records/{key}"))
    at = "/standing-custody"
    asked = archivist.post(at, at, number=number, holder="director", months="6", reason="片区业主接待日常查用")
    places["paper_request"] = _first(r"/paper-requests/([0-9a-f-]{36})", asked.location or asked.text)
    archivist.post(at, at, number=papers["kept"], holder="secrecy", months="6")
    places["custody"] = _first(r"/standing-custody/([0-9a-f-]{36})", archivist.read(at))


def _uses(archivist: Hands, places: dict[str, str]) -> None:
    """Give a record to a reader from outside, and make an excerpt with a black part."""
    key = _record(archivist, places["category"], "三号楼竣工验收备案表", level="1", medium="paper")
    archivist.post("/records/file", record=key)
    number = _first(r'class="archive-number"[^>]*>([^<]+)<', archivist.read(f"/records/{key}"))
    at = "/loans/uses/new"
    reader = {"name": "赵来访", "paper": "other", "paper_number": "备字2024第18号", "organisation": "市城建档案馆"}
    made = archivist.post(at, at, **reader, need="核对竣工验收备案", numbers=number, how="copies", pages="3")
    places["visit"] = _first(r"/loans/uses/([0-9a-f-]{36})", made.location or made.text)
    places["reader"] = _first(r"/loans/readers/([0-9a-f-]{36})", archivist.read("/loans/readers"))
    places["excerpted"], places["excerpt_file"] = places["filed"], places["content"]
    at = f"/files/{places['content']}/excerpt"
    part = {"p1-left": "10", "p1-top": "12", "p1-width": "60", "p1-height": "6"}
    archivist.post(at, at, act="make", pages="1", purpose="给业主核对付款条款", **part)


def _dossier(archivist: Hands, places: dict[str, str]) -> None:
    title = "电梯维护保养合同卷（2024年度）"
    places["dossier"] = _record(archivist, places["category"], title, kind="dossier", drawn_up="2024")
    at = f"/records/{places['dossier']}/contents"
    for name in ("long", "filed", "letter", "scanned"):
        archivist.post(f"{at}/add", number=places[name])
    version = _first(r'name="version" value="(\d+)"', archivist.read(at))
    archivist.post(f"{at}/volume", record=places["letter"], version=version)
    papers = f"/records/{places['dossier']}/papers"
    archivist.post(f"{papers}/template", template="contract_filing")
    archivist.post(f"{papers}/facts", version="1", **{"fact-de_facto": "no", "fact-accepted_on": "2024-03-05"})
    archivist.post(f"{papers}/attach", paper="contract", record=places["long"])
    number = places["letter"]
    archivist.post(f"/records/{places['filed']}/relations", kind="attachment_of", number=number)


def _moved(archivist: Hands, places: dict[str, str]) -> None:
    """A move of all that lies in a dossier, of which some was taken elsewhere meanwhile."""
    old, new = (
        _record(archivist, places["category"], title, kind="dossier", drawn_up="2023") for title in ("旧卷", "新卷")
    )
    item = _record(archivist, places["category"], "旧卷内文件", drawn_up="2023-05-06")
    archivist.post(f"/records/{old}/contents/add", number=item)
    begun = archivist.post(f"/records/{old}/contents/move-all", dossier=new)
    places["bulk_move"] = _first(r"/bulk/moves/([0-9a-f-]{36})", begun.location or begun.text)


def _bring_in(archivist: Hands, places: dict[str, str]) -> None:
    for name in ("sheet", "sheet_unsaid"):
        begun = archivist.post("/bring-in", category=places["category"], file=(_sheet(), "目录.xlsx"))
        places[name] = _first(r"/bring-in/([0-9a-f-]{36})", begun.location)
    at = f"/bring-in/{places['sheet']}"
    said = re.findall(r'<option value="([^"]*)" selected', archivist.read(f"{at}/columns"))
    archivist.post(f"{at}/columns", column=said)


def _hand_in(parts: Parts, places: dict[str, str]) -> None:
    hand_in(parts)
    clerk = parts.people.identity_of("clerk")
    listed = {each.row.state.value: each for each in parts.hand_ins.looks.every(clerk)}
    places["batch_signed"], places["batch_returned"] = str(listed["signed"].row.id), str(listed["returned"].row.id)
    row = listed["returned"].row
    for name in ("batch_handed", "batch_open", "batch_checked"):
        new = NewBatch(f"客户服务部文件（{name}）", row.category_id, row.department_id, 1)
        key = parts.hand_ins.listing.open(clerk, new)
        lines = [
            LineFacts(f"SVC-{at}", f"{LONG}之{at}" if at == 2 else f"巡查记录{at}", "2026-05", at) for at in (1, 2, 3)
        ]
        parts.hand_ins.listing.add_lines(clerk, key, lines, 1)
        places[name] = str(key)
        if name != "batch_open":
            parts.hand_ins.listing.hand_in(clerk, key, 2)
    archivist, key = parts.people.identity_of("archivist"), UUID(places["batch_checked"])
    for each in parts.hand_ins.looks.show(archivist, key).lines:
        parts.hand_ins.checking.check(archivist, key, each.row.id, Looked())
    parts.hand_ins.checking.finish(archivist, key)
    places["run"] = str(parts.filing_many.begin(archivist, [UUID(places["letter"])]))
    parts.filing_many.stop(archivist, UUID(places["run"]))
    parts.sending_back.send(archivist, UUID(places["scanned"]), "第二页缺，请补扫")


def _shelve(archivist: Hands, places: dict[str, str]) -> None:
    for name, inside, said in (
        ("room", "", {"code": "Z9", "name": "第二档案室", "security": "secure_room"}),
        ("cabinet", "room", {"code": "01", "name": "密集架"}),
        ("shelf", "cabinet", {"code": "1", "capacity": "20"}),
        ("box", "shelf", {"code": "05", "capacity": "30"}),
    ):
        at = f"/shelves/new?in={places[inside]}" if inside else "/shelves/new"
        made = archivist.post(at, at, **said)
        code = {"room": "Z9", "cabinet": "Z9-01", "shelf": "Z9-01-1", "box": "Z9-01-1-05"}[name]
        places[name] = _first(r"/shelves/([0-9a-f-]{36})", archivist.client.get(f"/shelves/at?p={code}").location)
        assert made.status_code == 303
    archivist.post(f"/records/{places['filed']}/copies/new", carrier="paper", pages="12")
    shown = archivist.read(f"/records/{places['filed']}")
    places["copy"] = _first(r"/copies/([0-9a-f-]{36})/place", shown)
    archivist.post(f"/copies/{places['copy']}/place", shelf="Z9-01-1-05", version="1")
    for name in ("counted", "stocktaking"):
        begun = archivist.post("/stocktakings", "/stocktakings", place="Z9-01-1-05")
        places[name] = _first(r"/stocktakings/([0-9a-f-]{36})", begun.location)
        if name == "counted":
            archivist.post(f"/stocktakings/{places[name]}/close", f"/stocktakings/{places[name]}", sure="1")


def _people(security: Hands, secrecy: Hands, parts: Parts, places: dict[str, str]) -> None:
    made = security.post("/house/people/invite", login="newcomer", name="许小雪", roles=["staff"], clearance="1")
    places["welcome"] = _first(r"/welcome/([\w.~-]+)", made.text)
    everyone = security.read("/house/people")
    places["person"] = _first(r'/house/people/([0-9a-f-]{36})"[^>]*>林静文', everyone)
    places["officer"] = _first(r'/house/people/([0-9a-f-]{36})"[^>]*>冯立夏', everyone)
    with parts.db.reading() as session:
        held = select(PersonPost.id).where(PersonPost.person_id == UUID(places["person"]))
        places["holding"] = str(session.scalars(held).one())
    places["department"] = _first(r"/departments/([0-9a-f-]{36})/rename", security.read("/house/organisation"))
    secrecy.post("/house/levels/groups/new", fonds=places["fonds"], number_mark="QA", name="专案一")
    parts.people.issue_token(system("operator"), "archivist", "扫描站的自动上传程序", 30)
    _questions(secrecy)


@contextmanager
def furnished(archive: Archive) -> Iterator[Furnished]:
    """Furnish an archive, if it is not furnished yet, and serve it from this process."""
    parts = archive.parts()
    parts.page_reader = None  # what OCR would read of the one scan is written down instead
    app = make_app(parts)
    kept = archive.folder / "places.json"
    if not kept.exists():
        kept.write_text(json.dumps(furnish(archive, parts, app)))
    try:
        with served(app) as url:
            yield Furnished(archive, parts, app, url, json.loads(kept.read_text()))
    finally:
        archive.close()


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve pages from this process; yield their address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
