"""The people of the demonstration. Their passwords are printed by ``juanku demo`` and are for trying out alone."""

from dataclasses import dataclass

from archive.identity import Role


@dataclass(frozen=True)
class DemoPerson:
    """Someone of the demonstration. ``clearance`` is a level rank; ``place`` limits their grant to one project."""

    login: str
    name: str
    role: Role
    clearance: int = 0
    post: str = "staff"
    department: str = "OFF"
    place: str | None = None

    @property
    def password(self) -> str:
        """The demonstration password, different for each."""
        return f"juanku-{self.login}-2026"


PEOPLE = (
    DemoPerson("archivist", "林静文", Role.ARCHIVIST, 4, "office_head"),
    DemoPerson("clerk", "周小满", Role.CLERK, 2, "staff", "SVC"),
    DemoPerson("staff", "陈立冬", Role.STAFF, 1, "staff", "SVC"),
    DemoPerson("manager", "何秋实", Role.APPROVER, 3, "department_manager", "ENG"),
    DemoPerson("resident", "孙谷雨", Role.STAFF, 1, "staff", "SVC", "A001/"),
    DemoPerson("director", "沈清明", Role.STAFF, 4, "general_manager"),
    DemoPerson("secrecy", "韩霜降", Role.SECRECY_OFFICER, 4, "office_head"),
    # two more who may decide on what is of the upper levels: a destruction of such asks for eleven people
    DemoPerson("deputy", "朱寒露", Role.ARCHIVIST, 4, "office_head"),
    DemoPerson("vice", "秦大雪", Role.APPROVER, 4, "general_manager"),
    DemoPerson("system", "吴惊蛰", Role.SYSTEM_ADMIN),
    DemoPerson("security", "郑白露", Role.SECURITY_ADMIN),
    DemoPerson("audit", "冯立夏", Role.AUDIT_ADMIN),
)

POSTS = {
    "general_manager": ("总经理", "總經理", "General manager"),
    "office_head": ("办公室主任", "辦公室主任", "Head of office"),
    "department_manager": ("部门经理", "部門經理", "Department manager"),
    "staff": ("员工", "員工", "Staff"),
}

DEPARTMENTS = {
    "OFF": ("办公室", "辦公室", "Office"),
    "ENG": ("工程部", "工程部", "Engineering"),
    "SVC": ("客户服务部", "客戶服務部", "Customer service"),
}

DISTRIBUTION = {4: ("general_manager", "office_head"), 3: ("department_manager",), 2: (), 1: ()}
"""Posts each level is distributed to; a level also reaches those above it. Levels one and two reach all staff."""

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
GIVEN = ("春生", "夏至", "秋月", "冬梅", "立春", "雨水", "清和", "谷雨", "小满", "白露", "寒露", "霜晨", "大雪", "腊梅")
