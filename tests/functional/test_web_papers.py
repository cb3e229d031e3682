"""Required papers on pages: what is there and missing, the acts on it, the board, the printed forms, and templates."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pypdfium2
import pytest
from werkzeug.test import TestResponse

from archive.model import RecordKind, RecordState
from tests.factories.web_house import WebHouse, a_web_house, token_of


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def post(house: WebHouse, path: str, login: str = "archivist", **data: Any) -> TestResponse:
    browser = house.browser(login)
    token = token_of(browser)
    data = {name.replace("__", "-"): value for name, value in data.items()}
    return browser.post(path, data={"csrf_token": token, **data}, follow_redirects=True)


def a_dossier(house: WebHouse, code: str, *keywords: str, **more: Any) -> UUID:
    """Return a dossier that follows a template, with an item for each keyword."""
    own = house.services
    who = own.people.identity_of("archivist")
    state = RecordState.PROVISIONAL
    key: UUID = house.a_record(title="备案卷", kind=RecordKind.DOSSIER, state=state, **more).id
    items = [house.a_record(title=f"{word}一份", keywords=[word], state=state).id for word in keywords]
    if items:
        own.arranging.put_in(who, key, items)
    own.papers.follow(who, key, code)
    return key


def row_of(page: str, name: str) -> str:
    found = re.search(rf"<tr>(?:(?!</tr>).)*{name}(?:(?!</tr>).)*</tr>", page, re.DOTALL)
    assert found, name
    return found[0]


def test_a_dossier_is_given_a_template_and_its_papers_are_kept_on_the_page(house: WebHouse) -> None:
    own = house.services
    key = house.a_record(title="合同卷", kind=RecordKind.DOSSIER, state=RecordState.PROVISIONAL).id
    item = house.a_record(title="无主题词的件", state=RecordState.PROVISIONAL).id
    own.arranging.put_in(own.people.identity_of("archivist"), key, [item])
    at = f"/records/{key}/papers"
    assert at in house.browser("archivist").get(f"/records/{key}").text
    page = post(house, f"{at}/template", template="contract_filing").text
    assert "待情况确认" in row_of(page, "仲裁或司法文书")
    page = post(house, f"{at}/facts", version="1", fact__de_facto="no", fact__accepted_on="2020-01-02").text
    assert "不需要" in row_of(page, "仲裁或司法文书")
    assert "2020-01-16" in page
    assert "逾期" in page
    page = post(house, f"{at}/attach", paper="source", record=item).text
    assert "已有" in row_of(page, "合法来源")
    page = post(house, f"{at}/copy", paper="source", record=item, sealed="1", seen_on="2020-01-02").text
    assert "2020-01-02 由 archivist某 核验原件" in page
    page = post(house, f"{at}/copy", paper="source", record=item, returned_on="2020-01-02").text
    assert "须先有原件核验日期" in page
    page = post(house, f"{at}/attach", paper="source", record=item, away="1").text
    assert "缺少" in row_of(page, "合法来源")
    page = post(house, f"{at}/template", template="").text
    assert "尚无模板" in page


def test_people_and_the_other_dossier_are_named_and_one_person_serves_one_enterprise(house: WebHouse) -> None:
    own = house.services
    who = own.people.identity_of("archivist")
    firm, other, filing = (a_dossier(house, code) for code in ("enterprise", "enterprise", "contract_filing"))
    own.subjects.add(who, house.category.fonds_id, "employee", {"name": "周立", "phone": "13900139000"})
    page = post(house, f"/records/{firm}/papers/person", part="legal_representative", person="139 0013 9000").text
    assert "周立" in page
    page = post(house, f"/records/{other}/papers/person", part="project_manager", person="13900139000").text
    assert "已属于另一家企业" in page
    page = post(house, f"/records/{filing}/papers/link", linked=str(firm)).text
    assert f"/records/{firm}/papers" in page
    page = post(house, f"/records/{firm}/papers/person", part="legal_representative", away="1").text
    assert "周立" not in page
    assert post(house, f"/records/{filing}/papers/link", linked="").text.count(f"/records/{firm}/papers") == 0
    page = post(house, f"/records/{filing}/papers/link", linked="", number=f"https://archive/records/{firm}").text
    assert f"/records/{firm}/papers" in page
    assert "该号下没有您能看到的档案" in post(house, f"/records/{filing}/papers/link", linked="", number="无此号").text


def test_the_board_lists_what_lacks_something_and_only_what_one_may_see(house: WebHouse) -> None:
    open_one = a_dossier(house, "equipment")
    secret = a_dossier(house, "equipment", level=4)
    seen = house.browser("archivist").get("/papers?template=equipment").text
    assert f"/records/{open_one}/papers" in seen
    assert f"/records/{secret}/papers" in seen
    for login in ("clerk", "staff"):
        page = house.browser(login).get("/papers").text
        assert str(secret) not in page
    assert f"/records/{open_one}/papers" not in house.browser("archivist").get("/papers?late=1").text
    assert f"/records/{open_one}/papers" not in house.browser("archivist").get("/papers?template=move_in").text
    absent = house.browser("staff").get(f"/records/{UUID(int=7)}/papers")
    hidden = house.browser("staff").get(f"/records/{secret}/papers")
    assert (hidden.status_code, hidden.data) == (absent.status_code, absent.data) == (404, absent.data)


def words_of(pdf: bytes) -> str:
    return "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(BytesIO(pdf)))


def test_the_certificate_and_the_filing_form_are_printed_from_the_data(house: WebHouse) -> None:
    key = a_dossier(house, "contract_filing", "营业执照")
    post(house, f"/records/{key}/papers/facts", version="1", fact__accepted_on="2020-01-02")
    assert 'value="completeness"' in house.browser("archivist").get(f"/prints?record={key}").text
    said = words_of(post(house, "/prints", record=str(key), form="completeness", language="zh_CN").data)
    assert "尚不齐全" in said
    assert "2020-01-16" in said
    said = words_of(post(house, "/prints", record=str(key), form="filing_form", language="zh_CN").data)
    assert "物业服务合同备案" in said
    assert "受理日期" in said
    bare = house.a_record(title="无模板", kind=RecordKind.DOSSIER).id
    assert 'value="completeness"' not in house.browser("archivist").get(f"/prints?record={bare}").text


def test_a_house_changes_copies_and_takes_back_templates(house: WebHouse) -> None:
    at = "/house/dossier-templates"
    browser = house.browser("archivist")
    assert "承接查验" in browser.get(at).text
    assert browser.get(f"{at}/nothing").status_code == 404
    assert house.browser("staff").get(at).status_code == 403
    short = '{"code": "CODE", "names": {"zh_CN": "自定卷"}, "papers": [{"code": "one", "names": {"zh_CN": "一份"}}]}'
    page = post(house, f"{at}/equipment", template=short.replace("CODE", "own"), reason="自定", version="0").text
    assert "自定卷" in page
    assert "自定卷" in browser.get(at).text
    wrong = post(
        house, f"{at}/own", template=short.replace("CODE", "own").replace('"one"', '"One!"'), reason="错", version="1"
    )
    assert wrong.status_code == 422
    assert "papers.0.code" in wrong.text
    assert post(house, f"{at}/own", template="{", reason="错", version="1").status_code == 422
    a_dossier(house, "own")
    assert post(house, f"{at}/own/withdraw", version="1").status_code == 409
    assert (
        post(
            house, f"{at}/equipment", template=short.replace("CODE", "equipment"), reason="简", version="0"
        ).status_code
        == 200
    )
    assert post(house, f"{at}/equipment/withdraw", version="1").status_code == 200
