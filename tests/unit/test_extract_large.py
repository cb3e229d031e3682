"""Markup of tens of megabytes is read piece by piece, within the memory of a fork, and says where it was cut."""

import io
from collections.abc import Callable, Iterator

import pytest

from indexer import kinds
from indexer.extract import large, markup
from indexer.extract.answer import Extracted, Reason, Unreadable
from indexer.extract.markup import extract_html, extract_xml
from indexer.sandbox.client import Extractor
from indexer.sandbox.confinement import Limits

SIXTY = 60_000_000
WORDS = "物业管理服务合同电梯维修" * 300 + "\n"


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with Extractor(limits=Limits(wall=180.0)) as made:  # time of the clock: a busy machine is no reason to fail
        yield made


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markup, "LARGE", 100)
    monkeypatch.setattr(markup, "_FED", 50)
    monkeypatch.setattr(large, "_PIECE", 200)
    monkeypatch.setattr(large, "_REACH", 100)


def filled(head: str, block: str, tail: str) -> bytes:
    return (head + block * (SIXTY // len(block.encode())) + tail).encode()


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (kinds.HTML, filled("<html><title>大表</title><body>", f"<p>{WORDS}</p>", "<p>末尾</p></body></html>")),
        (kinds.XML, filled("<a><title>大表</title>", f"<b>{WORDS}</b>", "<c>末尾</c></a>")),
    ],
    ids=["html", "xml"],
)
def test_sixty_megabytes_are_read_to_their_end(extractor: Extractor, kind: str, data: bytes) -> None:
    file = extractor.hold([data], len(data))
    first = extractor.extract_held(kind, file, 1, 1)
    assert isinstance(first, Extracted), first
    assert first.title == "大表"
    assert not first.cut
    last = extractor.extract_held(kind, file, first.page_count, first.page_count)
    file.close()
    assert isinstance(last, Extracted), last
    assert last.pages[-1].endswith("末尾")


PAGE = (
    "<html><head><title>表</title><script>var a = '<p>no words</p>';</script></head><body><h1>首</h1><table>"
    + "".join(f"<tr><td>合同{number}</td><td>电梯 <b>维修</b></td></tr>" for number in range(60))
    + "</table><ul>"
    + "".join(f"<li>第{number}项</li>" for number in range(40))
    + "</ul><p>末尾</p></body></html>"
)


def test_html_read_in_pieces_gives_what_it_gives_whole(request: pytest.FixtureRequest) -> None:
    whole = extract_html(PAGE.encode())
    request.getfixturevalue("small")
    assert extract_html(PAGE.encode()) == whole
    assert len(list(large.html_pieces(PAGE))) > 5


FILE = (
    "<?xml version='1.0' encoding='UTF-8'?><all xmlns:w='urn:w'><title>表</title><!-- no words -->"
    + "".join(
        f"<w:r>合同<b>{number}</b> 项</w:r><note>电梯 &amp; 维修</note><script>no</script>x" for number in range(60)
    )
    + "</all>"
)


@pytest.mark.parametrize("torn", [False, True])
def test_xml_read_as_it_comes_gives_what_it_gives_whole(request: pytest.FixtureRequest, torn: bool) -> None:
    data = FILE.encode()[: -40 if torn else None]
    whole = extract_xml(data)
    request.getfixturevalue("small")
    assert extract_xml(data).pages == whole.pages
    assert extract_xml(data).title == "表"


@pytest.mark.usefixtures("small")
def test_entities_that_swell_are_still_a_bomb() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol" * 10}">' for n in range(10))
    data = f"<!DOCTYPE a [{entities}]><a>{'x' * 200}&e9;</a>".encode()
    with pytest.raises(Unreadable) as refused:
        extract_xml(data)
    assert refused.value.failure.reason is Reason.BOMB


@pytest.mark.usefixtures("small")
def test_an_entity_is_left_alone_as_in_a_small_file() -> None:
    data = f'<!DOCTYPE a [<!ENTITY e "inside"><!ENTITY f SYSTEM "/etc/passwd">]><a>{"x" * 200}&e;&f; end</a>'.encode()
    assert "".join(extract_xml(data).pages) == f"{'x' * 200} end"


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("read", [extract_html, extract_xml])
def test_what_is_larger_still_is_read_up_to_a_limit_and_says_so(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[bytes], Extracted]
) -> None:
    monkeypatch.setattr(markup, "MOST_BYTES", 1_000)
    data = ("<a>" + "<p>words</p>" * 200 + "<p>end</p></a>").encode()
    found = read(data)
    assert found.cut
    assert "words" in found.pages[0]
    assert "end" not in found.pages[-1]


def test_a_scan_of_many_points_is_read_though_it_has_few_bytes() -> None:
    """Pillow calls a picture broken that it has no room for: with little memory at first, it is read again with all."""
    from PIL import Image

    made = io.BytesIO()
    Image.new("RGB", (3600, 3600), "white").save(made, "JPEG2000")
    data = made.getvalue()
    with Extractor(parallel=2) as extractor:
        found = extractor.extract("image/jp2", [data], len(data), 1, 1)
    assert isinstance(found, Extracted), found
