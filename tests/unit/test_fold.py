import subprocess
import sys
from pathlib import Path

import pytest

from indexer import make_fold_table
from indexer.fold import FOLD_VERSION, _load, fold, fold_number, fold_with_map

TABLE = Path(make_fold_table.__file__).with_name("fold_table.txt")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("檔案", "档案"),
        ("裡", "里"),
        ("裏", "里"),
        ("著作", "着作"),
        ("乾坤", "干坤"),
        ("髙橋", "高桥"),
        ("﨑", "崎"),
        ("⺠", "民"),
        ("⼈", "人"),
        ("眞", "真"),
        ("沢", "泽"),
        ("峯", "峰"),
        ("ＡＢＣ１", "abc1"),
        ("ｶﾞｽ", "ガス"),
        ("葛\U000e0100", "葛"),
        ("物\u200b业", "物业"),
        ("Straße", "STRASSE"),
        ("㈱", "(株)"),
        ("J\u030c", "ǰ"),
        ("E\u0301", "é"),
    ],
)
def test_what_looks_the_same_meets(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize("line", ["電梯、维修（2024）ＡＢＣ㎡", "Ｅlevator naïve “maintenance” № 5 ", "电梯\ud800維修"])
def test_a_long_text_folds_as_its_lines_do(line: str) -> None:
    assert fold("\n".join([line] * 200)) == "\n".join([fold(line)] * 200)


def test_words_are_never_converted_as_phrases() -> None:
    assert fold("檔案") != fold("文件")
    assert fold("乾")[0] == fold("乾坤")[0]


def test_everyday_simplified_characters_stay_themselves() -> None:
    everyday = [
        bytes([row, cell]).decode("gb2312")
        for row in range(0xB0, 0xF8)
        for cell in range(0xA1, 0xFE)
        if not (row == 0xD7 and cell > 0xF9)
    ]
    moved = {character for character in everyday if fold(character) != character}
    assert len(moved) < 60, sorted(moved)


def test_numbers_meet_whatever_separates_their_parts() -> None:
    forms = {fold_number(form) for form in ("WS·2011-Y", "ws－2011—y", "ＷＳ/2011_Y", " WS. 2011 – y ")}
    assert forms == {"ws-2011-y"}
    assert fold_number("沪房〔2011〕3号") == fold_number("滬房［2011］3號")


def test_every_space_parts_a_number_like_a_dash() -> None:
    spaces = [chr(code) for code in range(0x110000) if chr(code).isspace()]
    assert len(spaces) > 20
    assert {fold_number(f"{space}沪{space}{space}3 ") for space in spaces} == {"沪-3"}


def test_offsets_lead_back_to_the_characters_as_written() -> None:
    text = "㈱日ｶﾞ檔"
    folded, offsets = fold_with_map(text)
    assert folded == "(株)日ガ档"
    assert list(offsets) == [0, 0, 0, 1, 2, 4, 5]


def test_the_table_is_what_the_generator_makes_and_closed() -> None:
    table = make_fold_table.make()
    assert table == _load(TABLE).rows
    assert not {character for value in table.values() for character in value} & set(table)


def test_a_changed_table_is_refused(tmp_path: Path) -> None:
    changed = tmp_path / "fold_table.txt"
    changed.write_text(TABLE.read_text("ascii").replace("\n3469 ", "\n346A ", 1) + "20 21\n", "ascii")
    with pytest.raises(ValueError, match="header"):
        _load(changed)


def test_the_version_names_table_and_unicode() -> None:
    assert FOLD_VERSION.startswith("1-")


def test_folding_needs_no_opencc() -> None:
    code = "import sys; sys.modules['opencc_pyo3'] = None; from indexer.fold import fold; print(fold('檔'))"
    done = subprocess.run([sys.executable, "-X", "utf8", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "档"
