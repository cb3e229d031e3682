"""What every search engine must keep: writes, removals, versions, and partitions made anew."""

from dataclasses import replace
from uuid import UUID

from archive.policy.condition import has
from indexer.engine import BAD_ENTRY, SearchEngine, Tombstone
from indexer.query.tree import Everything, Words
from tests.factories.engine_house import HOUSE, ask, entry


def versions(engine: SearchEngine, partition: str) -> dict[UUID, int]:
    return {held.id: held.version for held in engine.indexed(partition)}


def test_a_write_takes_the_place_of_the_former_one(engine: SearchEngine) -> None:
    engine.write([entry(1)])
    engine.commit()
    newer = replace(entry(1, version=2), texts={"title": ["竣工图"]})
    engine.write([newer])
    engine.write([newer])
    engine.commit()
    assert [(hit.id, hit.version) for hit in engine.search(ask(Words("竣工"))).hits] == [(newer.id, 2)]
    assert engine.search(ask()).total == 1
    assert versions(engine, "3") == {newer.id: 2}


def test_nothing_written_is_found_before_the_commit(own_house: SearchEngine) -> None:
    own_house.write([entry(500)], [Tombstone(HOUSE[0].id, 2, "3")])
    assert own_house.search(ask()).total == len(HOUSE)
    own_house.commit()
    assert own_house.search(ask(condition=has("record", UUID(int=501)))).total == 1
    assert own_house.search(ask(condition=has("record", HOUSE[0].id))).total == 0


def test_a_tombstone_takes_a_record_out_of_its_partition_only(engine: SearchEngine) -> None:
    engine.write([entry(1), entry(1, "2", 2)], [Tombstone(UUID(int=2), 2, "3"), Tombstone(UUID(int=9), 2, "8")])
    engine.commit()
    answer = engine.search(ask(facets=["level"]))
    assert [(hit.partition, hit.version) for hit in answer.hits] == [("2", 2)]
    assert (answer.total, answer.facets["level"], engine.count("3")) == (1, {"2": 1}, 0)


def test_versions_lists_what_is_found(own_house: SearchEngine) -> None:
    assert sorted(own_house.partitions()) == ["2", "3", "3n"]
    for name in ("2", "3", "3n"):
        assert versions(own_house, name) == {one.id: 1 for one in HOUSE if one.partition == name}
        assert own_house.count(name) == sum(one.partition == name for one in HOUSE)
    assert (list(own_house.indexed("7")), own_house.count("7")) == ([], 0)


def test_what_an_entry_says_is_told_by_its_mark(own_house: SearchEngine) -> None:
    one = entry(44, "2", 1)
    said = {**one.texts, "keywords": ["电梯", "年检"]}
    told = []
    for texts, facts in (
        (said, one.facts),
        (dict(reversed([*said.items()])) | {"keywords": ["年检", "电梯"]}, dict(reversed([*one.facts.items()]))),
        ({**said, "keywords": ["电梯年检"]}, one.facts),
        (said, {**one.facts, "drawn_to": 20240101}),
    ):
        own_house.write([replace(one, texts=texts, facts=facts)])
        own_house.commit()
        told += [held.mark for held in own_house.indexed("2") if held.id == one.id]
    assert len(told) == 4
    assert told[0] == told[1]
    assert len(set(told)) == 3


def test_a_partition_made_anew_takes_its_place_while_searches_go_on(own_house: SearchEngine) -> None:
    with own_house.rebuilding("2") as rebuild:
        rebuild.write([one for one in HOUSE if one.partition == "2"][:5])
        assert own_house.search(ask(Everything(), "2")).total == 20
        own_house.write([entry(44, "2", 7), entry(300, "2")], [Tombstone(UUID(int=42), 2, "2")])
        own_house.commit()
        assert own_house.count("2") == 20
        rebuild.write([one for one in HOUSE if one.partition == "2"][5:10])
        rebuild.finish()
    kept = versions(own_house, "2")
    assert len(kept) == 10
    assert (kept[UUID(int=45)], UUID(int=42) in kept, UUID(int=301) in kept) == (7, False, True)
    assert own_house.search(ask(Everything(), "3")).total == 40


def test_what_is_written_during_a_rebuild_wins_under_the_same_version_too(
    own_house: SearchEngine,
) -> None:
    renamed = replace(entry(44, "2"), codes={"category": ("新名",)})
    with own_house.rebuilding("2") as rebuild:
        own_house.write([renamed])
        rebuild.write([one for one in HOUSE if one.partition == "2"])
        rebuild.finish()
    assert own_house.count("2") == 20
    assert [hit.id for hit in own_house.search(ask(Words("新名", "category"), "2")).hits] == [renamed.id]


def test_a_rebuild_given_up_leaves_the_old_partition(own_house: SearchEngine) -> None:
    with own_house.rebuilding("2") as rebuild:
        rebuild.write([entry(600, "2")])
    assert own_house.count("2") == 20
    own_house.write([entry(601, "2")])
    own_house.commit()
    assert own_house.count("2") == 21


def test_an_entry_without_what_every_entry_has_is_refused_alone(own_house: SearchEngine) -> None:
    assert own_house.write([entry(700), entry(701, fonds=None)]) == {entry(701).id: BAD_ENTRY}
    own_house.commit()
    assert own_house.count("3") == 41
    with own_house.rebuilding("2") as rebuild:
        rebuild.write([entry(40, "2"), entry(41, "2", state=None)])
        assert rebuild.finish() == {entry(41).id: BAD_ENTRY}
    assert own_house.count("2") == 1


def test_a_dropped_partition_is_empty(own_house: SearchEngine) -> None:
    own_house.drop("2")
    own_house.drop("2")
    assert own_house.search(ask()).total == len(HOUSE) - 20
    assert "2" not in own_house.partitions()
