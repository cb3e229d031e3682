"""A house is set up from an empty folder by commands alone, and every fault names its field."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from runtime.cli.main import cli
from runtime.settings import load
from runtime.wiring.parts import NoWaker, build

PEOPLE = {
    "gm": ("staff", 4, "general_manager", "OFF"),
    "worker": ("staff", 2, "staff", "SVC"),
    "secrecy": ("secrecy_officer", 4, "general_manager", "OFF"),
    "archivist": ("archivist", 4, "general_manager", "OFF"),
}
PASSWORD = "set-up-by-commands-2026"


@dataclass(frozen=True)
class House:
    """An archive that is worked on by commands."""

    folder: Path
    locale: str = "en_GB.UTF-8"

    def run(self, *words: object, code: int | None = 0, standard_input: str | None = None) -> dict[str, Any]:
        """Run a command with ``--json``; it must end with ``code`` (None: however)."""
        result = self.say(*words, "--json", standard_input=standard_input)
        assert code in {None, result.exit_code}, f"{words}: {result.output}"
        document: dict[str, Any] = json.loads(result.stdout)
        return document

    def say(self, *words: object, standard_input: str | None = None) -> Any:
        """Run a command as a person would."""
        environment = {
            "JUANKU_HOME": str(self.folder / "home"), "JUANKU_KEYS": str(self.folder / "keys"), "LC_ALL": self.locale,
        }  # fmt: skip
        return CliRunner().invoke(
            cli, [*map(str, words)], env=environment, input=standard_input, catch_exceptions=False
        )

    def faults(self, *words: object) -> str:
        """Run a command that is refused, and return what it says."""
        document = self.run(*words, code=1)
        assert document["error"] == "invalid"
        return "\n".join(document["words"])

    def log(self) -> list[tuple[str, str, Any]]:
        """Return act, who, and the body of every entry."""
        from archive.model import LogEntry

        parts = build(
            load({"JUANKU_HOME": str(self.folder / "home"), "JUANKU_KEYS": str(self.folder / "keys")}), NoWaker()
        )
        try:
            with parts.db.reading() as session:
                return [(entry.act, entry.actor, parts.log.opened(session, entry)) for entry in session.query(LogEntry)]
        finally:
            parts.close()


def _set_up(house: House) -> None:
    house.run("init", "--name", "和园物业")
    house.run("fonds", "add", "H001", "--name", "和园物业", "--name-en", "Heyuan", "--scheme", "property")
    for code, name in (("OFF", "办公室"), ("SVC", "客户服务部")):
        house.run("department", "add", code, "--name", name)
    for code, name in (("general_manager", "总经理"), ("staff", "员工")):
        house.run("post", "add", code, "--name", name)
    house.run(
        "place", "add", "H001", "A001", "--name", "和园小区", "--type", "residential", "--fact", "address=湖滨路1号"
    )
    house.run("place", "add", "H001", "A001/1", "--name", "1号楼", "--fact", "floors=18")
    house.run("level", "distribute", 4, "--post", "general_manager")
    house.run("level", "distribute", 2)
    for login, (role, clearance, post, department) in PEOPLE.items():
        house.run(
            "user", "add", login, "--role", role, "--clearance", clearance, "--password-file", "-",
            standard_input=PASSWORD,
        )  # fmt: skip
        house.run("user", "post", login, "--post", post, "--department", department)
    for login in ("gm", "secrecy", "archivist"):
        house.run("user", "grant", login, "--fonds", "H001")
    house.run("user", "grant", "worker", "--place", "H001:A001/01")


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> House:
    house = House(tmp_path_factory.mktemp("set-up"))
    _set_up(house)
    return house


@pytest.fixture
def house(ready: House, tmp_path: Path) -> Iterator[House]:
    """A copy of the house, so that no test sees another's doing."""
    shutil.copytree(ready.folder, tmp_path / "house")
    return House(tmp_path / "house")


def test_the_demonstration_does_not_go_into_a_house_s_own_archive(house: House) -> None:
    assert house.run("demo", "--no-serve", code=1)["error"] == "stands_already"


