"""Need-to-know groups by command: made, put over records and taken off, and never so that nobody can read."""

from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.identity import Role
from archive.model import Department, Fonds, Post, Record
from tests.factories.archives import Archive
from tests.factories.secrets_house import OPERATOR
from tests.integration.test_plain_bytes import a_record

AS = ("--as", "archivist")
WHY = ("--reason", "专案审查")


@pytest.fixture
def grouped(archive: Archive) -> Archive:
    """An archive with the group QA, and a second archivist who may read as much as the first."""
    made = archive.run("group", "add", "QA", "--fonds", "H001", "--name", "专案", "--json")
    assert (made.code, made.document["added"]) == (0, True), made.err
    parts = archive.parts()
    other = parts.people.add_person(
        OPERATOR, login="other", name="另一人", password="一个很长的密码 17", roles={Role.ARCHIVIST}, clearance=4
    )
    with parts.db.reading() as session:
        office, post, fonds = (
            _id(session, Department, "OFF"),
            _id(session, Post, "office_head"),
            _id(session, Fonds, "H001"),
        )
    parts.people.assign_post(OPERATOR, other, post_id=post, department_id=office)
    parts.rights.grant(OPERATOR, other, fonds_id=fonds)
    archive.close()
    return archive


def _id(session: Session, kind: type[Department | Post | Fonds], code: str) -> UUID:
    return session.scalars(select(kind.id).where(kind.code == code)).one()


def found(archive: Archive, login: str, query: str) -> list[str]:
    return [hit["title"] for hit in archive.run("search", query, "--as", login, "--json").document["hits"]]


def partitions(archive: Archive, record: str) -> list[str]:
    with archive.parts().db.reading() as session:
        held = session.get_one(Record, UUID(record)).indexed_in
    archive.close()
    return list(held)


def test_a_group_stands_once_and_is_listed(grouped: Archive) -> None:
    again = grouped.run("group", "add", "QA", "--fonds", "H001", "--name", "专案", "--json")
    assert (again.code, again.document["added"]) == (0, False)
    taken = grouped.run("group", "add", "QA", "--fonds", "H001", "--name", "另案")
    assert (taken.code, "this mark is in use already" in taken.err) == (1, True)
    listed = grouped.run("group", "list", "--json").document["groups"]
    assert [(row["mark"], row["fonds"], row["names"]["zh_CN"]) for row in listed] == [("QA", "H001", "专案")]


def test_a_record_under_a_group_is_found_and_shown_to_named_people_alone(grouped: Archive) -> None:
    record = str(a_record(grouped))
    assert found(grouped, "other", "录像") == found(grouped, "archivist", "录像") == ["录像"]
    assert grouped.run("record", "name", record, "archivist", *AS).code == 0
    put = grouped.run("record", "group", record, "qa", *WHY, *AS, "--json")
    assert (put.code, put.document["group"]) == (0, "QA"), put.err
    assert (found(grouped, "other", "录像"), found(grouped, "archivist", "录像")) == ([], ["录像"])
    assert partitions(grouped, record)[-1].endswith("n")
    assert grouped.run("record", "show", record, *AS, "--json").document["group"] == "QA"
    absent = "01a213ba-7149-71c0-87ef-cdc71b373120"
    for words in (("record", "show"), ("record", "bin"), ("record", "name"), ("record", "group", *WHY)):
        hidden, nothing = (grouped.run(*words[:2], each, *words[2:], "--as", "other") for each in (record, absent))
        assert (hidden.code, hidden.out, hidden.err) == (nothing.code, nothing.out, nothing.err), words
    assert grouped.run("record", "group", record, "--reason", "结案", *AS).code == 0
    assert found(grouped, "other", "录像") == ["录像"]
    assert grouped.run("fsck", "--json").document["violations"] == []


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("record", "group", "{record}", "QA", *WHY, *AS), "Named people: nobody named could read it"),
        (("record", "group", "{record}", "ZZ", *WHY, *AS), "Need-to-know group: is not known here"),
        (("record", "group", "{record}", "QA", "--reason", " ", *AS), "Reason: is needed"),
        (("group", "add", "qa1", "--fonds", "H001", "--name", "专案"), "Number mark: a mark is one or two capital"),
        (("group", "add", "D", "--fonds", "H001", "--name", "专案"), "Number mark: this mark is in use already"),
        (("group", "add", "QB", "--fonds", "NONE", "--name", "专案"), "Fonds: is not known here"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_changed(grouped: Archive, words: tuple[str, ...], fault: str) -> None:
    record = str(a_record(grouped))
    answer = grouped.run(*(word.format(record=record) for word in words))
    assert answer.code == 1
    assert fault in answer.err
    assert grouped.run("record", "show", record, *AS, "--json").document["group"] is None
    assert len(grouped.run("group", "list", "--json").document["groups"]) == 1


@pytest.mark.parametrize("left", [(), ("staff",), ("director",)], ids=["nobody", "not cleared", "no archivist"])
def test_the_last_one_who_can_read_stays_named(grouped: Archive, left: tuple[str, ...]) -> None:
    record = str(a_record(grouped))
    assert grouped.run("record", "name", record, "archivist", *AS).code == 0
    assert grouped.run("record", "group", record, "QA", *WHY, *AS).code == 0
    refused = grouped.run("record", "name", record, *left, *AS)
    assert (refused.code, "nobody named could read it" in refused.err) == (1, True)
    assert grouped.run("record", "show", record, *AS).code == 0
    assert grouped.run("record", "name", record, "other", *left, *AS).code == 0
    assert grouped.run("record", "show", record, *AS).code == 1


def test_a_folder_is_imported_for_named_people_and_numbered_apart(grouped: Archive) -> None:
    paper = grouped.folder / "证词.txt"
    paper.write_text("苦楝树下的证词")
    words = ("import", paper, "--category", "WYYZ", "--fonds", "H001", "--group", "QA")
    nobody = grouped.run(*words, "--json")
    assert (nobody.code, "nobody named could read it" in nobody.err) == (1, True)
    done = grouped.run(*words, "--named", "archivist", "--named", "director", "--json")
    assert done.code == 0, done.err
    (item,) = done.document["items"]
    assert "QA0001" in item["number"]
    for login, sees in {"archivist": True, "director": True, "other": False, "secrecy": False}.items():
        assert found(grouped, login, "苦楝") == ["证词"] * sees, login
    assert grouped.run("fsck", "--json").document["violations"] == []
