"""Dossiers of the demonstration: contracts and machines with their papers in order, and how papers belong together."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from archive.cataloguing.describing import Draft
from archive.model import Category, Fonds, Medium, Record, RecordKind, RelationKind
from runtime.demo.world import EQUIPMENT, TRADES
from runtime.wiring.parts import Parts

FONDS = "H001"
CONTRACTS, MACHINES = "WYH03", "WYS01"


@dataclass(frozen=True)
class Paper:
    """A paper of a dossier: its title, who answers for it, its day, its pages."""

    title: str
    responsible: str
    day: str
    pages: int


@dataclass(frozen=True)
class Folder:
    """A dossier: category, title, its papers in order; ``second`` is the number of the paper that begins volume 2."""

    category: str
    title: str
    papers: Sequence[Paper]
    second: int | None = None
    filed: bool = True


def _contract(trade: str, firm: str, sum_: int, year: int, *, filed: bool) -> Folder:
    house = "和园物业服务公司"
    return Folder(
        CONTRACTS,
        f"{trade}合同卷（{year}年度）",
        (
            Paper(f"关于选定{year}年度{trade}单位的请示", "工程部", f"{year - 1}-11-06", 2),
            Paper(f"关于选定{year}年度{trade}单位的批复", "办公室", f"{year - 1}-11-18", 1),
            Paper(f"{firm}营业执照及资质证书复印件", firm, f"{year - 1}-11-20", 3),
            Paper(f"{year}年度{trade}合同（合同金额{sum_:,}元）", house, f"{year - 1}-12-15", 12),
            Paper(f"{year}年度{trade}安全协议", house, f"{year - 1}-12-15", 4),
            Paper(f"{year}年度{trade}服务质量考核表", "项目管理处", f"{year}-12-20", 6),
            Paper(f"{year}年度{trade}合同结算单", "工程部", f"{year}-12-28", 2),
        ),
        filed=filed,
    )


def _machine(kind: tuple[str, str, str], building: int, year: int) -> Folder:
    name, model, maker = kind
    where = f"和园小区{building}号楼"
    return Folder(
        MACHINES,
        f"{where}{name}设备档案",
        (
            Paper(f"{where}{name}（{model}）购置合同", "和园物业服务公司", f"{year}-03-12", 9),
            Paper(f"{name}（{model}）产品合格证", maker, f"{year}-04-02", 1),
            Paper(f"{name}（{model}）使用维护说明书", maker, f"{year}-04-02", 46),
            Paper(f"{where}{name}安装验收报告", "工程部", f"{year}-05-20", 8),
            Paper(f"{where}{name}使用登记表", "工程部", f"{year}-06-01", 2),
            *(Paper(f"{where}{name}{n}年定期检验报告", "工程部", f"{n}-06-10", 5) for n in range(year + 1, 2026)),
        ),
        second=5,
    )


FOLDERS: Sequence[Folder] = (
    *(_contract(*TRADES[0], year, filed=True) for year in (2023, 2024)),
    _contract(*TRADES[1], 2024, filed=True),
    _contract(*TRADES[4], 2025, filed=False),
    _machine(EQUIPMENT[0], 1, 2021),
    _machine(EQUIPMENT[0], 3, 2022),
    _machine(EQUIPMENT[1], 1, 2022),
)
COUNT = sum(1 + len(folder.papers) for folder in FOLDERS)
"""Records that ``make`` adds."""


def stand(parts: Parts) -> bool:
    """Whether there are dossiers already."""
    with parts.db.reading() as session:
        return bool(session.scalar(select(func.count()).select_from(Record).where(Record.kind == RecordKind.DOSSIER)))


def make(parts: Parts) -> None:
    """Make the dossiers as the archivist, in order, and relate their papers."""
    who = parts.people.identity_of("archivist")
    with parts.db.reading() as session:
        fonds = session.scalars(select(Fonds.id).where(Fonds.code == FONDS)).one()
        rows = session.execute(select(Category.code, Category.id).where(Category.fonds_id == fonds))
        categories: dict[str, UUID] = {row.code: row.id for row in rows}
    made: dict[str, UUID] = {}
    for folder in FOLDERS:
        category = categories[folder.category]
        last = folder.papers[-1].day

        def draft(title: str, kind: RecordKind, paper: Paper, category: UUID = category, last: str = last) -> Draft:
            dossier = kind is RecordKind.DOSSIER
            return Draft(
                fonds, category, title, kind=kind, responsible=paper.responsible,
                drawn_up=last if dossier else paper.day, medium=Medium.PAPER if dossier else Medium.BOTH,
                pages=None if dossier else paper.pages,
            )  # fmt: skip

        ids = parts.records.create_many(
            who,
            [
                draft(folder.title, RecordKind.DOSSIER, folder.papers[0]),
                *(draft(paper.title, RecordKind.ITEM, paper) for paper in folder.papers),
            ],
        )
        dossier, items = ids[0], ids[1:]
        made |= dict(zip((folder.title, *(paper.title for paper in folder.papers)), ids, strict=True))
        parts.arranging.put_in(who, dossier, items)
        if folder.second is not None:
            with parts.db.reading() as session:
                version = session.get_one(Record, dossier).version
            parts.arranging.divide(who, dossier, items[folder.second], version)
        if folder.filed:
            parts.filing.file(who, ids)
    for one, kind, other in _relations(made):
        parts.relations.add(who, one, kind, other)


def _relations(made: dict[str, UUID]) -> list[tuple[UUID, RelationKind, UUID]]:
    found = []
    for title, key in made.items():
        for ending, kind, other in (
            ("的批复", RelationKind.REPLIES_TO, "的请示"),
            ("安装验收报告", RelationKind.SAME_MATTER, "使用登记表"),
            ("安全协议", RelationKind.ATTACHMENT_OF, None),
        ):
            if not title.endswith(ending):
                continue
            stem = title.removesuffix(ending)
            match = f"{stem}{other}" if other else next((each for each in made if each.startswith(f"{stem}合同（")), "")
            if match in made:
                found.append((key, kind, made[match]))
    trade = TRADES[0][0]
    found.append((made[f"{trade}合同卷（2024年度）"], RelationKind.REPLACES, made[f"{trade}合同卷（2023年度）"]))
    return found