def test_a_house_works_from_an_empty_folder_by_commands_alone(house: House, tmp_path: Path) -> None:
    papers = {
        "a.txt": ("电梯维修合同,日期2024年3月5日。", "A001/01"),
        "b.txt": ("锅炉检修记录,日期2024年4月6日。", None),
    }
    numbers = {}
    for name, (text, place) in papers.items():
        (tmp_path / name).write_text(text, "utf-8")
        where = ("--place", place) if place else ()
        filed = house.run("import", tmp_path / name, "--category", "WYYZ", *where)
        assert filed["filed"] == 1
        numbers[name] = filed["items"][0]["number"]

    def found(login: str, words: str) -> list[str]:
        return [hit["number"] for hit in house.run("search", words, "--as", login)["hits"]]

    assert found("gm", "电梯") == found("worker", "电梯") == [numbers["a.txt"]]
    assert found("gm", "锅炉") == [numbers["b.txt"]]
    assert found("worker", "锅炉") == [], "outside their grant"

    shown = house.run("record", "show", numbers["a.txt"], "--as", "worker")
    assert shown["place"] == "A001/01/"
    assert shown["mark"] == "商业秘密·内部 (Commercial secret · Internal)"

    refused = house.run("record", "level", numbers["a.txt"], 4, "--reason", "x", "--as", "worker", code=1)
    assert refused["error"] == "not_allowed"
    house.run("record", "level", f"H001:{numbers['a.txt']}", 4, "--reason", "价格保密", "--as", "secrecy")
    assert found("worker", "电梯") == []
    assert house.run("record", "show", numbers["a.txt"], "--as", "worker", code=1)["error"] == "not_found"
    assert found("gm", "电梯") == [numbers["a.txt"]]
    assert house.run("log", "verify")["ok"]


def test_setting_up_again_changes_nothing_and_other_words_for_a_code_are_a_fault(house: House) -> None:
    again = [
        ("fonds", "add", "H001", "--name", "和园物业", "--name-en", "Heyuan", "--scheme", "property"),
        ("department", "add", "OFF", "--name", "办公室"),
        ("post", "add", "staff", "--name", "员工"),
        ("place", "add", "H001", "A001/01/", "--name", "1号楼", "--fact", "floors=18"),
        ("level", "distribute", 2),
        ("user", "post", "gm", "--post", "general_manager", "--department", "OFF"),
        ("user", "grant", "gm", "--fonds", "H001"),
    ]
    before = [house.run("user", "show", "gm"), house.run("scheme", "list", "H001"), house.run("place", "list", "H001")]
    assert [house.run(*words)["added"] for words in again] == [False] * len(again)
    after = [house.run("user", "show", "gm"), house.run("scheme", "list", "H001"), house.run("place", "list", "H001")]
    assert after == before
    for words in again[:4]:
        other = ["别的" if word in {"和园物业", "办公室", "员工", "1号楼"} else word for word in words]
        assert "stands already, but not as given here" in house.faults(*other)


def test_each_act_is_in_the_log_under_the_operators_name(house: House) -> None:
    wanted = {
        "fonds.add", "department.add", "post.add", "place.add", "distribution.add", "person.add", "post.assign",
        "grant.add",
    }  # fmt: skip
    entries = house.log()
    assert {act for act, _, _ in entries} >= wanted
    assert {who for act, who, _ in entries if act in wanted} == {"system:operator"}
    assert next(body for act, _, body in entries if act == "fonds.add")["code"] == "H001"


