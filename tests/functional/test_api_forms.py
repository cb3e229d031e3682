"""Programs list forms and their templates, and print one filled in with records as far as they see them."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from archive.model import LogEntry, RecordKind, RecordState
from tests.factories.api_house import ApiHouse, an_api_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    with an_api_house(tmp_path) as made:
        yield made


def _words(pdf: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


def test_forms_are_listed_with_what_they_take_and_the_version_that_is_printed(house: ApiHouse) -> None:
    own = house.web.services
    shown = {each["form"]: each for each in house.get("/api/v1/forms", "staff").json["forms"]}
    assert (shown["filed_items"]["takes"], shown["filed_items"]["is_list"]) == ("items", True)
    assert (shown["dossier_cover"]["version"], shown["dossier_cover"]["is_own"]) == (0, False)
    source = own.forms.current(own.people.identity_of("archivist"), "dossier_cover").source
    own.forms.keep(own.people.identity_of("archivist"), "dossier_cover", source, "首版", version=0)
    told = house.get("/api/v1/forms/dossier_cover/template").json
    assert (told["version"], told["is_own"], told["source"]) == (1, True, source)
    assert [(each["version"], each["reason"]) for each in told["versions"]] == [(1, "首版")]
    assert house.get("/api/v1/forms/dossier_cover/template", "staff").status_code == 403
    assert house.get("/api/v1/forms/nothing/template").status_code == 404
    assert house.ask("PUT", "/api/v1/forms/dossier_cover/template", json={}).status_code == 405


def test_a_form_is_printed_of_what_the_program_sees_and_logged(house: ApiHouse) -> None:
    filed = house.a_record(title="电梯年检合同", state=RecordState.FILED, archive_number="WY01-A0001")
    hidden = house.a_record(title="不可外泄的标题", state=RecordState.FILED, archive_number="WY01-A0002", level=4)
    at = f"/api/v1/forms/filed_items/pdf?record={filed.id}&record={hidden.id}&language=zh_CN"
    sent = house.get(at, "staff")
    assert (sent.status_code, sent.mimetype, sent.data[:5]) == (200, "application/pdf", b"%PDF-")
    words = _words(sent.data)
    assert ("电梯年检合同" in words, "不可外泄的标题" in words) == (True, False)
    with house.web.services.db.reading() as session:
        [entry] = session.scalars(select(LogEntry).where(LogEntry.act == "form.print")).all()
        assert entry.record_id == filed.id
    for wrong, status in (
        (f"/api/v1/forms/dossier_cover/pdf?record={filed.id}", 422),
        (f"/api/v1/forms/filed_items/pdf?record={uuid4()}", 422),
        ("/api/v1/forms/loan_register/pdf", 422),
        (f"/api/v1/forms/filed_items/pdf?record={filed.id}&thickness=11", 422),
        (f"/api/v1/forms/filed_items/pdf?record={filed.id}&language=fr", 422),
        ("/api/v1/forms/nothing/pdf", 404),
    ):
        assert house.get(wrong).status_code == status, wrong
    assert house.get("/api/v1/forms/staff_proposal/pdf", "staff").data[:5] == b"%PDF-"


def test_dossiers_are_printed_by_id(house: ApiHouse) -> None:
    own = house.web.services
    dossier = house.a_record(title="合同卷", kind=RecordKind.DOSSIER, state=RecordState.PROVISIONAL)
    own.arranging.put_in(own.people.identity_of("archivist"), dossier.id, [house.a_draft("维修合同")])
    sent = house.get(f"/api/v1/forms/dossier_contents/pdf?record={dossier.id}&language=zh_TW")
    words = _words(sent.data)
    assert ("合同卷" in words, "维修合同" in words) == (True, True)
