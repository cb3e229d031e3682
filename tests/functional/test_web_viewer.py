"""The viewer: a page's picture and text for who may read it, kept sealed, and nothing for anybody else."""

import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from archive.model import LogEntry
from tests.factories.drawn import a_pdf, an_image, looked_at
from tests.factories.web_house import WebHouse, a_web_house, token_of


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


@pytest.fixture
def archivist(house: WebHouse) -> FlaskClient:
    return house.browser("archivist")


def kept(house: WebHouse, client: FlaskClient, name: str, data: bytes, level: str = "1") -> str:
    """Catalogue a record with one file and have it read; return the content's id."""
    token = token_of(client)
    values = {"category": str(house.category.id), "title": "电梯维保合同", "drawn_up": "2024", "level": level}
    page = client.post("/records", data={"csrf_token": token, **values}, follow_redirects=True).text
    (record,) = set(re.findall(r"/records/([0-9a-f-]{36})/files", page))
    sent = {"csrf_token": token, "files": (BytesIO(data), name)}
    client.post(f"/records/{record}/files", data=sent, follow_redirects=True)
    house.read_texts()
    page = client.get(f"/records/{record}").text
    found = re.search(r'/files/([0-9a-f-]{36})"', page)
    assert found, page
    return found[1]


def test_a_page_is_seen_and_its_words_are_marked(house: WebHouse, archivist: FlaskClient) -> None:
    content = kept(house, archivist, "合同.pdf", a_pdf("甲方应当支付", "违约金若干"))
    page = archivist.get(f"/files/{content}/pages/2?q=违约金").text
    assert "<mark>违约金</mark>若干" in page
    address = re.search(r'<img src="([^"]+)"', page)
    assert address
    picture = archivist.get(address[1].replace("&amp;", "&"))
    assert picture.headers["Content-Type"] == "image/webp"
    assert "sandbox" in picture.headers["Content-Security-Policy"]
    assert picture.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_words_lie_over_the_picture_and_hits_are_at_their_place_however_it_is_turned(
    house: WebHouse, archivist: FlaskClient, turn: int
) -> None:
    content = kept(house, archivist, "合同.pdf", a_pdf("违约金若干"))
    page = archivist.get(f"/files/{content}/pages/1?q=若干&turn={turn}").text
    over = re.search(r'<svg class="over" viewBox="0 0 (\d+) (\d+)".*?</svg>', page, re.DOTALL)
    assert over
    assert ">违约金若干</tspan>" in over[0]
    assert "style=" not in over[0]
    (points,) = re.findall(r'polygon points="([^"]+)"', over[0])
    picture = looked_at(archivist.get(f"/files/{content}/pages/1/picture?turn={turn}").data)
    scale = picture.width / int(over[1])
    corners = [tuple(float(number) * scale for number in point.split(",")) for point in points.split()]
    left, top, right, bottom = (pick(corner[axis] for corner in corners) for pick in (min, max) for axis in (0, 1))
    dark = [
        (at % picture.width, at // picture.width)
        for at, (red, _, _) in enumerate(picture.get_flattened_data())  # type: ignore[misc]
        if red < 100
    ]
    inside = sum(left <= x <= right and top <= y <= bottom for x, y in dark)
    assert 0.25 < inside / len(dark) < 0.55, "two letters of five"
    assert '<svg class="over"' in archivist.get(f"/files/{content}/pages/1").text
    assert "<polygon" not in archivist.get(f"/files/{content}/pages/1").text


def test_where_words_lie_is_asked_once_and_kept_sealed(house: WebHouse, archivist: FlaskClient, tmp_path: Path) -> None:
    content = kept(house, archivist, "合同.pdf", a_pdf("甲方应当支付"))
    assert '<svg class="over"' in archivist.get(f"/files/{content}/pages/1").text
    (file,) = (tmp_path / "pictures").iterdir()
    assert b"size" not in file.read_bytes()
    house.services.drawer.close()  # so that it can only come from there
    assert '<svg class="over"' in archivist.get(f"/files/{content}/pages/1").text


def test_pictures_are_kept_sealed_and_come_back_the_same(
    house: WebHouse, archivist: FlaskClient, tmp_path: Path
) -> None:
    content = kept(house, archivist, "合同.pdf", a_pdf("甲方应当支付"))
    first = archivist.get(f"/files/{content}/pages/1/picture?width=240").data
    (file,) = (tmp_path / "pictures").iterdir()
    assert b"WEBP" not in file.read_bytes()
    house.services.drawer.close()  # so that it can only come from there
    assert archivist.get(f"/files/{content}/pages/1/picture?width=240").data == first
    assert looked_at(first).width in {239, 240, 241}


def test_finding_inside_a_file_goes_round_and_says_when_there_is_nothing(
    house: WebHouse, archivist: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = kept(house, archivist, "合同.pdf", a_pdf("违约金一", "别的", "违約金三"))
    at = f"/files/{content}/pages"
    assert archivist.get(f"{at}/1/next?q=违约金").location.startswith(f"{at}/3?")
    assert archivist.get(f"{at}/3/next?q=违约金").location.startswith(f"{at}/1?")
    with monkeypatch.context() as patch:  # pages are kept folded, so that none is folded again
        patch.setattr("indexer.passages.fold_with_map", pytest.fail)
        assert archivist.get(f"{at}/1/next?q=违约金").location.startswith(f"{at}/3?")
        assert archivist.get(f"{at}/1/next?q=没有的词").location.startswith(f"{at}/1?")
    page = archivist.get(f"{at}/2/next?q=电梯&turn=90", follow_redirects=True)
    assert "本文件的文字中没有这些词" in page.text
    assert "turn=90" in page.text


def test_an_image_has_a_picture_and_no_text(house: WebHouse, archivist: FlaskClient) -> None:
    content = kept(house, archivist, "现场.jpg", an_image("JPEG"))
    page = archivist.get(f"/files/{content}/pages/1").text
    assert "这一页没有文字" in page
    assert archivist.get(f"/files/{content}/pages/1/picture").status_code == 200
    assert archivist.get(f"/files/{content}/pages/2/picture").status_code == 404


def test_what_may_not_be_read_is_answered_like_what_is_not_there(house: WebHouse, archivist: FlaskClient) -> None:
    content = kept(house, archivist, "合同.pdf", a_pdf("机密"), level="3")
    archivist.get(f"/files/{content}/pages/1/picture")
    staff, nowhere = house.browser("staff"), "01890000-0000-7000-8000-000000000000"
    for rest in ("pages/1", "pages/1/picture", "pages/1/next?q=a"):
        hidden, absent = staff.get(f"/files/{content}/{rest}"), staff.get(f"/files/{nowhere}/{rest}")
        assert (hidden.status_code, hidden.data) == (404, absent.data)


def test_odd_widths_and_turns_give_the_plain_picture(house: WebHouse, archivist: FlaskClient, tmp_path: Path) -> None:
    content = kept(house, archivist, "合同.pdf", a_pdf("甲方"))
    replies = {
        archivist.get(f"/files/{content}/pages/1/picture?{odd}").data for odd in ("", "width=7&turn=x", "turn=45")
    }
    assert len(replies) == 1
    assert len(list((tmp_path / "pictures").iterdir())) == 1
    for number in ("0", "2", "9" * 19, "9" * 3_000):
        for page in (f"{number}", f"{number}/picture", f"{number}/picture?q=甲方"):
            assert archivist.get(f"/files/{content}/pages/{page}").status_code == 404


def test_size_and_turn_stay_as_the_leaves_are_turned(house: WebHouse, archivist: FlaskClient) -> None:
    content = kept(house, archivist, "合同.pdf", a_pdf("一", "二"))
    page = archivist.get(f"/files/{content}/pages/1?width=1400&turn=270").text
    links = {unescape(link) for link in re.findall(r'href="([^"]+/pages/[^"]+)"', page)}
    at = f"/files/{content}/pages"
    assert f"{at}/2?width=1400&turn=270" in links
    assert f"{at}/1?width=2200&turn=270" in links
    assert f"{at}/1?turn=270" in links
    assert f"{at}/1?width=1400" in links


def test_a_thumbnail_is_part_of_the_records_opening_and_no_opening_of_the_file(
    house: WebHouse, archivist: FlaskClient
) -> None:
    content = kept(house, archivist, "合同.pdf", a_pdf("甲方"))
    assert archivist.get(f"/files/{content}/pages/1/picture?width=240").status_code == 200
    with house.services.db.reading() as session:
        acts = Counter(session.scalars(select(LogEntry.act)))
    assert acts["record.read"] == 1, "the page of the record was opened before"
    assert acts["file.read"] == 0
    archivist.get(f"/files/{content}/pages/1/picture")
    with house.services.db.reading() as session:
        assert Counter(session.scalars(select(LogEntry.act)))["file.read"] == 1