def test_a_scheme_is_checked_exported_changed_and_brought_in(house: House, tmp_path: Path) -> None:
    text = house.run("scheme", "export", "H001")["yaml"]
    mended = tmp_path / "own.yaml"
    mended.write_text(text, "utf-8")
    checked = house.run("scheme", "check", mended)
    assert len(checked["categories"]) == house.run("scheme", "check", "property")["categories"].__len__()

    bad = tmp_path / "bad.yaml"
    bad.write_text(text.replace("term: D30", "term: Q7", 1), "utf-8")
    assert "categories[" in house.faults("scheme", "check", bad)
    assert "categories[" in house.faults("fonds", "add", "X2", "--name", "二", "--scheme", bad)
    assert "X2" not in [row["code"] for row in house.run("fonds", "list")["fonds"]], "nothing is half done"

    small = tmp_path / "small.yaml"
    small.write_text(
        "format: 1\ncode: small\nnames: {zh_CN: 小}\n"
        'number_rules: [{code: short, names: {zh_CN: 短}, template: "{fonds}-{category}-{mark}{serial}"}]\n'
        "categories: [{code: WYYZ, names: {zh_CN: 全部}, level: 2, term: Y, number_rule: short}]\n",
        "utf-8",
    )
    brought = house.run("scheme", "install", "H001", small)
    assert brought["new"] == []
    assert "WYE01" in brought["closed"]
    tree = house.run("scheme", "list", "H001")["categories"]
    assert [(node["code"], node["names"], node["level"], node["rule"]) for node in tree] == [
        ("WYYZ", {"zh_CN": "全部"}, 2, "short")
    ]
    again = house.run("fonds", "add", "H001", "--name", "和园物业", "--name-en", "Heyuan", "--scheme", "property")
    assert (again["added"], again["categories"]) == (False, 0)
    assert house.run("scheme", "list", "H001")["categories"] == tree, "the house's own scheme is left as it is"


def test_a_fonds_is_renamed_and_closed_and_then_takes_nothing_new(house: House, tmp_path: Path) -> None:
    house.run("fonds", "rename", "H001", "--name", "望湖物业")
    house.run("fonds", "close", "H001", "--on", "2020-01-31")
    assert house.run("fonds", "list")["fonds"][0]["closed_on"] == "2020-01-31"
    (tmp_path / "late.txt").write_text("迟到的文件", "utf-8")
    late = house.run("import", tmp_path / "late.txt", "--category", "WYYZ", code=1)
    assert late.get("filed", 0) == 0
    for words in (
        ("fonds", "close", "H001"),
        ("scheme", "install", "H001", "property"),
        ("place", "add", "H001", "A002", "--name", "新区", "--type", "residential"),
    ):
        assert "closed" in house.faults(*words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("fonds", "add", "H 1", "--name", "x"), "Code: is one to eight letters and digits"),
        (("fonds", "add", "H2", "--name", "x", "--scheme", "none.yaml"), "Scheme: is neither a file nor"),
        (("scheme", "list", "H9"), "Fonds: is not known here"),
        (("department", "add", "E1", "--name", "x", "--parent", "E9"), "The one above: is not known here"),
        (("place", "add", "H001", "A001/01/001/0101/1", "--name", "x"), "Place: has one to 4 steps"),
        (("place", "add", "H001", "A001/07/001", "--name", "x"), "the place above A001/07/001/ is not there yet"),
        (("place", "add", "H001", "A001/xx", "--name", "x"), "Code: "),
        (("place", "add", "H001", "A001/02", "--name", "x", "--fact", "floors=many"), "floors: is not a number"),
        (("place", "add", "H001", "A001/02", "--name", "x", "--fact", "floors"), "Fact: must be written as"),
        (("place", "add", "H001", "Q1", "--name", "x", "--type", "castle"), "Property types: "),
        (("level", "distribute", 9), "Secrecy level: is not known here"),
        (("level", "distribute", 3, "--post", "king"), "Post: is not known here"),
        (("level", "withdraw", 3), "Secrecy level: is not distributed so"),
        (("user", "post", "ghost", "--post", "staff", "--department", "OFF"), "Sign-in name: is not known here"),
        (("user", "grant", "gm"), "give exactly one of: fonds, category, place"),
        (("user", "grant", "gm", "--category", "WYYZ"), "Category: must name its fonds first"),
        (("user", "grant", "gm", "--category", "H001:NONE"), "Category: is not known here"),
        (("user", "grant", "gm", "--place", "H001:B001"), "Place: is not known here"),
        (("user", "grant", "gm", "--fonds", "H001", "--since", "2026-02-01", "--until", "2026-01-01"), "To day: ends"),
        (("user", "revoke", "worker", "--fonds", "H001"), "Fonds: worker has no such grant"),
        (("user", "clearance", "gm", 12), "Clearance: is out of range"),
        (("user", "roles", "gm", "--role", "staff", "--role", "audit_admin"), "Roles: the three officers exclude"),
        (("user", "custody", "gm", "--level", 8), "Secrecy level: is not known here"),
        (("subject", "add", "H001", "owner", "phone=123"), "phone: is not a telephone number"),
        (("subject", "add", "H001", "owner", "phone=13800138000"), "Name: is needed"),
        (("subject", "add", "H001", "ghost", "name=x"), "Kind: is none of the choices: ghost"),
        (("number", "explain", "none"), "Code: there is no such number rule"),
    ],
    ids=lambda value: " ".join(map(str, value[:3])) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_taken_names_its_field(ready: House, words: tuple[object, ...], said: str) -> None:
    told = ready.faults(*words)
    assert said in told
    assert "…" not in told


