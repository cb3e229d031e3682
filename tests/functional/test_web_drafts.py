"""What is typed into a form outlives browser and session: sealed, for the same person alone, until it is sent."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from archive.model import FormDraft, OwnerKey
from tests.factories.web_house import WebHouse, a_web_house, token_on

TITLE = "收购锦绣花园意向书"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def _typed(client: FlaskClient, kind: str, key: UUID, **fields: str) -> TestResponse:
    token = token_on(client.get("/labels").text)
    return client.post(f"/drafts/{kind}/{key}", data={"csrf_token": token, **fields})


def _count(house: WebHouse, what: type) -> int:
    with house.services.db.reading() as session:
        return session.scalar(select(func.count()).select_from(what)) or 0


def test_what_was_typed_is_offered_again_after_the_browser_died(house: WebHouse) -> None:
    form = f"/records/new?category={house.category.id}"
    assert _typed(house.browser("archivist"), "new", house.category.id, title=TITLE).status_code == 200
    again = house.browser("archivist")
    offered = again.get(form).text
    assert f"{form}&amp;draft=1" in offered
    assert TITLE not in offered
    assert f'value="{TITLE}"' in again.get(f"{form}&draft=1").text
    assert form in again.get("/").text


def test_nobody_else_is_offered_it(house: WebHouse) -> None:
    _typed(house.browser("archivist"), "new", house.category.id, title=TITLE)
    clerk = house.browser("clerk")
    for path in (
        "/",
        f"/records/new?category={house.category.id}",
        f"/records/new?category={house.category.id}&draft=1",
    ):
        page = clerk.get(path).text
        assert TITLE not in page
        assert "接着填" not in page


def test_it_lies_sealed_and_goes_with_its_key_when_the_form_is_sent(house: WebHouse, tmp_path: Path) -> None:
    client, before = house.browser("archivist"), _count(house, OwnerKey)
    _typed(client, "new", house.category.id, title=TITLE)
    assert _count(house, OwnerKey) == before + 1
    for path in tmp_path.glob("*.db*"):
        assert TITLE.encode() not in path.read_bytes(), f"a title lies plain in {path.name}"
    sent = {"category": str(house.category.id), "title": TITLE, "drawn_up": "2024"}
    reply = client.post("/records", data={"csrf_token": token_on(client.get("/labels").text), **sent})
    assert reply.status_code == 303, reply.text
    assert _count(house, FormDraft) == 0
    assert _count(house, OwnerKey) == before + 1, "the draft's key stays, or the record's is missing"


def test_a_record_s_draft_keeps_the_version_it_was_typed_over(house: WebHouse) -> None:
    record = house.a_record(title="旧题名")
    client = house.browser("archivist")
    _typed(client, "record", record.id, title=TITLE, version="1")
    token = token_on(client.get("/labels").text)
    changed = {"title": "他人改的题名", "drawn_up": "2024", "medium": "paper", "version": str(record.version)}
    client.post(f"/records/{record.id}/edit", data={"csrf_token": token, **changed})
    _typed(client, "record", record.id, title=TITLE, version="1")
    page = client.get(f"/records/{record.id}/edit?draft=1").text
    assert 'name="version" value="1"' in page, "a draft taken up would overwrite what another changed"


def test_of_a_record_that_one_may_not_describe_nothing_is_kept(house: WebHouse) -> None:
    record = house.a_record(title="底价", level=4)
    assert _typed(house.browser("clerk"), "record", record.id, title="x").status_code == 404
    assert _typed(house.browser("clerk"), "other", record.id, title="x").status_code == 404
    assert _count(house, FormDraft) == 0


def test_it_can_be_forgotten_and_is_forgotten_after_its_time(house: WebHouse) -> None:
    client = house.browser("archivist")
    _typed(client, "new", house.category.id, title=TITLE)
    token = token_on(client.get("/labels").text)
    client.post(f"/drafts/new/{house.category.id}/forget", data={"csrf_token": token})
    assert _count(house, FormDraft) == 0
    _typed(client, "new", house.category.id, title=TITLE)
    now = house.services.clock.now()
    house.services.drafts.sweep(now - timedelta(days=7))
    assert _count(house, FormDraft) == 1
    house.services.drafts.sweep(now + timedelta(seconds=1))
    assert _count(house, FormDraft) == 0


def test_no_person_keeps_many(house: WebHouse) -> None:
    who = house.services.people.identity_of("archivist")
    for number in range(25):
        house.services.drafts.keep(who, f"new:{number}", [("title", TITLE)])
    assert [form for form, _at in house.services.drafts.mine(who)][:2] != []
    assert _count(house, FormDraft) == 20


def test_one_that_is_too_long_is_refused(house: WebHouse) -> None:
    assert _typed(house.browser("archivist"), "new", house.category.id, notes="长" * 100_000).status_code == 422
