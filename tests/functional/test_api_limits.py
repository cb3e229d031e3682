"""How many requests are taken, and whether the parts work."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.factories.api_house import ApiHouse, an_api_house
from web.api.rates import UNKNOWN_PER_MINUTE, Rates
from web.app import create_app


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    with an_api_house(tmp_path) as made:
        yield made


def test_a_bucket_empties_and_fills_again_for_each_alone() -> None:
    seconds = 0.0
    rates = Rates(60, lambda: seconds)
    assert [rates.wait("a") for _ in range(60)] == [0] * 60
    assert rates.wait("a") == 1
    assert rates.wait("b") == 0
    seconds += 1
    assert (rates.wait("a"), rates.wait("a")) == (0, 1)
    seconds += 3600
    assert [rates.wait("a") for _ in range(61)] == [0] * 60 + [1]
    assert {Rates(0).wait("a") for _ in range(1000)} == {0}


def test_a_token_that_asks_too_much_waits_and_no_other(house: ApiHouse) -> None:
    app = create_app(replace(house.web.services, api_per_minute=3))
    one, other = ({"Authorization": f"Bearer {house.token('staff')}"} for _ in range(2))
    client = app.test_client()
    assert [client.get("/api/v1/me", headers=one).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = client.get("/api/v1/me", headers=one)
    assert (refused.mimetype, refused.json["code"]) == ("application/problem+json", "too_many_requests")
    assert 1 <= int(refused.headers["Retry-After"]) <= 20
    assert client.get("/api/v1/me", headers=other).status_code == 200


def test_guessing_tokens_is_slowed_by_address_and_stops_no_valid_one(house: ApiHouse) -> None:
    app = create_app(replace(house.web.services, api_per_minute=100))
    client = app.test_client()
    guesses = [
        client.get("/api/v1/me", headers={"Authorization": f"Bearer juanku_{n}"}).status_code
        for n in range(UNKNOWN_PER_MINUTE + 1)
    ]
    assert guesses == [401] * UNKNOWN_PER_MINUTE + [429]
    there = {"REMOTE_ADDR": "192.0.2.7"}
    assert client.get("/api/v1/me", environ_base=there).status_code == 401
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {house.token('staff')}"}).status_code == 200


def test_ready_says_which_part_fails_on_this_machine_alone(house: ApiHouse) -> None:
    def broken() -> bool:
        raise OSError("/secret/path")

    looks = {"database": lambda: True, "store": broken, "index": lambda: False, "keys": lambda: True}
    client = create_app(replace(house.web.services, looks=looks)).test_client()
    assert client.get("/health/live").json == {"live": True}
    near = client.get("/health/ready")
    assert near.status_code == 503
    assert near.json == {
        "ready": False, "parts": {"database": "ok", "store": "failed", "index": "failed", "keys": "ok"}
    }  # fmt: skip
    far = client.get("/health/ready", environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert (far.status_code, far.json) == (503, {"ready": False})
    well = create_app(replace(house.web.services, looks={"database": lambda: True})).test_client()
    assert well.get("/health/ready").status_code == 200
