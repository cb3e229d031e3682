"""Style, scripts and pictures come compressed and are kept by browsers; pages are neither."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.web_house import WebHouse, a_web_house

WEB = Path(__file__).parents[2] / "web"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def _named(page: str) -> list[str]:
    return [each.replace("&amp;", "&") for each in re.findall(r'(?:href|src)="(/static/[^"]+)"', page)]


def test_what_a_page_names_is_compressed_and_kept_for_a_year(house: WebHouse) -> None:
    client = house.browser()
    named = _named(client.get("/sign-in").text)
    assert len(named) >= 3
    for address in named:
        reply = client.get(address, headers={"Accept-Encoding": "gzip, br"})
        assert reply.headers["Content-Encoding"] == "gzip"
        assert "immutable" in reply.headers["Cache-Control"]
        assert "Accept-Encoding" in reply.headers["Vary"]
        plain = client.get(address)
        assert "Content-Encoding" not in plain.headers
        assert gzip.decompress(reply.data) == plain.data


def test_an_address_without_the_right_hash_is_asked_for_again(house: WebHouse) -> None:
    client = house.browser()
    for address in ("/static/juanku.css", "/static/juanku.css?v=0000000000000000"):
        reply = client.get(address)
        assert reply.headers["Cache-Control"] == "no-cache"
        unchanged = client.get(address, headers={"If-None-Match": reply.headers["ETag"]})
        assert unchanged.status_code == 304
        assert unchanged.data == b""


@pytest.mark.parametrize("path", ["/static/none.css", "/static/../app.py", "/static/%2e%2e/app.py"])
def test_nothing_else_is_sent(house: WebHouse, path: str) -> None:
    assert house.browser().get(path).status_code == 404


def test_a_first_page_weighs_little_and_is_not_compressed_itself(house: WebHouse) -> None:
    client = house.browser("archivist")
    for path in ("/", "/search?q=", "/browse", f"/records/new?category={house.category.id}"):
        page = client.get(path, headers={"Accept-Encoding": "gzip"})
        assert "Content-Encoding" not in page.headers
        beside = sum(len(client.get(each, headers={"Accept-Encoding": "gzip"}).data) for each in _named(page.text))
        assert len(page.data) + beside < 100_000, f"{path} weighs {len(page.data) + beside} bytes"


def test_every_field_that_only_some_choices_need_is_hidden_by_the_style_sheet_without_them(house: WebHouse) -> None:
    sheet = house.browser().get("/static/juanku.css").text
    groups = {
        group for path in WEB.rglob("*.py") for group in re.findall(r'\bwhen="([a-z_ ]+)"', path.read_text("utf-8"))
    }
    assert "shelf" in groups
    for group in groups:
        chosen = ", ".join(f"option[value={each}]:checked" for each in group.split())
        assert f'form:not(:has({chosen})) [data-when="{group}"]' in sheet, group
