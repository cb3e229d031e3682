"""The world of the demonstration: who lives where, who supplies what, and what went wrong when.

Every fact follows from the seed and from what it belongs to, so that all papers tell the same: the owner in a
complaint is the one who moved in, the repair that answers it costs what its voucher says. Nobody here is real.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from archive.model import PlaceKind
from runtime.demo.people import GIVEN, SURNAMES

FEE = 2.8
"""Yuan a square metre and month."""

LAYOUTS = (("两室一厅", 76.4), ("两室两厅", 89.2), ("三室一厅", 98.6), ("三室两厅", 121.3), ("四室两厅", 143.8))
TROUBLES = (
    ("厨房下水管堵塞", "已疏通管道并更换存水弯", 180), ("卫生间渗漏", "已重做防水并闭水试验合格", 860),
    ("入户门锁损坏", "已更换锁芯", 220), ("对讲门铃无声", "已更换听筒与线路接头", 95),
    ("阳台窗扇变形", "已调整合页并更换密封条", 140), ("楼上夜间噪声", "已与当事双方沟通并签订互谅协议", 0),
    ("客厅墙面开裂", "已修补并重新粉刷", 650), ("暖气不热", "已清洗过滤器并排气", 120),
    ("电表箱跳闸", "已更换空气开关", 160), ("楼道灯不亮", "已更换声控开关", 45),
)  # fmt: skip
EQUIPMENT = (
    ("客用电梯", "TKJ-1000/1.75", "华升电梯有限公司"), ("生活水泵", "CDL32-60", "清源泵业有限公司"),
    ("消防水泵", "XBD8/40", "清源泵业有限公司"), ("火灾报警控制器", "JB-QB-GST200", "安盾电子有限公司"),
    ("配电柜", "GGD-630", "明达电气有限公司"), ("柴油发电机组", "GF-200", "明达电气有限公司"),
    ("二次供水水箱", "SXW-30", "清源泵业有限公司"), ("监控主机", "NVR-64", "安盾电子有限公司"),
)  # fmt: skip
TRADES = (
    ("电梯维护保养", "华升电梯工程服务部", 96_000), ("保洁", "净雅环境服务有限公司", 312_000),
    ("秩序维护", "卫平保安服务有限公司", 486_000), ("绿化养护", "绿野园林有限公司", 128_000),
    ("消防设施检测", "安盾消防技术有限公司", 58_000), ("生活垃圾清运", "城洁运输有限公司", 74_000),
    ("水箱清洗", "清源水务服务有限公司", 18_000),
)  # fmt: skip
WORDS: Mapping[str, Sequence[str]] = {
    "rules": ("档案管理办法", "钥匙管理规定", "值班管理制度", "装修管理规定", "停车管理办法", "食品安全管理办法"),
    "topic": ("电梯更新", "公共收益使用", "车位租赁方案", "外墙修缮", "选聘物业服务企业"),
    "urgent": ("给水主管爆裂", "电梯困人", "地下室积水", "高压配电故障", "外墙砖脱落"),
    "renewal": ("电梯更新改造", "屋面防水翻修", "消防管网改造", "外墙保温修缮", "照明节能改造"),
    "drill": ("消防疏散", "防汛", "电梯困人救援", "防高空坠物"),
    "accident": ("车库剐蹭事故", "高空坠物事件", "电动车充电冒烟事件", "儿童跌伤事件"),
    "training": ("消防安全", "服务礼仪", "电梯应急救援", "档案管理"),
    "festival": ("春节", "元宵节", "端午节", "中秋节", "重阳节"),
    "notice": ("停水检修", "停电检修", "电梯保养停梯", "灭鼠消杀", "消防演练", "文明养犬"),
    "agreement": ("前期物业服务合同", "业主临时管理规约", "装修服务协议", "停车服务协议"),
    "service": ("客户服务", "秩序维护", "保洁", "绿化养护", "工程维修"),
    "matter": ("购置巡查设备", "安全生产月", "年终档案整理", "节能降耗", "汛期值守", "食堂改造", "宿舍空调安装"),
    "account": ("物业费收入", "停车费收入", "维修成本", "人工成本", "公共能耗"),
    "goods": ("维修材料", "办公用品", "劳保用品", "厨房设备", "宿舍家具"),
    "canteen": ("第一食堂", "第二食堂", "清真食堂"),
    "department": ("工程部", "客户服务部", "办公室"),
    "half": ("上半年", "下半年"),
    "channel": ("telephone", "visit", "web", "letter"),
}


@dataclass(frozen=True)
class Spot:
    """A place of the demonstration: its row, its path, and the Chinese names from the project down."""

    id: UUID
    kind: PlaceKind
    path: str
    names: tuple[str, ...]

    @property
    def project(self) -> str:
        """The code of its project."""
        return self.path.split("/", 1)[0]


class World:
    """Draws facts. The same question gets the same answer."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def draw(self, *of: object) -> random.Random:
        """Return the chances of one thing."""
        return random.Random("/".join(map(str, (self._seed, *of))))

    def person(self, *of: object) -> str:
        """Return someone's name."""
        rnd = self.draw("person", *of)
        return rnd.choice(SURNAMES) + rnd.choice(GIVEN)

    def facts(self, spot: Spot, day: date, number: int, choice: random.Random) -> "Facts":
        """Return the facts of one paper."""
        return Facts(self, spot, day, number, choice)