def test_a_rule_is_pointed_at_where_it_is_wrong_and_explained_where_it_is_right(ready: House) -> None:
    template = "{fonds}-张{category}"
    wrong = ready.run("number", "check", template, code=1)
    assert (wrong["ok"], wrong["at"], wrong["code"]) == (False, 8, "rule_bad_separator")
    lines = ready.say("number", "check", "{fonds}（张{mark}{serial}").stdout.splitlines()
    assert lines[1].index("^") == 9, "a wide bracket takes two columns"

    right = ready.run("number", "check", "{fonds}-{category}·{year}-[{dossier}-]{mark}{serial:4}")
    assert right["preview"] == "Z109-WYH01·2026-A0003-A0001"
    assert right["parts"][0] == "the fonds' code"
    assert "if the record has it: the dossier's number, the text -" in right["parts"]
    assert ready.run("number", "check", "{owner}-{room}", "--reference")["parts"] == ["owner", "room"]
    assert ready.run("number", "check", "{owner", "--reference", code=1)["ok"] is False
    assert ready.run("number", "explain", "national")["names"]["zh_CN"] == "国家标准档号"
    assert {"national", "reference.owner"} <= {row["code"] for row in ready.run("number", "list")["rules"]}


def test_a_rule_of_the_houses_own_is_added_once(house: House) -> None:
    words = ("number", "add", "own", "{fonds}-{category}-{mark}{serial:5}", "--name", "本馆")
    assert [house.run(*words)["added"] for _ in range(2)] == [True, False]
    assert "the rule has no serial" in house.faults("number", "add", "other", "{fonds}", "--name", "x")


def test_rights_are_given_shown_and_taken_away(house: House) -> None:
    house.run("user", "grant", "worker", "--category", "H001:WYE", "--since", "2026-01-01", "--until", "2026-12-31")
    house.run("user", "custody", "worker", "--level", 3)
    house.run("user", "clearance", "worker", 3)
    house.run("user", "roles", "worker", "--role", "clerk", "--role", "staff")
    house.run("user", "post", "worker", "--post", "staff", "--department", "SVC", "--until", "2030-06-30")
    sheet = house.run("user", "show", "worker")
    assert sheet["roles"] == ["clerk", "staff"]
    assert (sheet["clearance"], sheet["custody"]) == (3, [3])
    assert [(each["post"], each["department"], each["until"]) for each in sheet["posts"]] == [
        ("staff", "SVC", "2030-06-30")
    ]
    on = [each.get("category") or each.get("place") for each in sheet["grants"]]
    assert on == ["H001:A001/01/", "H001:WYE"]

    assert house.run("user", "revoke", "worker", "--place", "H001:A001/01")["revoked"] == 1
    house.run("user", "custody", "worker", "--level", 3, "--end")
    house.run("level", "withdraw", 2)
    sheet = house.run("user", "show", "worker")
    assert sheet["custody"] == []
    assert len(sheet["grants"]) == 1
    levels = {row["rank"]: row for row in house.run("level", "list")["levels"]}
    assert levels[2]["distribution"] == []
    assert levels[4]["distribution"] == [{"post": "general_manager", "department": None}]
    assert levels[4]["mark"].startswith("商业秘密·")


