"""Programs open batches, list lines, hand in and check; nobody signs but a person at a browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.factories.api_house import ApiHouse, an_api_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    with an_api_house(tmp_path) as made:
        yield made


def test_a_program_takes_a_batch_to_where_it_is_signed(house: ApiHouse) -> None:
    clerk, archivist = "clerk", "archivist"

    def ask(login: str, method: str, path: str, status: int, body: Any = None, version: int | None = None) -> Any:
        headers = {} if version is None else {"If_Match": f'"{version}"'}
        sent = {} if body is None else {"json": body}
        reply = house.ask(method, f"/api/v1{path}", login, **sent, **headers)
        assert reply.status_code == status, reply.text
        return reply.json

    new = {"fonds": "WY01", "category": "WYH", "name": "上半年", "department": "OFFICE", "level": 1}
    made = ask(clerk, "POST", "/batches", 201, new)
    at = f"/batches/{made['batch']}"
    ask(clerk, "PUT", f"{at}/lines", 422, {"lines": [{"pages": 3}]}, made["version"])
    lines = {"lines": [{"number": "A-1", "title": "合同", "pages": 3}, {"title": "纪要", "carrier": None}]}
    ask(clerk, "PUT", f"{at}/lines", 412, lines, 99)
    listed = ask(clerk, "PUT", f"{at}/lines", 200, lines, made["version"])
    ask(archivist, "POST", f"{at}/check", 409)
    handed = ask(clerk, "POST", f"{at}/hand-in", 200, None, listed["version"])
    assert (handed["state"], handed["round"]) == ("handed_in", 1)
    first, second = ask(archivist, "GET", at, 200)["lines"]
    passed = ask(archivist, "POST", f"{at}/lines/{first['line']}/check", 200, {})
    assert passed["state"] == "passed"
    assert passed["record"]
    ask(archivist, "POST", f"{at}/lines/{second['line']}/check", 422, {"arrived": False})
    ask(clerk, "POST", f"{at}/lines/{second['line']}/check", 403, {})
    ask(archivist, "POST", f"{at}/lines/{second['line']}/check", 200, {"reason": "not_there", "arrived": False})
    assert ask(archivist, "POST", f"{at}/check", 200)["state"] == "returned"
    shown = ask(clerk, "GET", at, 200)
    assert [each["reason"] for each in shown["lines"]] == [None, "not_there"]
    ask(clerk, "PUT", f"{at}/lines", 200, {"lines": []}, shown["version"])
    ended = ask(clerk, "POST", f"{at}/hand-in", 200, None, shown["version"] + 1)
    assert ended["state"] == "checked"
    shown = ask(clerk, "GET", at, 200)
    assert [each["state"] for each in shown["lines"]] == ["passed", "withdrawn"]
    assert (shown["whole"], shown["signatures"]) == (True, [])
    page = ask(clerk, "GET", "/batches?state=checked", 200)
    assert [each["lines"] for each in page["batches"]] == [{"passed": 1, "withdrawn": 1}]
    ask("staff", "GET", at, 404)
