"""What the papers of the demonstration say, genre by genre."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from runtime.demo.world import EQUIPMENT, Facts

MONTHS = tuple(f"{month}月" for month in range(1, 13))
ITEMS = ("电费", "水费", "维修材料", "保洁服务费", "秩序维护服务费", "绿化养护费", "人工费")
"""What a ledger of a year, and one of a month or quarter, has in its lines."""


@dataclass(frozen=True)
class Paper:
    """A paper to be set: title, lines above the table, rows of a table, lines below it."""

    title: str
    lines: Sequence[str] = ()
    rows: Sequence[Sequence[str | int | float]] = ()
    after: Sequence[str] = ()

    @property
    def text(self) -> str:
        """All of it as plain text."""
        table = ["\t".join(map(str, row)) for row in self.rows]
        return "\n".join([self.title, "", *self.lines, *table, *self.after])


def write(genre: str, title: str, facts: Facts, body: str, fields: Mapping[str, str]) -> Paper:
    """Write a paper.

    Args:
        genre: what kind of paper (see ``papers.yaml``).
        title: its title.
        facts: what it tells.
        body: who signs it.
        fields: label and value of the description's own fields.
    """
    return _GENRES[genre](title, facts, body, fields)


def _signed(facts: Facts, body: str) -> list[str]:
    return ["", f"{body}（盖章）", facts["date"]]


def _contract(title: str, facts: Facts, body: str, _fields: Mapping[str, str]) -> Paper:
    amount = facts["amount"]
    return Paper(
        title,
        [
            f"合同编号：HT-{facts['supplied_year']}-{facts.number:04d}",
            f"甲方（委托方）：{facts.get('first_party', body)}",
            f"乙方（受托方）：{facts['supplier']}",
            f"根据有关法律法规，双方就{facts['project']}{facts['trade']}服务事项协商一致，订立本合同。",
            f"第一条　服务范围：{facts['project']}全部公共区域及共用设施设备的{facts['trade']}。",
            f"第二条　服务期限：自{facts['starts_on']}起至{facts['ends_on']}止。",
            f"第三条　服务费用：每年人民币{amount:,}元，按月支付，每月{amount / 12:,.2f}元，次月十日前付清。",
            "第四条　质量要求：乙方按双方确认的服务标准执行，甲方每月检查，每季度考核一次。",
            "第五条　违约责任：任何一方不履行约定义务的，应当向对方支付年服务费百分之五的违约金。",
            "第六条　争议解决：协商不成的，向项目所在地人民法院提起诉讼。",
            "第七条　本合同一式四份，双方各执两份，自双方盖章之日起生效。",
            "",
            f"甲方（盖章）：{facts.get('first_party', body)}　　　乙方（盖章）：{facts['supplier']}",
            f"签订日期：{facts['date']}",
        ],
    )


def _form(title: str, facts: Facts, body: str, fields: Mapping[str, str]) -> Paper:
    rows: list[Sequence[str | int | float]] = [("项目", "内容"), ("位置", "".join(facts.spot.names))]
    rows += list(fields.items())
    rows += [("办理意见", "资料齐全，同意办理。"), ("经办人", facts["repairer"]), ("办理日期", facts["date"])]
    return Paper(title, [f"填报单位：{body}"], rows, ["本表一式两份，一份归档，一份交申请人。"])


def _record(title: str, facts: Facts, body: str, _fields: Mapping[str, str]) -> Paper:
    what, result, cost = facts.trouble()
    about = what if what in title else "例行检查"
    done = result if what in title else "各项参数符合要求，未发现异常"
    lines = [
        f"时间：{facts['date']}",
        f"地点：{''.join(facts.spot.names)}",
        f"事项：{about}",
        f"经过与结果：{facts['repairer']}到场查验，{done}。",
    ]
    if what in title:
        lines += [f"费用：{cost}元", f"报告人：{facts['owner']}"]
    return Paper(title, [*lines, f"记录人：{facts['repairer']}", *_signed(facts, body)])


def _minutes(title: str, facts: Facts, body: str, _fields: Mapping[str, str]) -> Paper:
    return Paper(
        title,
        [
            f"时间：{facts['date']}上午九时",
            f"地点：{facts['project']}会议室",
            f"主持人：{facts['manager']}",
            f"出席：{facts['manager']}、{facts['repairer']}、{facts['employee']}等九人",
            "会议议定如下事项：",
            f"一、{facts['topic']}方案原则通过，由工程部于月底前报送预算。",
            f"二、{facts['training']}培训每季度一次，参加人员签到备查。",
            "三、上次会议议定事项已办结七项，未办结一项，下次会议报告。",
            *_signed(facts, body),
        ],
    )


def _notice(title: str, facts: Facts, body: str, _fields: Mapping[str, str]) -> Paper:
    return Paper(
        title,
        [
            facts["document_number"],
            "",
            "各部门、各管理处：",
            "　　现将有关事项通知如下：",
            "　　一、请于本月底前完成准备，并将负责人名单报办公室。",
            f"　　二、涉及{facts['project']}的，由{facts['manager']}统一安排，提前两日告知业主。",
            "　　三、完成情况随月报一并报送，资料按档案管理办法归档。",
            "　　特此通知。",
            *_signed(facts, body),
        ],
    )


def _report(title: str, facts: Facts, body: str, _fields: Mapping[str, str]) -> Paper:
    draw = facts.choice
    problems, satisfied = draw.randrange(1, 9), facts["satisfaction"]
    return Paper(
        title,
        [
            "一、基本情况",
            f"本期共完成计划工作{draw.randrange(20, 60)}项，{facts['project']}各系统运行正常。",
            "二、检查与数据",
            f"共发现问题{problems}处，已整改{problems}处；满意率{satisfied}%。",
            "三、存在的不足",
            f"{facts['topic']}进度较计划推迟，原因是材料到货晚于约定。",
            "四、下一步安排",
            f"由{facts['manager']}负责，于下月完成{facts['drill']}演练和{facts['training']}培训。",
            *_signed(facts, body),
        ],
    )


def ledger_sum(facts: Facts, title: str) -> int:
    """Return what a ledger adds up to, in yuan."""
    return sum(_ledger_sums(facts, title))


def _ledger_sums(facts: Facts, title: str) -> list[int]:
    draw = facts.world.draw("ledger", title)
    return [draw.randrange(2_000, 90_000) for _ in (MONTHS if "年度" in title else ITEMS)]


def _ledger(title: str, facts: Facts, body: str, _fields: Mapping[str, str]) -> Paper:
    sums = _ledger_sums(facts, title)
    named = MONTHS if "年度" in title else ITEMS
    rows: list[Sequence[str | int | float]] = [("序号", "月份" if named is MONTHS else "摘要", "金额（元）")]
    rows += [(at, words, sums[at - 1]) for at, words in enumerate(named, start=1)]
    rows.append(("合计", "", sum(sums)))
    return Paper(title, [f"编制单位：{body}", f"所属期间：{facts['period']}"], rows, ["", f"编制日期：{facts['date']}"])


def _list(title: str, facts: Facts, body: str, fields: Mapping[str, str]) -> Paper:
    rows: list[Sequence[str | int | float]] = [("序号", "名称", "规格型号", "数量", "备注")]
    rows += [
        (at, name, model, facts.world.draw(title, at).randrange(1, 12), maker)
        for at, (name, model, maker) in enumerate(EQUIPMENT, start=1)
    ]
    said = [f"{label}：{value}" for label, value in fields.items()]
    return Paper(title, [f"编制单位：{body}", *said], rows, ["", f"编制日期：{facts['date']}"])


def _certificate(title: str, facts: Facts, body: str, fields: Mapping[str, str]) -> Paper:
    said = [f"{label}：{value}" for label, value in fields.items()]
    return Paper(
        title,
        [f"证书编号：{facts['certificate']}", f"持有单位：{body}", *said, f"有效期至：{facts['valid_to']}",
         f"发证日期：{facts['date']}"],
    )  # fmt: skip


def _letter(title: str, facts: Facts, body: str, _fields: Mapping[str, str]) -> Paper:
    what, result, _cost = facts.trouble()
    return Paper(
        title,
        [
            f"来信人：{facts['owner']}　　联系电话：{facts['phone']}",
            f"位置：{''.join(facts.spot.names)}",
            f"反映事项：{what}，请尽快处理并答复。",
            f"处理部门：客户服务部　　处理人：{facts['repairer']}",
            f"处理结果：{result}。",
            f"回访：来信人表示满意，满意度{facts['satisfaction']}分。",
            *_signed(facts, body),
        ],
    )


def _drawing(title: str, facts: Facts, body: str, _fields: Mapping[str, str]) -> Paper:
    return Paper(title, [f"图号：{facts['drawing']}", "比例：1:100", f"编制单位：{body}", f"日期：{facts['date']}"])


_GENRES: Mapping[str, Callable[[str, Facts, str, Mapping[str, str]], Paper]] = {
    "contract": _contract,
    "form": _form,
    "scan": _form,
    "record": _record,
    "photo": _record,
    "minutes": _minutes,
    "notice": _notice,
    "report": _report,
    "ledger": _ledger,
    "list": _list,
    "certificate": _certificate,
    "letter": _letter,
    "drawing": _drawing,
}