class Facts(dict[str, Any]):
    """Facts by name, each made when it is asked for. ``day`` is the paper's day; ``number`` its place in the house."""

    def __init__(self, world: World, spot: Spot, day: date, number: int, choice: random.Random) -> None:
        super().__init__()
        self.world, self.spot, self.day, self.number, self.choice = world, spot, day, number, choice

    def __missing__(self, name: str) -> Any:
        made = _FACTS.get(name)
        self[name] = found = made(self) if made else self.choice.choice(WORDS[name])
        return found

    def moved(self, day: date) -> None:
        """Take another day for the paper."""
        self.day = day
        for name in ("date", "year", "month", "quarter"):
            self.pop(name, None)

    def room_draw(self) -> random.Random:
        """Return the chances of the room, whatever the paper."""
        return self.world.draw("room", self.spot.path)

    def trouble(self) -> tuple[str, str, int]:
        """Return what went wrong at this spot in this month, what was done, and its cost in yuan."""
        return self.world.draw("trouble", self.spot.path, self.day.year, self.day.month).choice(TROUBLES)

    def trade(self) -> tuple[str, str, int]:
        """Return a trade, who supplies it to this project, and for how many yuan a year."""
        if "_trade" not in self:
            self["_trade"] = self.choice.choice(TRADES)
        found: tuple[str, str, int] = self["_trade"]
        return found

    def machine(self) -> tuple[str, str, str]:
        """Return a machine of the building: name, model, maker."""
        if "_machine" not in self:
            self["_machine"] = self.choice.choice(EQUIPMENT)
        found: tuple[str, str, str] = self["_machine"]
        return found


def _room(facts: Facts) -> tuple[str, float]:
    return facts.room_draw().choice(LAYOUTS)


def _moved_in(facts: Facts) -> date:
    return date(2016, 3, 1) + timedelta(days=facts.world.draw("moved", facts.spot.path).randrange(900))


def _contract(facts: Facts) -> date:
    return date(2016 + facts.choice.randrange(4) * 3, 1, 1) - timedelta(days=20)


def _supplied_year(facts: Facts) -> int:
    return facts.day.year


def _quarter(facts: Facts) -> str:
    return f"{facts.day.year}年第{'一二三四'[(facts.day.month - 1) // 3]}季度"


def _code(facts: Facts) -> str:
    return f"{facts.spot.path.replace('/', '')}-{EQUIPMENT.index(facts.machine()) + 1:02d}"


