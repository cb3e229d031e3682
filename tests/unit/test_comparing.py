"""Texts that are nearly the same meet, others do not, and nothing of it stays when a file goes."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest
from rensa import RMinHash
from sqlalchemy import delete, event, func, select

from archive.files.deciding import FileService
from archive.files.rereading import Rereading
from archive.identity import system
from archive.jobs.outbox import Outbox
from archive.jobs.runner import JobRunner
from archive.log.writer import Log
from archive.model import AlikeRecord, AlikeText, Likeness, LikenessBand, PageText
from archive.policy.guard import Guard
from indexer import comparing, pagetext
from indexer.comparing import CompareTexts
from indexer.extraction import ExtractContents
from indexer.identify import MagicDetector
from indexer.likeness import TOLD_FROM, Signature, signature
from indexer.pagetext import page
from indexer.settling import READING
from storage.objects import FileStore
from tests.factories.databases import a_database
from tests.factories.lent import LentExtractor
from tests.factories.records import a_category, a_fonds, a_house
from tests.factories.stored import stored
from tests.fakes.clock import START, FixedClock
from tests.fakes.vault import MemoryVault

TRADE = (
    "本合同由甲方委托乙方对本物业项目提供物业服务。",
    "乙方应当按照约定的标准维修养护共用部位和共用设施设备。",
    "电梯应当每十五日维护保养一次，并做好记录。",
    "业主应当按时交纳物业服务费用，逾期按约定支付违约金。",
    "消防设施每月检查一次，发现隐患立即整改。",
    "绿化养护由乙方指定的人员负责，每季度修剪一次。",
    "停车位按照先到先得的原则分配，收费标准另行公示。",
    "公共区域的清洁每日不少于两次，垃圾日产日清。",
    "装修须提前申报，施工时间为上午八时至下午六时。",
    "公共收益归全体业主所有，每半年公布一次账目。",
    "保安人员二十四小时值守，外来车辆登记后放行。",
    "本通知自发布之日起执行，解释权归管理处。",
)


def a_text(dice: random.Random, sentences: int = 60) -> str:
    """Return a text of the trade: a few sentences that all papers have, and many of its own."""
    words = [chr(0x4E00 + dice.randrange(2500)) for _ in range(900)]
    own = ["".join(dice.choices(words, k=dice.randint(12, 30))) + "。" for _ in range(sentences)]
    mixed = own + dice.choices(TRADE, k=sentences // 4)
    dice.shuffle(mixed)
    return "".join(mixed)


def edited(dice: random.Random, text: str) -> str:
    """Return a text with 5 % of its characters written anew, in four places."""
    characters = list(text)
    run = len(text) // 80
    for part in range(4):
        start = dice.randrange(part * len(text) // 4, (part + 1) * len(text) // 4 - run)
        characters[start : start + run] = [chr(0x4E00 + dice.randrange(2500)) for _ in range(run)]
    return "".join(characters)


def misread(dice: random.Random, text: str) -> str:
    """Return a text as a poor scan is read: 2 % of its characters are others, wherever it falls."""
    characters = list(text)
    for at in dice.sample(range(len(text)), len(text) // 50):
        characters[at] = chr(0x4E00 + dice.randrange(2500))
    return "".join(characters)


def sign(text: str) -> Signature:
    made = signature([page(1, text)])
    assert made is not None
    return made


def meet(one: Signature, other: Signature) -> bool:
    vault = MemoryVault()
    return bool(set(one.bands(vault)) & set(other.bands(vault))) and one.percent(other) >= TOLD_FROM


@pytest.mark.parametrize("changed", [edited, misread])
def test_ninety_nine_of_a_hundred_texts_are_found_when_edited_or_read_badly(
    changed: Callable[[random.Random, str], str],
) -> None:
    dice = random.Random(7)
    texts = [a_text(dice) for _ in range(200)]
    found = sum(meet(sign(text), sign(changed(dice, text))) for text in texts)
    assert found >= 198


def test_of_more_than_a_thousand_pairs_of_unrelated_papers_of_one_trade_none_meets() -> None:
    dice = random.Random(11)
    signed = [sign(a_text(dice)) for _ in range(50)]
    assert sum(meet(a, b) for at, a in enumerate(signed) for b in signed[:at]) == 0


def test_white_space_and_the_cut_into_pages_make_no_other_text() -> None:
    text = a_text(random.Random(3))
    whole, cut = sign(text), signature([page(1, text[:501] + "\n "), page(2, "  " + text[501:])])
    assert cut == whole


def test_a_signature_is_of_the_set_of_shingles() -> None:
    text = page(1, "".join(TRADE) * 40).folded
    kept = RMinHash(num_perm=256, seed=1)
    kept.update({text[at : at + 3] for at in range(len(text) - 2)})
    made = signature([page(1, text)])
    assert made is not None
    assert made.values == tuple(kept.digest()), "what is kept of texts that came in before would meet none that come"


def test_a_short_text_has_no_likeness() -> None:
    assert signature([page(1, "关于电梯维修的通知" * 20)]) is None


def test_a_text_of_many_blocks_is_signed_as_in_one() -> None:
    text = a_text(random.Random(5), 2_400)
    assert len(text) > 50_000
    pages = [page(at, text[start : start + 700]) for at, start in enumerate(range(0, len(text), 700), 1)]
    assert signature(pages) == sign(text)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SimpleNamespace]:
    clock = FixedClock()
    db, vault, store = a_database(tmp_path), MemoryVault(), FileStore(tmp_path / "objects")
    waker = SimpleNamespace(wake=lambda *_: None)
    outbox, extractor = Outbox(clock, waker), LentExtractor(parallel=1)
    with db.writing() as work:
        a_house(work.session)
        category = a_category(work.session, a_fonds(work.session))
        work.commit()
    log = Log(vault, clock)
    guard = Guard(db, log, clock, "Asia/Shanghai")
    again = Rereading(db, guard, log, outbox, clock, READING, ocr=True)
    reading = ExtractContents(db, vault, store, outbox, extractor, MagicDetector(), START.date)
    handlers = [again, reading, CompareTexts(db, vault)]
    yield SimpleNamespace(
        db=db, vault=vault, store=store, outbox=outbox, category=category,
        clock=clock, again=again, reading=reading,
        run=lambda: JobRunner(db, clock, handlers).drain(), files=FileService(db, guard, store, log, outbox),
    )  # fmt: skip
    extractor.close()
    db.close()


def pairs(house: SimpleNamespace) -> set[tuple[UUID, UUID, int, bool]]:
    with house.db.reading() as session:
        rows = session.execute(select(AlikeText.content_id, AlikeText.other_id, AlikeText.percent, AlikeText.same))
        return {tuple(row) for row in rows}


def test_what_is_read_meets_what_was_read_before_and_goes_with_its_file(house: SimpleNamespace) -> None:
    dice = random.Random(1)
    text = a_text(dice)
    first = stored(house, text.encode())
    house.run()
    same, near, other = (stored(house, each.encode()) for each in (text + "\n", edited(dice, text), a_text(dice)))
    house.run()
    found = pairs(house)
    assert {(a, b) for a, b, _, _ in found} == {(a, b) for a in (first, same, near) for b in (first, same, near)} - {
        (each, each) for each in (first, same, near)
    }
    assert {(a, b) for a, b, percent, equal in found if equal and percent == 100} == {(first, same), (same, first)}
    assert all(TOLD_FROM <= percent < 100 for _, _, percent, equal in found if not equal)
    house.files.take_off(system("test"), first, "放错了")
    assert {frozenset(pair[:2]) for pair in pairs(house)} == {frozenset((same, near))}
    with house.db.reading() as session:
        assert set(session.scalars(select(Likeness.content_id))) == {same, near, other}
        assert session.scalar(select(func.count()).where(LikenessBand.content_id == first)) == 0


@pytest.mark.postgres
@pytest.mark.parametrize(("looked_at", "asked"), [(2_000, 2), (1, 5)])
def test_only_a_text_that_shares_a_band_is_asked_about_or_all_where_bands_are_shared_by_many(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, looked_at: int, asked: int
) -> None:
    monkeypatch.setattr(comparing, "_LOOKED_AT", looked_at)
    dice = random.Random(9)
    text = a_text(dice)
    texts = [text, a_text(dice), edited(dice, text), a_text(dice), a_text(dice)]
    one, _, near, *_ = [stored(house, each.encode()) for each in texts]
    said: list[str] = []
    event.listen(house.db.engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    house.run()
    assert {(a, b) for a, b, _, _ in pairs(house)} == {(one, near), (near, one)}
    assert sum("likeness.sealed" in each and "ORDER BY" in each for each in said) == asked
    with house.db.reading() as session:
        kept = session.scalar(select(func.count()).select_from(LikenessBand))
    assert kept is not None
    assert kept > 5 * 20, "each of them has its bands"


def test_comparing_again_finds_the_same_once(house: SimpleNamespace) -> None:
    text = a_text(random.Random(2))
    one, _ = stored(house, text.encode()), stored(house, text.encode())
    house.run()
    before = pairs(house)
    with house.db.writing() as work:
        house.outbox.add(work, CompareTexts.kind, one)
        work.commit()
    house.run()
    assert len(before) == 2
    assert pairs(house) == before


def test_the_database_holds_no_value_that_the_text_alone_gives(house: SimpleNamespace) -> None:
    text = a_text(random.Random(4))
    content = stored(house, text.encode())
    house.run()
    with house.db.reading() as session:
        sealed = session.get_one(Likeness, content).sealed
        bands = set(session.scalars(select(LikenessBand.value)))
    made = sign(text)
    assert len(bands) > 20
    assert made.digest not in sealed
    assert made.packed()[40:80] not in sealed
    other_house = SimpleNamespace(token=lambda kind, value: f"{hash((kind, value)) & (2**128 - 1):032x}")
    assert not bands & set(made.bands(other_house))  # type: ignore[arg-type]  # only its tokens are asked for


def test_reading_again_compares_what_came_in_before_there_were_likenesses(house: SimpleNamespace) -> None:
    text = a_text(random.Random(6))
    both = {stored(house, text.encode()) for _ in range(2)}
    house.run()
    with house.db.writing() as work:
        for table in (AlikeRecord, AlikeText, LikenessBand, Likeness):
            work.session.execute(delete(table))
        work.commit()
    house.clock.move(seconds=60)
    house.again.ask(system("test"), {"text": "text"})
    house.run()
    assert {(a, b) for a, b, _, same in pairs(house) if same} == {(a, b) for a in both for b in both if a != b}
    with house.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(AlikeRecord)) == 1


def test_a_pair_of_records_ends_with_the_file_that_made_it(house: SimpleNamespace) -> None:
    dice = random.Random(8)
    text = a_text(dice)
    _, other = stored(house, text.encode()), stored(house, edited(dice, text).encode())
    house.run()
    with house.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(AlikeRecord)) == 1
    house.files.take_off(system("test"), other, "放错了")
    with house.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(AlikeRecord)) == 0


@pytest.mark.parametrize(("most", "questions"), [(4_000_000, 2), (1, 5)])
def test_the_texts_of_a_batch_are_asked_for_together_as_far_as_memory_reaches(
    house: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, most: int, questions: int
) -> None:
    monkeypatch.setattr(pagetext, "_PORTION_BYTES", most)
    dice = random.Random(7)
    text = a_text(dice)
    one, same, *_ = [stored(house, each.encode()) for each in (text, text, a_text(dice), a_text(dice), "\x00" * 400)]
    JobRunner(house.db, house.clock, [house.reading]).drain()
    asked: list[str] = []
    event.listen(house.db.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    house.run()
    assert {(a, b) for a, b, _, _ in pairs(house)} == {(one, same), (same, one)}
    assert len([each for each in asked if "FROM page_text" in each]) == questions


def test_what_has_no_text_any_more_has_no_likeness(house: SimpleNamespace) -> None:
    content = stored(house, a_text(random.Random(8)).encode())
    house.run()
    with house.db.writing() as work:
        assert work.session.get(Likeness, content)
        work.session.execute(delete(PageText).where(PageText.content_id == content))
        house.outbox.add(work, CompareTexts.kind, content)
        work.commit()
    house.run()
    with house.db.reading() as session:
        assert session.get(Likeness, content) is None
