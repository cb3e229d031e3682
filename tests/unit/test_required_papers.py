"""A dossier follows a template: papers, facts, people, the other dossier, clocks, each as far as a person sees it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from archive.errors import Conflict, InUse, InvalidInput, NotAllowed, NotFound
from archive.identity import Identity
from archive.ids import new_id
from archive.log.writer import Log
from archive.model import (
    DayRule,
    Deadline,
    DeadlineKind,
    DeadlineState,
    DossierClock,
    PaperMet,
    RequiredPapers,
    Subject,
)
from archive.model.required import NEVER
from archive.purging import remove_records
from archive.required.papers import Papers
from archive.required.standing import Stands
from archive.required.template import Template, parse, plain, shipped
from archive.required.templates import DossierTemplates
from tests.factories.arranged import ArrangedHouse, arranged_house
from tests.fakes.clock import FixedClock

pytestmark = pytest.mark.postgres

ENTERPRISE = ("营业执照", "资质证书", "资质证书", "组织机构代码证", "企业章程")


@dataclass
class Paperwork:
    """The house, its required papers and its templates."""

    house: ArrangedHouse
    papers: Papers
    templates: DossierTemplates

    def dossier(self, code: str, *keywords: str, **facts: Any) -> UUID:
        """Return a dossier that follows a template and holds an item for each keyword."""
        key = self.house.dossier()
        items = [self.house.add(word, keywords=[word]) for word in keywords]
        if items:
            self.house.arranging.put_in(self.who, key, items)
        self.papers.follow(self.who, key, code)
        if facts:
            self.papers.know(self.who, key, facts, self.shown(key).row.version)
        return key

    @property
    def who(self) -> Identity:
        return self.house.archivist

    def shown(self, key: UUID, who: Identity | None = None) -> Any:
        return self.papers.show(who or self.who, key)

    def stands(self, key: UUID, who: Identity | None = None) -> dict[str, str]:
        return {each.paper.code: each.stands.value for each in self.shown(key, who).standing.papers}

    def person(self, kind: str = "employee") -> UUID:
        with self.house.db.writing() as work:
            row = Subject(
                id=new_id(), fonds_id=self.house.category.fonds_id, kind=kind, facts={}, created_at=FixedClock().now()
            )
            work.session.add(row)
            work.commit()
        return row.id

    def enterprise(self) -> UUID:
        key = self.dossier("enterprise", *ENTERPRISE, from_elsewhere=False, has_branch=False)
        for part in ("legal_representative", "project_manager"):
            self.papers.name(self.who, key, part, self.person())
        return key


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Paperwork]:
    house = arranged_house(tmp_path)
    log = Log(house.vault, FixedClock())
    yield Paperwork(
        house, Papers(house.db, house.guard, log), DossierTemplates(house.db, house.guard, log, FixedClock())
    )
    house.db.close()


def test_papers_are_there_by_keyword_or_by_hand_and_wait_for_what_is_not_known(work: Paperwork) -> None:
    key = work.dossier("contract_filing", "物业服务合同", "营业执照")
    assert work.stands(key) | {"contract": "there", "licence": "there"} == work.stands(key)
    assert work.stands(key)["actual"] == "waits"
    work.papers.know(work.who, key, {"de_facto": False, "from_elsewhere": True}, work.shown(key).row.version)
    now = work.stands(key)
    assert (now["actual"], now["form"], now["form_elsewhere"]) == ("not_needed", "not_needed", "missing")
    item = work.house.add("一份没有主题词的件")
    work.house.arranging.put_in(work.who, key, [item])
    for _ in range(2):
        work.papers.attach(work.who, key, "source", item)
    assert work.stands(key)["source"] == "there"
    work.house.arranging.take_out(work.who, key, [item])
    assert work.stands(key)["source"] == "missing"
    with pytest.raises(InvalidInput):
        work.papers.attach(work.who, key, "source", item)


def test_a_filing_is_complete_once_its_enterprise_is_whole_with_its_people(work: Paperwork) -> None:
    words = (
        "备案申请表",
        "物业服务合同",
        "资质证书",
        "资质证书",
        "营业执照",
        "组织机构代码证",
        "项目负责人材料",
        "项目来源证明",
    )
    key = work.dossier("contract_filing", *words, de_facto=False, from_elsewhere=False, has_branch=False)
    found = work.shown(key).standing
    assert (found.missing, found.linked, found.complete) == (0, False, False)
    firm = work.enterprise()
    work.papers.link(work.who, key, firm)
    assert work.shown(key).standing.complete
    work.papers.name(work.who, firm, "project_manager", None)
    assert not work.shown(key).standing.complete
    with pytest.raises(InvalidInput, match="not_such_dossier"):
        work.papers.link(work.who, key, work.dossier("equipment"))


def test_a_person_belongs_to_one_enterprise_at_a_time(work: Paperwork) -> None:
    one, two, person = work.dossier("enterprise"), work.dossier("enterprise"), work.person()
    work.papers.name(work.who, one, "legal_representative", person)
    work.papers.name(work.who, one, "project_manager", person)
    with pytest.raises(InvalidInput, match="belongs_elsewhere"):
        work.papers.name(work.who, two, "project_manager", person)
    with pytest.raises(InvalidInput, match="no_person"):
        work.papers.name(work.who, two, "project_manager", work.person("contract"))
    for part in ("legal_representative", "project_manager"):
        work.papers.name(work.who, one, part, None)
    work.papers.name(work.who, two, "project_manager", person)
    assert work.shown(two).people == {"project_manager": person}


def test_clocks_are_kept_as_plain_days(work: Paperwork) -> None:
    key = work.dossier("contract_filing", accepted_on="2026-11-02")
    with work.house.db.reading() as session:
        [clock] = session.scalars(select(DossierClock))
        assert (clock.clock, clock.since, clock.due, clock.met_on) == (
            "answer", date(2026, 11, 2), date(2026, 11, 16), None,
        )  # fmt: skip
        assert session.get_one(RequiredPapers, key).next_due == date(2026, 11, 16)
    work.papers.know(work.who, key, {"answered_on": "2026-11-12"}, work.shown(key).row.version)
    with work.house.db.reading() as session:
        assert session.scalars(select(DossierClock)).one().met_on == date(2026, 11, 12)
        assert session.get_one(RequiredPapers, key).next_due == NEVER


def test_working_days_are_the_houses_and_people_are_reminded_of_the_first_clock_to_end(work: Paperwork) -> None:
    def waits() -> list[tuple[date, DeadlineState]]:
        with work.house.db.reading() as session:
            query = select(Deadline).where(Deadline.kind == DeadlineKind.DOSSIER_CLOCK, Deadline.record_id == key)
            return [(row.due, row.state) for row in session.scalars(query)]

    with work.house.db.writing() as writing:
        writing.session.add(DayRule(day=date(2026, 11, 9), works=False, name="假日"))
        writing.commit()
    key = work.dossier("contract_filing", accepted_on="2026-11-02")
    assert waits() == [(date(2026, 11, 17), DeadlineState.OPEN)]
    work.papers.know(work.who, key, {"answered_on": "2026-11-12"}, work.shown(key).row.version)
    assert waits() == [(date(2026, 11, 17), DeadlineState.MET)]
    work.papers.know(work.who, key, {"answered_on": None}, work.shown(key).row.version)
    work.papers.follow(work.who, key, None)
    assert waits() == [(date(2026, 11, 17), DeadlineState.LAPSED)]


def test_what_is_known_is_checked_and_nobody_writes_over_another(work: Paperwork) -> None:
    key = work.dossier("contract_filing")
    version = work.shown(key).row.version
    for wrong in ({"de_facto": "yes"}, {"accepted_on": "2026-02-30"}, {"nothing": True}):
        with pytest.raises(InvalidInput):
            work.papers.know(work.who, key, wrong, version)
    work.papers.know(work.who, key, {"de_facto": True}, version)
    with pytest.raises(Conflict):
        work.papers.know(work.who, key, {"de_facto": False}, version)


def test_a_copy_says_whether_it_is_sealed_and_who_saw_its_original(work: Paperwork) -> None:
    key = work.dossier("contract_filing", "营业执照")
    [item] = work.house.order(key)
    today = work.house.guard.day()
    work.papers.note_copy(work.who, key, "licence", item, sealed=True, seen_on=today, returned_on=today)
    [licence] = work.shown(key).items["licence"]
    assert (licence.met.copy_sealed, licence.met.seen_on, licence.met.seen_by) == (True, today, work.who.person_id)
    work.papers.note_copy(work.house.colleague, key, "licence", item, sealed=False, seen_on=today, returned_on=None)
    [licence] = work.shown(key).items["licence"]
    assert (licence.met.seen_by, licence.met.returned_by) == (work.who.person_id, None)
    with pytest.raises(InvalidInput):
        work.papers.note_copy(work.who, key, "licence", item, sealed=True, seen_on=None, returned_on=today)


def test_a_hidden_item_meets_no_paper_for_who_may_not_see_it(work: Paperwork) -> None:
    house = work.house
    key = house.dossier(category=house.other)
    hidden = house.add("机密合同", keywords=["物业服务合同"])
    house.arranging.put_in(work.who, key, [hidden])
    work.papers.follow(work.who, key, "contract_filing")
    work.papers.attach(work.who, key, "source", hidden)
    work.papers.attach(work.who, key, "contract", hidden)
    assert work.stands(key)["contract"] == work.stands(key)["source"] == "there"
    seen = work.shown(key, house.branch)
    assert {each.stands for each in seen.standing.papers} <= {Stands.MISSING, Stands.WAITS}
    assert (dict(seen.items), seen.unplaced) == ({}, [])
    with pytest.raises(NotFound):
        work.papers.attach(house.branch, key, "licence", hidden)
    # an enterprise that one may not read is not whole for them, and not named
    firm = work.enterprise()
    work.papers.link(work.who, key, firm)
    assert work.shown(key).linked is not None
    blind = work.shown(key, house.branch)
    assert (blind.linked, blind.standing.linked) == (None, False)
    assert firm not in work.papers.several(house.branch, [key, firm])


def test_who_only_reads_changes_nothing(work: Paperwork) -> None:
    key = work.dossier("contract_filing", "营业执照")
    work.house.filing.file(work.who, [key])
    assert work.shown(key, work.house.staff) is not None
    with pytest.raises(NotAllowed):
        work.papers.follow(work.house.staff, key, "equipment")
    with pytest.raises(NotAllowed):
        work.templates.managed(work.house.staff)


def test_the_board_shows_what_is_incomplete_or_late_the_earliest_first_page_by_page(work: Paperwork) -> None:
    late = work.dossier("contract_filing", accepted_on="2020-01-02")
    soon = work.dossier("contract_filing", accepted_on="2099-01-02")
    bare = work.dossier("equipment")
    work.enterprise()  # whole: not on the board
    seen, after = [], None
    for _ in range(4):
        page, after = work.papers.board(work.who, after=after, limit=1)
        seen += [each.dossier.id for each in page]
        if after is None:
            break
    assert seen == [late, soon, bare]
    assert [each.dossier.id for each in work.papers.board(work.who, late=True, limit=9)[0]] == [late]
    assert [each.dossier.id for each in work.papers.board(work.who, template="equipment", limit=9)[0]] == [bare]
    assert work.papers.board(work.who, department_id=new_id(), limit=9) == ([], None)
    assert work.papers.board(work.house.branch, limit=9) == ([], None)


def changed(template: Template, **more: Any) -> Template:
    return parse(plain(template) | more)


def test_a_house_makes_templates_its_own_and_dossiers_stay_with_theirs(work: Paperwork) -> None:
    old = work.dossier("equipment")
    fewer = changed(shipped()["equipment"], papers=[{"code": "purchase", "names": {"zh_CN": "购置合同"}}])
    assert work.templates.keep(work.who, fewer, "只要合同", version=0) == 1
    with pytest.raises(Conflict):
        work.templates.keep(work.who, fewer, "又一次", version=0)
    new = work.dossier("equipment")
    assert (len(work.stands(old)), len(work.stands(new))) == (8, 1)
    work.papers.follow(work.who, old, "equipment")
    assert len(work.stands(old)) == 1
    work.templates.withdraw(work.who, "equipment", version=1)
    assert (len(work.stands(new)), len(work.stands(work.dossier("equipment")))) == (1, 8)


def test_a_template_in_use_is_not_withdrawn(work: Paperwork) -> None:
    work.templates.keep(work.who, changed(shipped()["move_in"], code="own"), "自定", version=0)
    key = work.dossier("own")
    with pytest.raises(InUse):
        work.templates.withdraw(work.who, "own", version=1)
    work.papers.follow(work.who, key, None)
    work.templates.withdraw(work.who, "own", version=1)
    assert "own" not in work.templates.offered(work.who)
    with pytest.raises(NotFound):
        work.templates.withdraw(work.who, "nothing", version=0)


def test_nothing_is_left_of_a_dossier_or_an_item_that_is_cleared_out(work: Paperwork) -> None:
    key, firm = work.dossier("contract_filing", "营业执照", accepted_on="2026-11-02"), work.enterprise()
    [item] = work.house.order(key)
    work.papers.attach(work.who, key, "licence", item)
    work.papers.link(work.who, key, firm)
    with work.house.db.writing() as writing:
        remove_records(writing.session, [item, firm])
        writing.commit()
    assert work.shown(key).row.linked_id is None
    with work.house.db.writing() as writing:
        remove_records(writing.session, [key])
        assert writing.session.scalars(select(PaperMet)).all() == []
        assert writing.session.scalars(select(DossierClock)).all() == []


def test_every_act_is_logged_with_its_dossier(work: Paperwork) -> None:
    key = work.dossier("contract_filing", "营业执照", de_facto=True)
    [item] = work.house.order(key)
    work.papers.attach(work.who, key, "licence", item)
    work.papers.detach(work.who, key, "licence", item)
    work.papers.link(work.who, key, None)
    acts = work.house.acts(key)
    assert {"dossier.template", "dossier.facts", "dossier.attach", "dossier.detach", "dossier.link"} <= set(acts)
