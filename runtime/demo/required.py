"""Required papers of the demonstration: an enterprise that is whole, and a filing that lacks two papers and is late."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from archive.cataloguing.describing import Draft
from archive.identity import Identity
from archive.model import Category, Fonds, Medium, RecordKind
from runtime.wiring.parts import Parts

FONDS = "H001"
HOUSE = "和园物业服务公司"

ENTERPRISE = (
    ("营业执照", f"{HOUSE}企业法人营业执照副本"),
    ("资质证书", f"{HOUSE}物业服务企业资质证书（正本）"),
    ("资质证书", f"{HOUSE}物业服务企业资质证书（副本）"),
    ("组织机构代码证", f"{HOUSE}组织机构代码证"),
    ("企业章程", f"{HOUSE}章程"),
)
FILING = (
    ("备案申请表", "和园小区物业服务合同备案申请表"),
    ("物业服务合同", "和园小区物业服务合同"),
    ("营业执照", f"{HOUSE}企业法人营业执照副本（加盖公章复印件）"),
    ("资质证书", f"{HOUSE}资质证书正本（加盖公章复印件）"),
    ("资质证书", f"{HOUSE}资质证书副本（加盖公章复印件）"),
    ("组织机构代码证", f"{HOUSE}组织机构代码证（加盖公章复印件）"),
)
ACCEPTANCE = (
    ("竣工总平面图", "望湖花园竣工总平面图"),
    ("分户验收资料", "望湖花园分户验收记录汇总"),
    ("共用设备清单", "望湖花园共用设施设备清单"),
)
FOLDERS = (ENTERPRISE, FILING, ACCEPTANCE)
COUNT = sum(1 + len(each) for each in FOLDERS)
"""Records that ``make`` adds."""

PEOPLE = (
    ("legal_representative", "employee", "贺远舟", "19000000101"),
    ("project_manager", "project_manager", "江一帆", "19000000102"),
)


def make(parts: Parts) -> None:
    """Make the dossiers as the archivist."""
    who = parts.people.identity_of("archivist")
    today = parts.guard.day()
    with parts.db.reading() as session:
        fonds = session.scalars(select(Fonds.id).where(Fonds.code == FONDS)).one()
        rows = session.execute(select(Category.code, Category.id).where(Category.fonds_id == fonds))
        categories: dict[str, UUID] = {row.code: row.id for row in rows}

    def folder(category: str, title: str, papers: Sequence[tuple[str, str]], code: str, **facts: Any) -> UUID:
        drafts = [Draft(fonds, categories[category], title, kind=RecordKind.DOSSIER, medium=Medium.PAPER)]
        drafts += [
            Draft(
                fonds, categories[category], name, drawn_up=(today - timedelta(90)).isoformat(), responsible=HOUSE,
                medium=Medium.BOTH, pages=3, keywords=(word,),
            )
            for word, name in papers
        ]  # fmt: skip
        key, *items = parts.records.create_many(who, drafts)
        parts.arranging.put_in(who, key, items)
        parts.papers.follow(who, key, code)
        days = {name: (today + value).isoformat() for name, value in facts.items() if isinstance(value, timedelta)}
        parts.papers.know(who, key, facts | days, 1)
        return key

    firm = folder("WYYZ01", f"{HOUSE}企业档案", ENTERPRISE, "enterprise", from_elsewhere=False, has_branch=False)
    for part, kind, name, phone in PEOPLE:
        person = parts.subjects.add(who, fonds, kind, {"name": name, "phone": phone})
        parts.papers.name(who, firm, part, person)
    filing = folder(
        "WYH01", "和园小区物业服务合同备案卷", FILING, "contract_filing", from_elsewhere=False, de_facto=False,
        has_branch=False, accepted_on=timedelta(-20),
    )  # fmt: skip
    parts.papers.link(who, filing, firm)
    _seen(parts, who, filing)
    folder(
        "WYYZ03", "望湖花园承接查验卷", ACCEPTANCE, "acceptance", from_former=False, inspection_on=timedelta(30),
    )  # fmt: skip


def _seen(parts: Parts, who: Identity, filing: UUID) -> None:
    """Note that the original of the licence was seen and given back."""
    looked, day = parts.papers.show(who, filing), parts.guard.day() - timedelta(20)
    if looked is not None:
        for item in looked.items["licence"]:
            parts.papers.note_copy(who, filing, "licence", item.record_id, sealed=True, seen_on=day, returned_on=day)
