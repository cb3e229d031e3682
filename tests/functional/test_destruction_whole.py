"""A due contract at the pages, from its appraisal to the signed certificate, over real parts: nothing of it is left."""

import re
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pypdfium2
import pytest
from flask import Flask
from sqlalchemy import select

from archive.model import Appraisal, Destruction, DestructionState, HoldKind, Record
from retention.holds import Wanted
from runtime.demo.destroying import DECIDERS
from runtime.fsck import fsck
from runtime.processes.pages import make_app
from runtime.wiring.parts import Parts
from tests.factories.archives import Archive
from tests.factories.doomed import due, filed
from tests.factories.furnished import Hands, password_of
from tests.fakes.clock import LaterClock

SECRET = "绝无仅有的电梯绿化养护条款"
DUTIES = (("executor", "clerk"), ("witness", "staff"), ("witness", "resident"), ("supervisor", "system"))


class House:
    """The demonstration's people at the pages."""

    def __init__(self, archive: Archive) -> None:
        self.clock = LaterClock()
        self.archive = archive
        self.parts: Parts = archive.parts(self.clock)
        self.app: Flask = make_app(self.parts)

    def act(self, login: str, path: str, **data: Any) -> str:
        """Have someone sign in and do one act; return what the page says then."""
        hands = Hands(self.app, login)
        reply = hands.post(path, **data)
        found = re.findall(r'<p class="note" role="status">([^<]*)<', hands.read(reply.location))
        return " ".join(found)

    def newest(self, table: type[Any]) -> Any:
        """Return what was begun last."""
        with self.parts.db.reading() as session:
            row = session.scalars(select(table).order_by(table.begun_at.desc())).first()
        assert row is not None
        return row

    def stands(self, key: UUID) -> DestructionState:
        with self.parts.db.reading() as session:
            return session.get_one(Destruction, key).state


@pytest.fixture
def house(archive: Archive) -> House:
    return House(archive)


def version(hands: Hands, page: str) -> str:
    """Return the version that a page's forms carry."""
    found = re.search(r'name="version" value="(\d+)"', hands.read(page))
    assert found
    return found[1]


def give_up(house: House, *keys: UUID) -> None:
    """Have a panel of three say that records may go."""
    archivist, form = Hands(house.app, "archivist"), "/appraisals/new"
    archivist.post(form, form, purpose="到期合同鉴定", panel="archivist manager director", chair="director")
    at = f"/appraisals/{house.newest(Appraisal).id}"
    archivist.post(f"{at}/open", at, version=version(archivist, at))
    house.archive.work(house.parts)
    for login in ("archivist", "manager", "director"):
        house.act(login, f"{at}/say", record=[str(key) for key in keys], verdict="destroy", reason="已无凭证和参考价值")
    director = Hands(house.app, "director")
    director.post(f"{at}/close", at, version=version(director, at), sure="1")
    house.archive.work(house.parts)


def asked(house: House) -> Destruction:
    """Begin a destruction of what was given up, name the people, and ask for it."""
    archivist, form = Hands(house.app, "archivist"), "/destructions/new"
    archivist.post(form, form, purpose="到期合同销毁", method="deletion", place="机房")
    row: Destruction = house.newest(Destruction)
    for duty, person in DUTIES:
        archivist.post(f"/destructions/{row.id}/appoint", duty=duty, person=person)
    archivist.post(f"/destructions/{row.id}/ask", reason="已到期并经鉴定")
    return row


def test_a_due_contract_goes_from_its_appraisal_to_a_signed_certificate(house: House) -> None:
    parts = house.parts
    [key] = filed(parts, ["小区绿化养护合同"], [SECRET.encode()])
    house.archive.work(parts)
    assert parts.search.search(parts.people.identity_of("archivist"), SECRET).hits
    due(parts, [key])
    give_up(house, key)
    row = asked(house)
    at = f"/destructions/{row.id}"
    for login in DECIDERS:
        assert house.act(login, f"{at}/decide", what="approve", reason="同意") == "您已同意。"
    assert house.stands(row.id) is DestructionState.COOLING
    house.clock.later = timedelta(days=8)
    assert house.act("security", f"{at}/confirm", password=password_of("security")) == "已确认，请监销人清点。"
    signed = [house.act(login, f"{at}/sign", password=password_of(login)) for login in ("staff", "resident", "system")]
    assert signed == ["您已签字。", "您已签字。", "您已签字，各方均已签字。"]
    begun = house.act("clerk", f"{at}/run", number=row.number, password=password_of("clerk"))
    assert begun == "已开始执行。"
    assert house.stands(row.id) is DestructionState.RUNNING
    house.archive.work(parts)
    assert house.stands(row.id) is DestructionState.GONE
    with parts.db.reading() as session:
        assert session.get(Record, key) is None
    assert not parts.search.search(parts.people.identity_of("archivist"), SECRET).hits

    archivist = Hands(house.app, "archivist")
    assert "proof-head" in archivist.read(at)
    judged = archivist.read(f"/appraisals/{house.newest(Appraisal).id}")
    cell = re.search(r'<td data-words="[^"]+"><span class="help">([^<]+)：<strong>', judged)
    assert cell, "what each member said stands there when the record is gone"
    signed = [
        house.act(who, f"{at}/sign", password=password_of(who)) for who in ("staff", "resident", "clerk", "system")
    ]
    assert signed == [*["您已签字。"] * 3, "您已签字，各方均已签字。"]
    assert house.stands(row.id) is DestructionState.CLOSED
    certificate = archivist.client.get(f"/destroyed/{row.id}/destruction_certificate.pdf")
    words = "".join(page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(certificate.data))
    assert row.number in words
    register = archivist.client.get(f"/destroyed/{row.id}/destruction_register.pdf")
    told = "".join(page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(register.data))
    assert "鉴定小组负责人" in told
    assert "H001" in told
    assert "密钥环" in words or "key ring" in words
    parts.sealer.seal_all()
    assert fsck(parts).ok


def test_each_act_says_what_was_taken_out_since(house: House) -> None:
    parts = house.parts
    ids = filed(parts, [f"绿化养护合同{n}" for n in "甲乙丙丁戊"])
    due(parts, ids)
    give_up(house, *ids)
    left = iter(ids)

    def hold_one() -> None:
        day = date(2099, 12, 31)
        wanted = Wanted(HoldKind.RECORD, {"id": str(next(left))}, "争议", "证据保全", "法院", day)
        parts.retention.holds.place(parts.people.identity_of("archivist"), wanted)

    row = asked(house)
    at, out = f"/destructions/{row.id}", "因不得销毁而剔除 1 份。"
    hold_one()
    page = Hands(house.app, DECIDERS[0]).read(at)
    assert "已冻结" in page, "who decides sees what may not go"
    said = [house.act(login, f"{at}/decide", what="approve", reason="同意") for login in DECIDERS]
    assert said == [*["您已同意。"] * (len(DECIDERS) - 1), f"您已同意。 {out}"]
    house.clock.later = timedelta(days=8)
    hold_one()
    confirmed = house.act("security", f"{at}/confirm", password=password_of("security"))
    assert confirmed == f"已确认，请监销人清点。 {out}"
    for login in ("staff", "resident", "system"):
        house.act(login, f"{at}/sign", password=password_of(login))
    hold_one()
    assert "已冻结" in Hands(house.app, "clerk").read(at)
    begun = house.act("clerk", f"{at}/run", number=row.number, password=password_of("clerk"))
    assert "其余须重新清点" in begun
    assert house.stands(row.id) is DestructionState.CONFIRMED
