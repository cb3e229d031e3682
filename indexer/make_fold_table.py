"""Makes ``fold_table.txt`` anew: ``python -m indexer.make_fold_table [VERSION]``.

A development tool: it needs OpenCC, which the running product does not. The table says, for each code point *alone*,
what a search makes of it. Phrase conversion is never used: it would turn 檔案 into 文件 and fold 乾坤 unlike 乾.

Sources, in order, closed transitively:

1. traditional to simplified, and OpenCC's extended compatibility forms, each code point alone;
2. Japanese, Taiwan and Hong Kong variants, only where exactly one side of a pair stands in GB 2312, which then wins
   (two everyday characters are never merged by a variant table);
3. the CJK Radicals Supplement, and a few variants that occur in names;
4. variation selectors and other invisible marks, which are dropped.

Code points that NFKC changes have no entry: the fold applies NFKC first.
"""

import hashlib
import sys
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

RADICALS = (
    "⺁厂 ⺂乛 ⺃乚 ⺄乙 ⺅亻 ⺆冂 ⺇几 ⺈刀 ⺉刂 ⺊卜 ⺋㔾 ⺌小 ⺍小 ⺎兀 ⺏尣 ⺐尢 ⺑尢 ⺒巳 ⺓幺 ⺔彑 "
    "⺕彐 ⺖忄 ⺗㣺 ⺘扌 ⺙攵 ⺛旡 ⺜日 ⺝月 ⺞歺 ⺠民 ⺡氵 ⺢氺 ⺣灬 ⺤爫 ⺥爫 ⺦丬 ⺧牛 ⺨犭 ⺩王 ⺪疋 "
    "⺫目 ⺬示 ⺭礻 ⺮竹 ⺯糹 ⺰纟 ⺱罓 ⺲罒 ⺳㓁 ⺴冗 ⺵网 ⺶羊 ⺷羊 ⺸羋 ⺹耂 ⺺肀 ⺻聿 ⺼肉 ⺽臼 ⺾艹 "
    "⺿艹 ⻀艹 ⻁虎 ⻂衤 ⻃覀 ⻄西 ⻅见 ⻆角 ⻇角 ⻈讠 ⻉贝 ⻊足 ⻋车 ⻌辶 ⻍辶 ⻎辶 ⻏阝 ⻐钅 ⻑長 ⻒镸 "
    "⻓长 ⻔门 ⻕阜 ⻖阝 ⻗雨 ⻘青 ⻙韦 ⻚页 ⻛风 ⻜飞 ⻝食 ⻞食 ⻟飠 ⻠饣 ⻡首 ⻢马 ⻣骨 ⻤鬼 ⻥鱼 ⻦鸟 "
    "⻧卤 ⻨麦 ⻩黄 ⻪黾 ⻫斉 ⻬齐 ⻭歯 ⻮齿 ⻯竜 ⻰龙 ⻱龜 ⻲亀 "
)
VARIANTS = "髙高 﨑崎 値值 尙尚 凖准 兪俞 戸户 徳德 逹达 㠯以 𠮷吉 㐂喜 淸清 靑青"
INVISIBLE = (0xAD, 0x34F, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF)
SELECTORS = (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
HAN = (
    *range(0x2E80, 0x2FE0),
    *range(0x3005, 0x3008),
    *range(0x3400, 0xA000),
    *range(0xF900, 0xFB00),
    *range(0x20000, 0x323B0),
)


def make() -> dict[str, str]:
    """The closed table: every value is a fixed point of the whole fold."""
    step = _steps()
    table: dict[str, str] = {}
    for code in HAN:
        character = chr(code)
        folded = _closed(character, step)
        if folded != character and unicodedata.is_normalized("NFKC", character):
            table[character] = folded
    table.update((chr(code), "") for code in (*INVISIBLE, *SELECTORS))
    return table


def write(table: dict[str, str], version: int, path: Path) -> None:
    """Writes the table with a header that names its version, its size and the hash of its rows."""
    rows = "".join(
        f"{ord(key):X} {' '.join(f'{ord(c):X}' for c in value)}".rstrip() + "\n" for key, value in sorted(table.items())
    )
    digest = hashlib.sha256(rows.encode()).hexdigest()
    path.write_text(
        f"# fold table\n# version {version}\n# count {len(table)}\n# sha256 {digest}\n{rows}", encoding="ascii"
    )


def _steps() -> dict[str, str]:
    simplify, compatibility = _simplifier()
    steps = {character: simplify(character) for character in map(chr, HAN)}
    for character in map(chr, HAN):
        if steps[character] == character and not _everyday(character):
            steps[character] = compatibility(character)
    for first, second in _variant_pairs():
        one, other = simplify(first), simplify(second)
        if one != other and _everyday(one) != _everyday(other):
            rare, common = (other, one) if _everyday(one) else (one, other)
            steps[rare] = common
    steps.update((pair[0], pair[1]) for pair in (RADICALS + VARIANTS).split())
    return steps


def _simplifier() -> tuple[Callable[[str], str], Callable[[str], str]]:
    from opencc_pyo3 import OpenCC  # noqa: PLC0415  a development dependency, absent where the product runs

    converter = OpenCC("t2s")
    return converter.convert, converter.normalize_compat_extended


def _variant_pairs() -> Iterable[tuple[str, str]]:
    from opencc_pyo3 import OpenCC  # noqa: PLC0415  as above

    for config in ("jp2t", "tw2t", "hk2t"):
        convert = OpenCC(config).convert
        for character in map(chr, HAN):
            converted = convert(character)
            if converted != character:
                yield character, converted


def _everyday(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _closed(character: str, steps: dict[str, str]) -> str:
    seen = {character}
    text = character
    while True:
        text = unicodedata.normalize("NFKC", text)
        following = "".join(steps.get(c, c) for c in text)
        if following == text:
            return following
        if following in seen:
            raise ValueError(f"the sources run in a circle at {character} {following}")
        seen.add(following)
        text = following


if __name__ == "__main__":
    made = make()
    write(made, int(sys.argv[1]) if len(sys.argv) > 1 else 1, Path(__file__).with_name("fold_table.txt"))
    sys.stdout.write(f"{len(made)}\n")
