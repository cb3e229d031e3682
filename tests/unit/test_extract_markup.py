"""Web pages, XML and drawings: what a reader sees comes out, nothing is fetched and nothing is resolved."""

from pathlib import Path

import pytest

from indexer.extract.answer import Reason, Unreadable
from indexer.extract.markup import extract_html, extract_xml

FRAME = "<html><head><meta charset={{0}}><title>{}</title></head><body><p>{}</p></body></html>"
PAGE = FRAME.format("物业公告", "关于电梯年检的通知，请各位业主知悉。")
TALL = FRAME.format("物業公告", "關於電梯年檢的通知，請各位業主知悉。")


def html(source: str | bytes) -> str:
    return "\n".join(extract_html(source.encode() if isinstance(source, str) else source).pages)


def xml(source: str | bytes) -> str:
    return "\n".join(extract_xml(source.encode() if isinstance(source, str) else source).pages)


@pytest.mark.parametrize(
    ("page", "declared", "written"),
    [
        (PAGE, "gb2312", "gbk"),
        (PAGE, "gbk", "gb18030"),
        (PAGE, "utf-8", "gbk"),
        (PAGE, "gb2312", "utf-8"),
        (PAGE, "iso-8859-1", "gbk"),
        (PAGE, "nonsense", "gb18030"),
        (PAGE, "unicode", "utf-8"),
        (PAGE, "utf-8", "utf-16"),
        (TALL, "big5", "big5"),
        (TALL, "utf-8", "big5hkscs"),
    ],
)
def test_a_page_is_read_in_the_encoding_it_is_in(page: str, declared: str, written: str) -> None:
    found = extract_html(page.format(declared).encode(written))
    assert found.title in page
    assert len(found.title) == 4
    assert found.pages[0].split("\n")[-1] in page
    assert "通知" in found.pages[0]


def test_scripts_and_styles_are_no_text() -> None:
    hidden = "<style>.机密{}</style><script>var 机密 = 1</script><template>机密</template><!-- 机密 -->"
    assert html(f"{hidden}<p>公开</p>{hidden}") == "公开"


def test_tables_read_row_by_row_and_a_word_in_parts_stays_one() -> None:
    source = (
        "<p>物<b>业</b>费</p><table><tr><th>房号</th><th><p>金额</p></th></tr>\n<tr><td>1-101</td><td></td><td>300 元"
        "<br></td></tr></table>合计&nbsp;300<div>a</div><div>b</div>"
    )
    assert html(source) == "物业费\n房号\t金额\n1-101\t\t300 元\n合计\xa0300\na\nb"


def test_xhtml_that_closes_its_title_at_once_keeps_its_body() -> None:
    assert html('<?xml version="1.0"?><html><head><title/></head><body><p>正文</p></body></html>') == "正文"


def test_xml_gives_its_text_in_its_encoding() -> None:
    source = '<?xml version="1.0" encoding="GBK"?><档案><甲>一</甲><乙>二</乙><!-- 注 --><?x y?>尾</档案>'
    assert xml(source.encode("gbk")) == "一\n二\n尾"


def test_what_is_nearly_xml_is_read_as_far_as_it_goes() -> None:
    assert xml("<a><b>物业 &amp; 维修</b><c>未完") == "物业 & 维修\n未完"
    assert xml('<w:a xmlns:w="w"><w:b>\x01甲</w:b><w:d:e>丙</w:d:e><x:y>乙</x:y></w:a>') == "甲\n丙\n乙"


@pytest.mark.parametrize("more", ["", '<!ENTITY % z SYSTEM "file:///etc/hosts">%z;'])
def test_a_drawing_gives_its_words_and_nothing_of_this_machine(more: str) -> None:
    source = (
        f'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY y "机密">{more}]>'
        '<svg xmlns="http://www.w3.org/2000/svg"><title>平面图</title><style>a{}</style>'
        "<text>一<tspan>单元</tspan>&x;&y;二层</text></svg>"
    )
    found = extract_xml(source.encode())
    assert found.title == "平面图"
    assert found.pages == ("平面图\n一单元二层",)


def test_entities_that_swell_are_a_bomb_or_say_nothing() -> None:
    names = "".join(f'<!ENTITY x{number} "{f"&x{number - 1};" * 20}">' for number in range(1, 9))
    source = f'<!DOCTYPE a [<!ENTITY x0 "{"y" * 1_000}">{names}]><a b="&x8;">&x8;</a>'
    with pytest.raises(Unreadable) as refused:
        xml(source)
    assert refused.value.failure.reason is Reason.BOMB


def test_one_endless_text_is_read_whole_or_too_large_and_not_cut_unseen() -> None:
    data = f"<a>{'x' * 11_000_000}</a>".encode()
    assert extract_xml(data, 1, 1).page_count == 11_000_000 / 4_000
    with pytest.raises(Unreadable) as refused:
        xml(f"<a><![CDATA[{'x' * 11_000_000}]]></a>")
    assert refused.value.failure.reason is Reason.TOO_LARGE


@pytest.mark.parametrize(
    ("parse", "source"),
    [
        (extract_html, "<div>" * 100_000),
        (extract_html, "<table><tr><td>" * 100_000),
        (extract_xml, "<a>" * 100_000 + "</a>" * 100_000),
    ],
)
def test_what_is_nested_without_end_is_a_bomb(parse: object, source: str) -> None:
    with pytest.raises(Unreadable) as refused:
        parse(source.encode())
    assert refused.value.failure.reason is Reason.BOMB


@pytest.mark.parametrize(
    "source",
    ["<span>" * 100_000 + "底", "<div></div>" * 100_000 + "底", "&nbsp;" * 300_000 + "底", "<p>" * 100_000 + "底"],
)
def test_what_only_looks_bad_is_read_in_good_time(source: str) -> None:
    assert html(source).strip() == "底"


@pytest.mark.samples
def test_real_pages_give_at_least_the_words_that_another_reader_finds() -> None:
    folder = Path(__file__).parents[3] / "shared/samples/office"
    if not folder.is_dir():
        pytest.skip("no sample pages beside the checkout")
    from lxml import html as other

    read = 0
    for path in folder.glob("*.html"):
        tree = other.fromstring(path.read_bytes())
        for node in tree.xpath("//script|//style|//comment()"):
            if node.getparent() is not None:
                node.drop_tree()
        words = {word for text in tree.itertext() for word in text.split() if word.isascii()}
        found = html(path.read_bytes())
        missing = [word for word in words if word not in found]
        assert len(missing) <= len(words) // 100, (path.name, missing)
        read += 1
    assert read > 8
