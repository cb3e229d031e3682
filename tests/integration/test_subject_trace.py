"""Subjects are merged and split with a trace: records hang on the right one, and every old way leads there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from archive.cataloguing.describing import Draft
from archive.cataloguing.showing import RecordView
from archive.errors import InvalidInput, NotAllowed, NotFound
from archive.identity import system
from archive.model import Category, LogEntry, Subject
from archive.subjects import Subjects
from runtime.fsck import fsck
from runtime.wiring.parts import Parts
from tests.factories.archives import Archive

WHO = system("test")


@dataclass
class House:
    """An archive, its archivist at work, and papers that hang on subjects."""

    archive: Archive
    parts: Parts

    def __post_init__(self) -> None:
        self.archivist = self.parts.people.identity_of("archivist")
        with self.parts.db.reading() as session:
            self.category = session.scalars(select(Category).where(Category.code == "WYYZ")).one()

    def owner(self, name: str, phone: str) -> UUID:
        values = {"name": name, "phone": phone}
        return self.parts.subjects.add(self.archivist, self.category.fonds_id, "owner", values)

    def paper(self, title: str, *owners: UUID) -> UUID:
        draft = Draft(self.category.fonds_id, self.category.id, title, drawn_up="2024-03-05", level_rank=1)
        key = self.parts.records.create(WHO, draft)
        for owner in owners:
            self.parts.subjects.link(self.archivist, key, owner)
        return key

    def called(self, record: UUID) -> Sequence[str]:
        view = self.parts.reader.show(self.archivist, record)
        assert isinstance(view, RecordView)
        return view.subjects

    def found(self, query: str) -> set[UUID]:
        self.archive.work(self.parts)
        return {hit.record_id for hit in self.parts.search.search(self.archivist, query).hits}

    def told(self, act: str) -> list[tuple[UUID | None, UUID | None, Any]]:
        with self.parts.db.reading() as session:
            entries = session.scalars(select(LogEntry).where(LogEntry.act == act)).all()
            bodies = self.parts.log.opened_many(session, entries)
        return [(e.record_id, e.subject_id, body) for e, body in zip(entries, bodies, strict=True)]


@pytest.fixture
def house(archive: Archive) -> House:
    return House(archive, archive.parts())


def test_after_a_merge_the_papers_hang_on_the_survivor_and_the_old_name_still_leads_there(house: House) -> None:
    old, kept = house.owner("欧阳明霞", "13800138011"), house.owner("欧阳明晓", "13800138022")
    papers = [house.paper("入住登记", old), house.paper("装修申请", old, kept)]
    assert house.found("欧阳明霞") == set(papers)
    house.parts.subjects.merge(house.archivist, old, kept)

    assert [house.called(key) for key in papers] == [["欧阳明晓"], ["欧阳明晓"]]
    for query in ("欧阳明晓", "欧阳明霞", "13800138011", "13800138022"):
        assert house.found(query) == set(papers), query
    assert house.parts.subjects.find(house.archivist, "13800138011") == [kept]
    view = house.parts.subjects.show(house.archivist, kept)
    assert (list(view.merged), [record.id for record in view.records]) == ([old], papers)
    house.parts.sealer.seal_all()  # an entry that waits for a minute is a fault
    assert fsck(house.parts).violations == ()


def test_a_merged_subject_stays_sealed_as_it_was_and_changes_no_more(house: House) -> None:
    old, kept = house.owner("欧阳明霞", "13800138011"), house.owner("欧阳明晓", "13800138022")
    house.parts.subjects.merge(house.archivist, old, kept)
    view = house.parts.subjects.show(house.archivist, old)
    assert {definition.name: value for definition, value in view.fields}["name"] == "欧阳明霞"
    assert view.subject.merged_into == kept
    with pytest.raises(InvalidInput) as refused:
        house.parts.subjects.change(house.archivist, old, {"name": "别名"}, version=view.subject.version)
    assert refused.value.faults[0].facts == {"into": str(kept)}
    late = house.paper("迟到的信", old)
    assert [r.id for r in house.parts.subjects.show(house.archivist, kept).records] == [late]


def test_a_merge_of_a_survivor_leads_straight_to_the_last_one(house: House) -> None:
    first, second, third = (house.owner(f"欧阳{n}", f"1380013803{n}") for n in range(3))
    paper = house.paper("入住登记", first)
    house.parts.subjects.merge(house.archivist, first, second)
    house.parts.subjects.merge(house.archivist, second, third)
    assert house.parts.subjects.find(house.archivist, "13800138030") == [third]
    assert house.called(paper) == ["欧阳2"]


def test_who_was_merged_and_what_moved_stands_in_the_log_with_before_and_after(house: House) -> None:
    old, kept = house.owner("欧阳明霞", "13800138011"), house.owner("欧阳明晓", "13800138022")
    paper = house.paper("入住登记", old)
    house.parts.subjects.merge(house.archivist, old, kept)
    assert sorted(house.told("subject.merge"), key=str) == sorted(
        [
            (None, old, {"before": {"records": 1}, "after": {"merged_into": str(kept)}}),
            (None, kept, {"before": {"records": 0}, "after": {"merged": str(old)}}),
        ],
        key=str,
    )
    assert house.told("record.relink") == [(paper, None, {"before": str(old), "after": str(kept)})]


def test_a_merge_that_broke_off_is_led_on_and_ended_by_asking_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, kept = house.owner("欧阳明霞", "13800138011"), house.owner("欧阳明晓", "13800138022")
    paper = house.paper("入住登记", old)
    with monkeypatch.context() as broken:

        def dies(*_: object) -> None:
            raise SystemExit

        broken.setattr(Subjects, "_move_all", dies)
        with pytest.raises(SystemExit):
            house.parts.subjects.merge(house.archivist, old, kept)
    assert house.called(paper) == ["欧阳明晓"]
    house.parts.subjects.merge(house.archivist, old, kept)
    assert [r.id for r in house.parts.subjects.show(house.archivist, kept).records] == [paper]
    assert len(house.told("subject.merge")) == 2


def test_split_off_papers_hang_on_the_new_one_alone(house: House) -> None:
    owner = house.owner("欧阳明霞", "13800138011")
    stays, goes = house.paper("入住登记", owner), house.paper("装修申请", owner)
    assert house.found("欧阳明霞") == {stays, goes}
    made = house.parts.subjects.split(house.archivist, owner, {"name": "司马青云", "phone": "13800138044"}, [goes])
    assert (house.called(stays), house.called(goes)) == (["欧阳明霞"], ["司马青云"])
    assert house.found("欧阳明霞") == {stays}
    assert house.found("13800138044") == {goes}
    with house.parts.db.reading() as session:
        assert session.get_one(Subject, made).split_from == owner
    assert {subject: body["after"]["records"] for _, subject, body in house.told("subject.split")} == {
        owner: [str(goes)],
        made: [str(goes)],
    }
    house.parts.sealer.seal_all()  # an entry that waits for a minute is a fault
    assert fsck(house.parts).violations == ()


def test_a_changed_name_is_found_with_the_papers(house: House) -> None:
    owner = house.owner("欧阳明霞", "13800138011")
    paper = house.paper("入住登记", owner)
    assert house.found("欧阳明霞") == {paper}
    house.parts.subjects.change(house.archivist, owner, {"name": "司马青云"}, version=1)
    assert (house.found("司马青云"), house.found("欧阳明霞")) == ({paper}, set())


def test_what_cannot_be_merged_or_split_says_why_and_changes_nothing(house: House) -> None:
    owner, other = house.owner("欧阳明霞", "13800138011"), house.owner("欧阳明晓", "13800138022")
    lift = house.parts.subjects.add(WHO, house.category.fonds_id, "equipment", {"title": "1号电梯"})
    paper = house.paper("入住登记", owner)
    subjects, who = house.parts.subjects, house.archivist
    for act, code in (
        (lambda: subjects.merge(who, owner, lift), "other_kind"),
        (lambda: subjects.merge(who, owner, owner), "same_subject"),
        (lambda: subjects.split(who, other, {"name": "司马"}, [paper]), "not_linked"),
        (lambda: subjects.split(who, owner, {"name": "司马"}, []), "out_of_range"),
    ):
        with pytest.raises(InvalidInput) as refused:
            act()
        assert refused.value.faults[0].code == code
    with pytest.raises(NotFound):
        subjects.split(who, owner, {"name": "司马"}, [UUID(int=7)])
    with pytest.raises(NotAllowed):
        subjects.merge(house.parts.people.identity_of("secrecy"), owner, other)
    assert house.called(paper) == ["欧阳明霞"]