def test_an_account_gets_a_new_password_is_closed_and_opened(house: House) -> None:
    made = house.run("user", "password", "gm")["password"]
    assert len(made) >= 15
    house.run("user", "password", "gm", "--password-file", "-", standard_input="another-good-one-2026")
    house.run("user", "deactivate", "gm")
    assert {row["login"]: row["active"] for row in house.run("user", "list")["users"]}["gm"] is False
    assert house.run("search", "电梯", "--as", "gm", code=1)["error"] == "invalid"
    house.run("user", "reactivate", "gm")
    house.run("user", "unlock", "gm")
    assert house.run("user", "show", "gm")["active"] is True
    assert made not in json.dumps([body for _, _, body in house.log()], default=str)


def test_subjects_are_found_by_number_and_records_hang_on_them(house: House, tmp_path: Path) -> None:
    scheme = tmp_path / "own.yaml"
    scheme.write_text(
        "format: 1\ncode: own\nnames: {zh_CN: 自定}\n"
        'number_rules: [{code: short, names: {zh_CN: 短}, template: "{fonds}-{category}-{mark}{serial}"}]\n'
        "categories: [{code: LETTER, names: {zh_CN: 来函}, level: 2, term: Y, number_rule: short,"
        " required: [responsible]}]\n",
        "utf-8",
    )
    house.run("fonds", "add", "H002", "--name", "来函", "--scheme", scheme)
    house.run("user", "grant", "archivist", "--fonds", "H002")
    key = house.run("subject", "add", "H002", "owner", "name=张三", "phone=13800138000")["id"]
    found = house.run("subject", "find", "138 0013 8000", "--as", "archivist")
    assert [(each["id"], each["fields"]["name"]) for each in found["subjects"]] == [(key, "张三")]
    assert house.run("subject", "find", "1380013", "--as", "archivist")["total"] == 0
    assert house.run("subject", "find", "13800138000", "--as", "worker", code=1)["error"] == "not_allowed"

    (tmp_path / "undated.txt").write_text("业主来函", "utf-8")
    waiting = house.run("import", tmp_path / "undated.txt", "--category", "LETTER", code=1)
    assert waiting["waiting"] == 1
    record = waiting["items"][0]["record"]
    house.run("subject", "link", record, key, "--as", "archivist")
    house.run("record", "name", record, "worker", "--as", "archivist")
    house.run("record", "level", record, 1, "--reason", "公开来函", "--as", "archivist")
    house.run("record", "bin", record, "--as", "archivist")
    house.run("record", "restore", record, "--as", "archivist")
    acts = [act for act, _, _ in house.log()]
    assert {"record.link", "record.name_people", "record.set_level", "record.bin", "record.restore"} <= set(acts)


def test_subjects_are_shown_changed_merged_and_split(house: House, tmp_path: Path) -> None:
    who = ("--as", "archivist")
    first = house.run("subject", "add", "H001", "owner", "name=张三", "phone=13700137000")["id"]
    second = house.run("subject", "add", "H001", "owner", "name=张珊", "moved_in_on=2024-3")["id"]
    house.run("subject", "change", second, "name=张姗", "moved_in_on=", "phone=13600139000", *who)
    shown = house.run("subject", "show", second, *who)
    assert shown["fields"] == {"name": "张姗", "phone": "136****9000"}
    assert (shown["version"], shown["fonds"], shown["merged_into"]) == (2, "H001", None)

    (tmp_path / "letter.txt").write_text("业主来函", "utf-8")
    record = house.run("import", tmp_path / "letter.txt", "--category", "WYYZ", code=None)["items"][0]["record"]
    house.run("subject", "merge", first, second, *who)
    assert house.run("subject", "find", "13700137000", *who)["subjects"][0]["id"] == second
    assert house.run("subject", "show", first, *who)["merged_into"] == second
    assert house.run("subject", "show", second, *who)["merged"] == [first]
    assert "Survivor: is the very same subject" in house.faults("subject", "merge", second, second, *who)
    assert f"use the one that stands for it: {second}" in house.faults("subject", "change", first, "name=x", *who)
    assert "hang on the subject" in house.faults("subject", "split", second, "name=李四", "--record", record, *who)


def test_the_words_come_in_the_language_of_the_terminal(ready: House) -> None:
    told = House(ready.folder, "zh_TW.UTF-8").say("level", "list").stdout
    assert "商業秘密·絕密" in told
    assert "全體員工" in told
    assert "商业秘密·绝密" in House(ready.folder, "zh_CN.UTF-8").say("level", "list").stdout
