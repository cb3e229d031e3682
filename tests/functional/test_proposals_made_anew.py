"""Reading a file again makes its proposals anew; what a person decided stands as long as the same value is found."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from archive.cataloguing.proposals import TEXT, Finding
from archive.files.rereading import AGAIN
from archive.jobs.outbox import Outbox
from archive.model import Content, JobKind, Proposal, ProposalState
from indexer import extraction
from tests.factories.hostile_files import a_locked_pdf
from tests.factories.web_house import WebHouse, a_web_house
from tests.functional.test_web_proposals import take, with_file
from tests.functional.test_web_put_aside import post as post_file
from tests.functional.test_web_put_aside import with_file as with_locked


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


@pytest.fixture
def archivist(house: WebHouse) -> FlaskClient:
    return house.browser("archivist")


def read_again(house: WebHouse, outbox: Outbox) -> None:
    with house.services.db.writing() as work:
        content = work.session.scalars(select(Content.id)).one()
        outbox.add(work, JobKind.EXTRACT, content, payload={AGAIN: "text"})
        work.commit()
    house.read_texts()


def states(house: WebHouse) -> dict[str, ProposalState]:
    with house.services.db.reading() as session:
        return {row.field: row.state for row in session.scalars(select(Proposal))}


def test_decisions_outlive_a_reading_again(
    house: WebHouse, archivist: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = with_file(house, archivist)
    take(archivist, record, "title", "", act="dismiss")
    take(archivist, record, "responsible", "某某物业管理有限公司")
    decided = states(house)
    read_again(house, house.outbox)
    assert states(house) == decided
    assert decided == {
        "title": ProposalState.DISMISSED, "responsible": ProposalState.TAKEN,
        "drawn_up": ProposalState.WAITING, "document_number": ProposalState.WAITING,
    }  # fmt: skip
    better = [Finding("title", "更好的题名", "title_kind", TEXT, 1, 0, 5)]
    monkeypatch.setattr(extraction, "propose", lambda _paper: better)
    read_again(house, house.outbox)
    assert states(house) == {"title": ProposalState.WAITING}, "another value is another proposal"
    assert "建议：更好的题名" in archivist.get(f"/records/{record}").text


def test_a_file_from_before_proposals_gets_them_by_reading_it_again(house: WebHouse, archivist: FlaskClient) -> None:
    record = with_file(house, archivist)
    with house.services.db.writing() as work:
        for row in work.session.scalars(select(Proposal)):
            work.session.delete(row)
        work.commit()
    page = archivist.get(f"/records/{record}").text
    assert "建议：" not in page
    assert "没有保留出处" in page, "the date stands there all the same"
    read_again(house, house.outbox)
    page = archivist.get(f"/records/{record}").text
    assert "建议：关于做好汛期值班工作的通知" in page
    assert "没有保留出处" not in page


def test_a_locked_file_proposes_when_it_was_read_with_its_password(house: WebHouse, archivist: FlaskClient) -> None:
    record, content = with_locked(house, archivist, a_locked_pdf("geheim"))
    assert states(house) == {}
    post_file(archivist, f"/files/{content}/unlock", record=record, password="geheim")
    with house.services.db.reading() as session:
        rows = session.scalars(select(Proposal)).all()
    assert {(row.content_id, row.field) for row in rows} == {(UUID(str(content)), "drawn_up")}
