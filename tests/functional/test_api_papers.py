"""Programs see what a dossier lacks, say what is known of it, and read the board."""

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
    [line] = house.get("/api/v1/papers?late=true").json["dossiers"]
    assert (line["dossier"], line["late"]) == (str(dossier), True)
    assert house.get("/api/v1/papers", "staff").json["dossiers"] == []
    assert house.get(at, "staff").status_code == 404
    assert house.get("/api/v1/papers?cursor=x").status_code == 422
