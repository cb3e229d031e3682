"""Programs see what a dossier lacks, say what is known of it, read the board, and edit many records."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.model import RecordKind, RecordState
from tests.factories.api_house import ApiHouse, an_api_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    with an_api_house(tmp_path) as made:
        yield made


def test_a_program_has_a_dossier_follow_a_template_and_sees_what_it_lacks(house: ApiHouse) -> None:
    own = house.web.services
    dossier, item = (
        house.a_record(title="合同卷", kind=kind, state=RecordState.PROVISIONAL).id
        for kind in (RecordKind.DOSSIER, RecordKind.ITEM)
    )
    own.arranging.put_in(own.people.identity_of("archivist"), dossier, [item])
    at = f"/api/v1/records/{dossier}/papers"
    assert house.get(at).status_code == 404
    assert house.ask("PUT", f"{at}/template", json={"template": "nothing"}).status_code == 422
    assert house.ask("PUT", f"{at}/template", json={"template": "contract_filing"}).status_code == 204
    shown = house.get(at)
    assert (shown.json["complete"], shown.json["is_whole_first"]) == (False, False)
    facts = {"facts": {"de_facto": True, "accepted_on": "2020-01-02"}}
    known = house.ask("PATCH", at, json=facts, If_Match=shown.headers["ETag"])
    assert [(each["due"], each["late"]) for each in known.json["clocks"]] == [("2020-01-16", True)]
    assert house.ask("PATCH", at, json=facts, If_Match=shown.headers["ETag"]).status_code == 412
    named = house.ask("POST", f"{at}/items", json={"paper": "contract", "record": str(item)})
    [contract] = [each for each in named.json["papers"] if each["code"] == "contract"]
    assert (contract["stands"], contract["items"][0]["by_hand"]) == ("there", True)
    assert house.ask("POST", f"{at}/items", json={"paper": "x", "record": str(item)}).status_code == 422
    seen = {"paper": "contract", "record": str(item), "copy_sealed": True, "original_seen_on": "2020-01-03"}
    noted = house.ask("POST", f"{at}/copies", json=seen | {"original_returned_on": "2020-01-04"})
    [contract] = [each for each in noted.json["papers"] if each["code"] == "contract"]
    kept = contract["items"][0]
    assert (kept["copy_sealed"], kept["original_seen_on"], kept["original_returned_on"]) == (
        True, "2020-01-03", "2020-01-04",
    )  # fmt: skip
    early = house.ask("POST", f"{at}/copies", json=seen | {"original_returned_on": "2020-01-02"})
    assert early.status_code == 422
    assert house.ask("POST", f"{at}/copies", "staff", json=seen).status_code == 404
    [line] = house.get("/api/v1/papers?late=true").json["dossiers"]
    assert (line["dossier"], line["late"]) == (str(dossier), True)
    assert house.get("/api/v1/papers", "staff").json["dossiers"] == []
    assert house.get(at, "staff").status_code == 404
    assert house.get("/api/v1/papers?cursor=x").status_code == 422


def test_a_program_edits_many_records_and_undoes_it(house: ApiHouse) -> None:
    drafts, filed = [house.a_draft(f"维修单{n}") for n in (1, 2)], house.a_record(title="已归档").id
    body = {"records": [str(each) for each in (*drafts, filed)], "notes": "待核对", "add_keywords": ["电梯"]}
    assert house.ask("POST", "/api/v1/bulk-edits", json=body | {"records": []}).status_code == 422
    own = house.ask("POST", "/api/v1/bulk-edits", json=body | {"fields": {"phone": "13812345678"}})
    assert [(each["pointer"], each["code"]) for each in own.json["fields"]] == [("/fields/phone", "one_by_one")]
    made = house.ask("POST", "/api/v1/bulk-edits", json=body)
    assert (made.status_code, made.json["state"], made.json["counts"]) == (201, "prepared", {"waiting": 3})
    assert made.json["refused"] == [{"record": str(filed), "reason": "wrong_state"}]
    at = f"/api/v1/bulk-edits/{made.json['edit']}"
    assert house.get(at, "staff").status_code == 404
    assert house.ask("POST", f"{at}/undo").status_code == 409
    assert house.ask("POST", f"{at}/start").json["state"] == "running"
    house.web.edit_many()
    done = house.get(at).json
    assert (done["state"], done["counts"]) == ("done", {"changed": 2, "refused": 1})
    assert house.ask("POST", f"{at}/stop").json["state"] == "done"
    assert house.ask("POST", f"{at}/undo").json["state"] == "undoing"
    house.web.edit_many()
    assert house.get(at).json["counts"] == {"undone": 2, "refused": 1}
    assert house.get(f"/api/v1/records/{drafts[0]}").json["notes"] is None


def refused(house: ApiHouse, at: str) -> list[str]:
    """Return what is refused of an edit or a move, one a page."""
    found, cursor = list[str](), ""
    while cursor is not None:
        page = house.get(f"{at}?limit=1&cursor={cursor}").json
        assert len(page["refused"]) <= 1
        assert len(found) < 10, "it does not end"
        found += [each["record"] for each in page["refused"]]
        cursor = page["next"]
    return found


def test_a_program_reaches_all_that_an_edit_refuses_before_and_after_it_ran(house: ApiHouse) -> None:
    filed = [str(house.a_record(title=f"已归档{n}").id) for n in range(3)]
    body = {"records": [filed[0], str(house.a_draft("可以修改")), *filed[1:]], "notes": "待核对"}
    made = house.ask("POST", "/api/v1/bulk-edits", json=body).json
    at = f"/api/v1/bulk-edits/{made['edit']}"
    assert ([each["record"] for each in made["refused"]], made["next"]) == (filed, None)
    assert refused(house, at) == filed
    house.ask("POST", f"{at}/start")
    house.web.edit_many()
    assert house.get(at).json["counts"] == {"changed": 1, "refused": 3}
    assert refused(house, at) == filed
    assert [house.get(f"{at}?{asked}").status_code for asked in ("cursor=x", "limit=501", "limit=0")] == [422] * 3


def test_a_program_reaches_all_that_a_move_refuses(house: ApiHouse) -> None:
    own = house.web.services
    into, source, other = (
        house.a_record(title=title, kind=RecordKind.DOSSIER, state=RecordState.PROVISIONAL).id for title in "新旧别"
    )
    who, items = own.people.identity_of("archivist"), [house.a_draft(f"件{n}") for n in range(3)]
    own.arranging.put_in(who, source, items)
    body = {"into": "dossier", "to": str(into), "source": str(source)}
    made = house.ask("POST", "/api/v1/bulk-moves", json=body).json
    own.arranging.merge(who, other, source)  # so that they lie elsewhere by the time
    house.web.move_many()
    at = f"/api/v1/bulk-moves/{made['move']}"
    assert house.get(at).json["counts"] == {"refused": 3}
    assert refused(house, at) == [str(each) for each in items]
    assert house.get(f"{at}?cursor=x").status_code == 422


def test_a_program_moves_all_of_a_dossier_and_asks_how_far_it_is(house: ApiHouse) -> None:
    own = house.web.services
    into, source = (
        house.a_record(title=title, kind=RecordKind.DOSSIER, state=RecordState.PROVISIONAL).id for title in "新旧"
    )
    items = [house.a_draft(f"件{n}") for n in (1, 2)]
    own.arranging.put_in(own.people.identity_of("archivist"), source, items)
    body = {"into": "dossier", "to": str(into), "source": str(source)}
    assert house.ask("POST", "/api/v1/bulk-moves", json=body | {"source": str(into)}).status_code == 422
    assert house.ask("POST", "/api/v1/bulk-moves", "staff", json=body).status_code in {403, 404}
    made = house.ask("POST", "/api/v1/bulk-moves", json=body)
    assert (made.status_code, made.json["state"], made.json["counts"]) == (201, "running", {"waiting": 2})
    at = f"/api/v1/bulk-moves/{made.json['move']}"
    assert house.get(at, "staff").status_code == 404
    assert house.ask("POST", f"{at}/stop").json["state"] == "stopped"
    assert house.ask("POST", f"{at}/go-on").json["state"] == "running"
    house.web.move_many()
    assert (house.get(at).json["state"], house.get(at).json["counts"]) == ("done", {"changed": 2})
    held = house.get(f"/api/v1/records/{into}/contents").json["items"]
    assert [each["record"] for each in held] == [str(each) for each in items]