_FACTS: Mapping[str, Callable[[Facts], Any]] = {
    "year": lambda f: f.day.year,
    "month": lambda f: f"{f.day.year}年{f.day.month}月",
    "date": lambda f: f"{f.day.year}年{f.day.month}月{f.day.day}日",
    "quarter": _quarter,
    "period": lambda f: f"{f.day.year}-{f.day.month:02d}",
    "ordinal": lambda f: f.day.month,
    "project": lambda f: f.spot.names[0],
    "building": lambda f: "".join(f.spot.names[1:2]),
    "room_name": lambda f: "".join(f.spot.names),
    "owner": lambda f: f.world.person("owner", f.spot.path),
    "complainant": lambda f: f["owner"],
    "involved": lambda f: f["owner"],
    "household": lambda f: f.world.person("spouse", f.spot.path),
    "tenant": lambda f: f.world.person("tenant", f.spot.path, f.day.year),
    "student": lambda f: f.world.person("student", f.spot.path, f.day.year),
    "phone": lambda f: f"1900000{f.world.draw('phone', f.spot.path).randrange(10_000):04d}",  # a block not given out
    "layout": lambda f: _room(f)[0],
    "area": lambda f: _room(f)[1],
    "floor": lambda f: str(int(f.spot.path.rstrip("/")[-4:-2]) if f.spot.kind is PlaceKind.ROOM else 1),
    "moved_in": _moved_in,
    "purchased_on": lambda f: _moved_in(f) - timedelta(days=180),
    "contract": _contract,
    "supplied": lambda f: date(f.day.year, 1, 1) - timedelta(days=12) if f.day.year > 2016 else f.day,
    "supplied_year": _supplied_year,
    "what": lambda f: f.trouble()[0],
    "content": lambda f: f.trouble()[0],
    "result": lambda f: f.trouble()[1],
    "cost": lambda f: f.trouble()[2],
    "repairer": lambda f: f.world.person("repairer", f.spot.project, f.day.year % 3),
    "employee": lambda f: f.world.person("employee", f.number % 60),
    "manager": lambda f: f.world.person("manager", f.spot.project, f.day.year // 3),
    "driver": lambda f: f.world.person("driver", f.number % 6),
    "reporter": lambda f: f.world.person("reporter", f.number % 5),
    "trade": lambda f: f.trade()[0],
    "supplier": lambda f: f.trade()[1],
    "party": lambda f: f.trade()[1],
    "amount": lambda f: f.trade()[2],
    "starts_on": lambda f: date(f["supplied_year"], 1, 1),
    "ends_on": lambda f: date(f["supplied_year"], 12, 31),
    "valid_to": lambda f: date(f.day.year + 1, f.day.month, min(f.day.day, 28)),
    "scrapped_on": lambda f: f.day,
    "equipment": lambda f: f.machine()[0],
    "model": lambda f: f.machine()[1],
    "maker": lambda f: f.machine()[2],
    "equipment_code": _code,
    "location": lambda f: "".join(f.spot.names[:2]) + "设备间",
    "event_place": lambda f: "".join(f.spot.names[:2]),
    "dormitory": lambda f: "".join(f.spot.names[1:]) or f.spot.names[0],
    "drawing": lambda f: f"建施-{f.choice.randrange(1, 60):02d}",
    "certificate": lambda f: f"{f.day.year}-{f.choice.randrange(100_000):05d}",
    "document_number": lambda f: f"和物〔{f.day.year}〕{f.number}号",
    "voucher": lambda f: f"记-{f.choice.randrange(1, 400):03d}",
    "plate": lambda f: f"示A{f.number % 12:04d}演",
    "mileage": lambda f: 20_000 + f.number % 180_000,
    "quantity": lambda f: f.choice.randrange(1, 40),
    "satisfaction": lambda f: 80 + f.choice.randrange(20),
    "points": lambda f: f.choice.randrange(0, 12),
    "importance": lambda _f: "一般",
    "source": lambda _f: "后勤处办公室",
    "fee": lambda f: round(_room(f)[1] * FEE * 3, 2),
}


def known(name: str) -> bool:
    """Whether there is such a fact."""
    return name in _FACTS or name in WORDS
