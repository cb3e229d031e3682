"""What a house changes over time, by command: departments, joined fonds, and whether the operator acts for people."""

import getpass

import pytest
from sqlalchemy import select

from archive.model import Person
from archive.model.log import LogEntry
from tests.factories.archives import Archive

AS = ("--as", "archivist")


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("fonds", "join", "H001", "H001"), "Fonds to join: is the same fonds"),
        (("fonds", "join", "H001", "NONE"), "Fonds to join: is not known here"),
        (("fonds", "join", "NONE", "H001"), "Fonds: is not known here"),
        (("department", "rename", "NONE", "--name", "x"), "Code: is not known here"),
        (("department", "close", "NONE"), "Code: is not known here"),
        (("department", "rename", "OFF", "--name", " "), "needs a name"),
    ],
)
def test_what_is_wrong_is_named(archive: Archive, words: tuple[str, ...], fault: str) -> None:
    answer = archive.run(*words)
    assert answer.code == 1
    assert fault in answer.err


def test_a_joined_fonds_leads_to_its_successor_and_takes_nothing_in(archive: Archive) -> None:
    number = archive.run("search", "", *AS, "--json").document["hits"][0]["number"]
    assert archive.run("fonds", "add", "N001", "--name", "新和园", "--scheme", "property").code == 0
    joined = archive.run("fonds", "join", "H001", "N001", "--on", "2026-01-01", "--json")
    assert joined.code == 0, joined.err
    rows = {row["code"]: row for row in archive.run("fonds", "list", "--json").document["fonds"]}
    assert (rows["H001"]["joined_to"], rows["H001"]["closed_on"]) == ("N001", "2026-01-01")
    assert rows["N001"]["joined_to"] is None
    assert "joined to N001 on 2026-01-01" in archive.run("fonds", "list").out.splitlines()[0]
    shown = archive.run("record", "show", number, *AS, "--json").document
    assert (shown["number"], shown["fonds"], shown["joined_to"]) == (number, "H001", "N001")
    paper = archive.folder / "新件.txt"
    paper.write_text("来晚了")
    late = archive.run("import", paper, "--category", "WYYZ", "--fonds", "H001", "--json")
    assert late.code == 1
    assert "closed" in late.err
    assert archive.run("fonds", "join", "H001", "N001").code == 1, "it is closed"
    assert archive.run("fonds", "join", "N001", "H001").code == 1, "nothing joins what is closed"


def test_a_department_is_renamed_and_ended(archive: Archive) -> None:
    assert archive.run("department", "add", "GCB2", "--name", "工程部", "--since", "2026-01-01").code == 0
    assert archive.run("department", "rename", "GCB2", "--name", "工程管理部").code == 0
    early = archive.run("department", "close", "GCB2", "--on", "2025-12-31")
    assert (early.code, "ends before it begins" in early.err) == (1, True)
    assert archive.run("department", "close", "GCB2", "--on", "2026-06-30").code == 0
    rows = {row["code"]: row for row in archive.run("department", "list", "--json").document["departments"]}
    assert rows["GCB2"]["names"]["zh_CN"] == "工程管理部"
    assert rows["GCB2"]["until"] == "2026-06-30"
    assert "工程管理部 (closed on 2026-06-30)" in archive.run("department", "list").out


def test_a_house_forbids_the_operator_to_act_for_people(archive: Archive) -> None:
    assert archive.run("house", "show", "--json").document["acting"] is True
    assert archive.run("search", "电梯", *AS).code == 0
    assert archive.run("house", "acting", "off").code == 0
    for words in (("search", "电梯"), ("record", "show", "X"), ("record", "name", "X"), ("subject", "find", "1")):
        refused = archive.run(*words, *AS, "--json")
        assert (refused.code, refused.document["error"]) == (1, "acting_forbidden"), words
        assert "does not let the machine's operator act" in refused.err
    assert archive.run("house", "show", "--json").document["acting"] is False
    assert archive.run("house", "acting", "on").code == 0
    assert archive.run("search", "电梯", *AS).code == 0
    with archive.parts().db.reading() as session:
        acts = session.execute(select(LogEntry.act, LogEntry.result).order_by(LogEntry.at)).all()
    switched = [act for act, _ in acts if act == "setting.operator_acts"]
    refusals = [act for act, result in acts if act == "system.impersonate" and result == "refused"]
    assert (len(switched), len(refusals)) == (2, 4)


def test_a_token_made_by_the_operator_is_logged_with_both_names_even_where_acting_is_off(archive: Archive) -> None:
    assert archive.run("house", "acting", "off").code == 0
    assert archive.run("user", "token", "staff", "--name", "scripts").code == 0
    with archive.parts().db.reading() as session:
        (entry,) = session.scalars(select(LogEntry).where(LogEntry.act == "token.issue"))
        person = session.scalars(select(Person).where(Person.login == "staff")).one()
    assert (entry.person_id, entry.operator, entry.result) == (person.id, getpass.getuser(), "done")
