"""Personal numbers in texts are found as people write them, and blotted out."""

import time

import pytest

from archive.personal import PersonalKind, check_card, check_identity, check_phone, find, mask

IDENTITY = "110101199003078515"


@pytest.mark.parametrize(
    ("text", "kind", "normal"),
    [
        (f"身份证号：{IDENTITY}。", "identity", IDENTITY),
        ("440524188001010014", "identity", "440524188001010014"),
        ("11010519491231002X", "identity", "11010519491231002X"),
        ("11010519491231002x号", "identity", "11010519491231002X"),
        ("１１０１０５１９４９１２３１００２Ｘ", "identity", "11010519491231002X"),
        ("110101 19900307 8515", "identity", IDENTITY),
        ("1101011990\n03078515", "identity", IDENTITY),
        ("旧证110101900307851", "identity", IDENTITY),
        ("电话13812345678，", "phone", "13812345678"),
        ("138-1234-5678", "phone", "13812345678"),
        ("+86 138 1234 5678", "phone", "13812345678"),
        ("8613812345678", "phone", "13812345678"),
        ("１３８１２３４５６７８", "phone", "13812345678"),
        ("卡号 4111 1111 1111 1111", "card", "4111111111111111"),
        ("6222021234567890128", "card", "6222021234567890128"),
    ],
)
def test_a_number_is_found_however_it_is_written(text: str, kind: str, normal: str) -> None:
    assert [(found.kind, found.normal) for found in find(text)] == [(kind, normal)]


@pytest.mark.parametrize(
    "text",
    [
        "110101199003078516",  # wrong check digit
        "110101199002318514",  # 31 February
        "991012199003078515",  # no such region
        "档号 2024-0001-0023-0456",
        "金额 0.13812345678 元",
        "1381234567890",
        "12345678901",
        "2024-03-05 2024-03-06",
        "沪房〔2011〕3号 20110305001",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert mask(text) == (text, [])


def test_stored_text_keeps_not_one_digit_of_a_number() -> None:
    masked, numbers = mask(f"业主{IDENTITY}，电话138-1234-5678，2024年。")
    assert masked == "业主******************，电话***-****-****，2024年。"
    assert numbers == [(PersonalKind.IDENTITY, IDENTITY), (PersonalKind.PHONE, "13812345678")]


def test_the_screen_form_keeps_the_ends() -> None:
    assert mask(f"{IDENTITY}；13812345678；4111 1111 1111 1111", keep_ends=True)[0] == (
        "1****************5；138****5678；**** **** **** 1111"
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("110101199003078516", "wrong_check_digit"),
        ("110101199002318515", "bad_date"),
        ("990101199003078515", "bad_region"),
        ("11010119900307851", "bad_length"),
        ("1101011990030785AB", "bad_sign"),
    ],
)
def test_what_is_wrong_with_an_identity_number_is_named(text: str, code: str) -> None:
    with pytest.raises(ValueError, match=code):
        check_identity(text)


@pytest.mark.parametrize(
    ("text", "code"), [("1381234567", "bad_length"), ("12812345678", "bad_prefix"), ("电话", "bad_sign")]
)
def test_what_is_wrong_with_a_phone_is_named(text: str, code: str) -> None:
    with pytest.raises(ValueError, match=code):
        check_phone(text)


def test_right_numbers_come_back_in_their_one_form() -> None:
    assert check_identity(" 11010519491231002x ") == "11010519491231002X"
    assert check_identity("110101900307851") == IDENTITY
    assert check_phone("+86 138-1234-5678") == "13812345678"
    assert check_card("4111 1111 1111 1111") == "4111111111111111"
    with pytest.raises(ValueError, match="wrong_check_digit"):
        check_card("4111 1111 1111 1112")


@pytest.mark.parametrize(
    "unit", ["物业管理条例第十二条，2024年3月5日，编号 2024-0001。", "1 2 3 4 5 6\n", "9", "1234567890 ", "1-"]
)
def test_a_million_signs_take_a_moment(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    begun = time.process_time()
    mask(text)
    assert time.process_time() - begun < 8
