"""Plain texts in every Chinese encoding become the same pages."""

from pathlib import Path

import pytest

from indexer.extract import text
from indexer.extract.answer import Reason, Unreadable
from indexer.extract.cleaning import clean, unwrap
from indexer.extract.paging import PAGE_CHARS
from indexer.extract.text import extract_text, guess_encoding

SIMPLIFIED = "第一条 为了规范住宅小区的物业管理，维护业主的合法权益，根据有关法律制定本条例。\n"
TRADITIONAL = "第一條 為了規範住宅小區的物業管理，維護業主的合法權益，根據有關法律制定本條例。\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
def test_simplified_chinese_is_read_in_every_encoding(encoding: str) -> None:
    assert extract_text(SIMPLIFIED.encode(encoding)).pages == (SIMPLIFIED.strip(),)


@pytest.mark.parametrize("encoding", ["utf-8", "big5", "big5hkscs", "gb18030", "utf-16"])
def test_traditional_chinese_is_read_in_every_encoding(encoding: str) -> None:
    assert extract_text(TRADITIONAL.encode(encoding)).pages == (TRADITIONAL.strip(),)


@pytest.mark.parametrize("text", ["卷库", "档案室", "王小明", "合同"])
def test_a_few_signs_are_enough_for_gbk(text: str) -> None:
    assert extract_text(text.encode("gbk")).pages in ((text,), (text.encode("gbk").decode("big5", "ignore"),))


def test_rare_signs_of_names_survive() -> None:
    assert (
        extract_text("业主：𠮷田，㛃女士".encode("gb18030") + SIMPLIFIED.encode("gb18030"))
        .pages[0]
        .startswith("业主：𠮷田，㛃")
    )


def test_one_flipped_byte_does_not_lose_a_book() -> None:
    book = bytearray((SIMPLIFIED * 3_000).encode())
    book[90_001] = 0xFF
    found = extract_text(bytes(book))
    assert sum(page.count("物业管理") for page in found.pages) >= 2_998


@pytest.mark.parametrize("data", [b"", b"\r\n \r\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\x00" * 100])
def test_a_file_without_a_sign_is_empty(data: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        extract_text(data)
    assert caught.value.failure.reason is Reason.EMPTY


def test_a_few_wrong_bytes_do_not_lose_a_page() -> None:
    page = SIMPLIFIED.encode() * 5
    found = extract_text(page[:250] + b"\xff\xfe" + page[250:])
    assert found.pages[0].count("物业管理") >= 4


def test_a_text_in_an_unknown_encoding_is_not_called_damaged() -> None:
    with pytest.raises(Unreadable) as caught:
        extract_text(bytes(range(0x80, 0x100)) * 40)
    assert caught.value.failure.reason is Reason.UNSUPPORTED


FOREIGN = {
    "cp500": "THE PROPERTY FUND of the house, 2023.\nSecond line.\n",
    "hz": "物业管理条例，业主委员会。\n",
    "iso2022_jp": "管理組合からのお知らせ\n",
    "euc_jp": "管理組合は、マンションの定期総会を開催します。よろしくお願いいたします。\n",
    "shift_jis": "管理組合は、マンションの定期総会を開催します。よろしくお願いいたします。\n",
    "cp949": "아파트 관리사무소 안내문입니다. 주민 여러분께 알려 드립니다.\n",
    "cp1251": "Уведомление о ремонте дома и управлении имуществом.\n",
    "koi8-r": "Уведомление о ремонте дома и управлении имуществом.\n",
}


@pytest.mark.parametrize("encoding", FOREIGN)
def test_letters_of_others_are_read_too(encoding: str) -> None:
    words = FOREIGN[encoding] * 3
    assert extract_text(words.encode(encoding)).pages == (words.strip(),)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp949", "관리비 납부 안내"),
        ("euc_jp", "定期総会のお知らせについて"),
        ("shift_jis", "総会のお知らせ"),
        ("gbk", "通知"),
        ("cp1252", "déjà payé"),
        ("koi8-r", "Договор на ремонт"),
        ("cp1251", "Договор на ремонт"),
        ("utf-16-le", "物业合同"),
        ("utf-16-be", "业主大会会议通知"),
        ("utf-16-le", "Договор на ремонт"),
        ("koi8-r", "ПРОТОКОЛ СОБРАНИЯ"),
        ("ascii", "This"),
        ("ascii", "Packages"),
        ("utf-8", "Contrôle des coûts"),
        ("utf-8", "Zone A\u00a0· Zone B"),
        ("gbk", "在线阅览"),
        ("gbk", "在阅览室阅览还是在线阅览"),
        ("big5", "退回"),
        ("big5", "六月分公文"),
    ],
)
def test_one_line_of_others_is_enough(encoding: str, text: str) -> None:
    assert extract_text(text.encode(encoding)).pages == (text,)


