"""Help: every page and every setting leads to a place of the handbook, which says the same in three languages."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.settings import SPECS
from tests.factories.web_house import WebHouse, a_web_house
from web.handbook import CONTENTS, PARTS, PICTURES, SIZES, anchors, part_of
from web.help import SETTINGS, place_of
from web.help_places import PLACES
from web.words import LOCALES

HANDBOOK = Path(__file__).parents[2] / "docs" / "handbook"

NO_PAGES = {
    "static", "healthz", "health.live", "health.ready", "help.contents", "help.show", "help.picture", "openapi",
    "files.download", "files.picture", "bring_in.faults", "sheets.found", "schemes.export", "uploads.progress",
    "rules.check", "days.read", "fixity.report", "metrics.metrics", "hand_in_check.report_pdf", "hand_in_sign.register",
    "destructions.file",
    "attached.read",
    "loan_register.notices",
    "transfer_list.pdf", "transfer_list.sheet",
}  # fmt: skip
"""What is asked for by GET and gives no page: files, pictures, answers to scripts, and help itself."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    with a_web_house(tmp_path) as made:
        yield made


def _exists(place: str) -> bool:
    part, _, anchor = place.partition("#")
    return part in PARTS and anchor in anchors(part)


def test_every_page_has_its_place_in_the_handbook(house: WebHouse) -> None:
    asked = {rule.endpoint for rule in house.app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    pages = {endpoint for endpoint in asked if not endpoint.startswith("api.")} - NO_PAGES
    assert len(pages) > 50
    assert sorted(page for page in pages if place_of(page) is None) == []


def test_every_setting_has_its_place_in_the_handbook() -> None:
    assert set(SETTINGS) == {spec.variable for spec in SPECS.values()}
    for locale in LOCALES:
        text = (HANDBOOK / locale / "settings.md").read_text("utf-8")
        assert [variable for variable in SETTINGS if f"| `{variable}` |" not in text] == []


@pytest.mark.parametrize("locale", LOCALES)
def test_places_are_in_the_handbook_of_each_language(locale: str) -> None:
    assert [place for place in [*PLACES.values(), *SETTINGS.values()] if not _exists(place)] == []
    for part in (CONTENTS, *PARTS):
        shown = part_of(locale, part)
        found = re.findall(r' id="([^"]+)"', shown.html)
        assert [shown.title.anchor, *found] == list(anchors(part))
        assert len(set(found)) == len(found), "an anchor stands twice"


@pytest.mark.parametrize("locale", LOCALES)
def test_every_link_of_the_handbook_leads_to_a_place_and_every_picture_is_there(locale: str) -> None:
    for part in (CONTENTS, *PARTS):
        html = part_of(locale, part).html
        for target in re.findall(r'href="/help/([^"]+)"', html):
            assert target in PARTS or _exists(target), target
        for name in re.findall(r'src="/help/pictures/([^"]+)"', html):
            assert name.endswith(f"-{locale}.webp")
            assert (PICTURES / name).is_file(), name
        assert not re.findall(r'href="(?!/help|#|https://)[^"]*"', html)
        for named in re.findall(r"\((docs/[^)]*)\)", html):  # what is no part of the help is named, where it lies
            assert (HANDBOOK.parents[1] / named.partition("#")[0]).exists(), named


def test_every_part_is_listed_in_the_contents() -> None:
    assert {path.stem for path in (HANDBOOK / "en").glob("*.md")} == {"README", *PARTS}
    for locale in LOCALES:
        assert set(re.findall(r'href="/help/([a-z-]+)"', part_of(locale, CONTENTS).html)) == set(PARTS)


def test_a_page_leads_to_its_help_in_the_readers_language(house: WebHouse) -> None:
    client = house.browser("archivist")
    assert 'href="/help/archivist#catalogue"' in client.get("/records/new").text
    assert "不存在的日期" in client.get("/help/archivist").text
    client.post("/language", data={"locale": "zh_TW"})
    stranger = house.browser()
    told = stranger.get("/help/archivist", headers={"Accept-Language": "zh-TW"})
    assert told.status_code == 200
    assert "檔案管理員與資訊員" in told.text
    assert 'href="/help/staff#sign-in"' in stranger.get("/sign-in").text


def test_the_settings_on_the_system_page_lead_to_their_explanation(house: WebHouse) -> None:
    assert 'href="/help/settings#folders-and-keys"' in house.browser("system").get("/system").text


def test_nothing_but_parts_and_pictures_is_given(house: WebHouse) -> None:
    client = house.browser("staff")
    for path in ("/help/nothing", "/help/README", "/help/pictures/none.webp", "/help/pictures/..%2f..%2fLICENSE"):
        assert client.get(path).status_code == 404, path


def test_a_picture_has_the_size_that_the_page_says() -> None:
    from PIL import Image

    pictures = list(PICTURES.glob("*.webp"))
    assert len(pictures) >= 24
    for path in pictures:
        with Image.open(path) as picture:
            assert picture.size == SIZES["phone" if "-phone-" in path.name else ""], path.name
        assert path.stat().st_size < 120_000, path.name


def test_raw_html_in_the_handbook_stays_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from web import handbook

    folder = tmp_path / "handbook" / "en"
    folder.mkdir(parents=True)
    (folder / "other.md").write_text("# Other\n\n<script>x</script> [go](javascript:alert(1)) <b>no</b>\n", "utf-8")
    monkeypatch.setattr(handbook, "DOCUMENTS", tmp_path)
    html = handbook.part_of.__wrapped__("en", "other").html
    assert "<script>" not in html
    assert "<b>" not in html
    assert 'href="javascript' not in html