@pytest.mark.parametrize(
    "pieces",
    [
        [(SIMPLIFIED, "gbk"), (SIMPLIFIED, "utf-8")],
        [(SIMPLIFIED * 2, "gbk"), (SIMPLIFIED, "utf-8")],
        [("2026-01-01 INFO\n" * 9_000, "ascii"), ("错误：连接失败\n", "gbk"), ("错误：网络断开\n", "utf-8")],
        [(SIMPLIFIED * 60, "utf-8"), ("物业公司的一行\n", "gbk"), (SIMPLIFIED, "utf-8")],
        [(TRADITIONAL, "big5"), (SIMPLIFIED, "utf-8")],
    ],
)
def test_lines_in_several_encodings_are_read_each_in_its_own(pieces: list[tuple[str, str]]) -> None:
    data = b"".join(text.encode(encoding) for text, encoding in pieces)
    kept = "".join(extract_text(data).pages).replace("\n", "")
    assert kept == "".join(text for text, _ in pieces).replace("\n", "")


def test_blocks_of_zeros_in_a_log_do_not_hide_it() -> None:
    log = SIMPLIFIED.encode() + bytes(4_096) + "断电之后".encode() + bytes(100)
    assert guess_encoding(log) == "utf-8"
    assert "断电之后" in extract_text(log).pages[0]


def test_accents_of_a_western_table_do_not_hide_a_text() -> None:
    words = "Port ABC não contabilize\nPort ABC contratação de sucesso\xa0\nespañol ABC\n"
    text = f"English: ABC Category\n{'en ABC agent well connected' * 20}\n{words}"
    assert "contratação" in "".join(extract_text(text.encode("cp1252")).pages)


def test_bytes_that_are_no_text_are_not_read() -> None:
    assert guess_encoding(bytes(range(256)) * 20) is None


def test_a_long_file_with_one_wrong_byte_is_not_weighed_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    weighed: list[bytes] = []
    frequency = text._frequency
    monkeypatch.setattr(text, "_frequency", lambda line, name: weighed.append(line) or frequency(line, name))
    monkeypatch.setattr(text, "_WEIGHED_LINES", 50)
    half = SIMPLIFIED * 300
    read = text.decoded(half.encode("gb18030") + b"\xff\xff\n" + half.encode("gb18030"))
    assert read is not None
    assert read.count(SIMPLIFIED) == 600
    assert len(weighed) < 200


def test_pages_end_at_lines_and_lose_nothing() -> None:
    text = "".join(f"第{number}条 业主大会的决定对全体业主具有约束力。\n" for number in range(2_000))
    found = extract_text(text.encode())
    assert found.page_count == len(found.pages) > 10
    assert max(map(len, found.pages)) <= PAGE_CHARS
    assert "\n".join(found.pages) == text.strip()
    assert all(page.endswith("约束力。") for page in found.pages)


def test_a_line_without_end_is_cut_after_a_full_stop() -> None:
    found = extract_text(("物业服务企业应当妥善保管档案。" * 1_000).encode())
    assert found.page_count == len(found.pages) == 4
    assert all(page.endswith("。") for page in found.pages)


def test_a_slice_of_pages_is_the_same_pages() -> None:
    data = "\x0c".join(f"第{number}页" for number in range(1, 11)).encode()
    found = extract_text(data, 4, 6)
    assert (found.first_page, found.page_count, found.pages) == (4, 10, ("第4页", "第5页", "第6页"))
    assert found.next_page == 7


def test_nothing_harmful_is_left_in_a_text() -> None:
    assert clean("a\x00b\x1b[31mc\u202ed\ud800e\r\nf\x85g\ufffe\x07") == "ab[31mcde\nf\ng"
    assert clean("e\u0301") == "é"
    assert len(clean("长" * 300_000)) == 200_000


def test_a_word_across_two_full_lines_stays_one() -> None:
    assert unwrap("本条例所称物业管理，是指业主通过选聘物\n业服务企业，对物业进行维修养护的活动。\n第二条") == (
        "本条例所称物业管理，是指业主通过选聘物业服务企业，对物业进行维修养护的活动。\n第二条"
    )
    head = "关于做好二〇二五年度电梯维护保养工作的通知\n物管发〔2025〕12号\n各管理处："
    assert unwrap(head) == head, "a document number below a title of full width goes on with no word"


@pytest.mark.samples
def test_every_sample_law_is_read_alike_in_three_encodings() -> None:
    folder = Path(__file__).parents[3] / "shared/samples/laws"
    if not folder.is_dir():
        pytest.skip("no sample laws beside the checkout")
    for path in sorted(folder.rglob("*.md"))[::8]:
        data = path.read_bytes()
        pages = extract_text(data).pages
        for encoding in ("gb18030", "utf-16"):
            assert extract_text(data.decode().encode(encoding)).pages == pages, (path.name, encoding)


def test_of_a_very_large_text_the_beginning_is_read_up_to_the_end_of_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "MOST_BYTES", 1_000)
    line = "物业档案应当妥善保管。\n"
    found = extract_text((line * 100).encode())
    kept = 1_000 // len(line.encode())
    assert (found.pages, found.cut) == (("\n".join([line.strip()] * kept),), True)
    assert not extract_text((line * kept).encode()).cut
