"""How a write to Elasticsearch is written down."""

import json
from uuid import UUID

import pytest

pytest.importorskip("elasticsearch")

from indexer.elastic.bulk import operation

KEY = UUID(int=7)


@pytest.mark.parametrize(("unless_same", "kind"), [(True, "external"), (False, "external_gte")])
def test_the_action_names_index_record_and_version(unless_same: bool, kind: str) -> None:
    action = operation("house-3-w", KEY, 12, {}, unless_same=unless_same).action
    told = {"_index": "house-3-w", "_id": KEY.hex, "version": 12, "version_type": kind, "require_alias": True}
    assert json.loads(action) == {"index": told}


@pytest.mark.parametrize("text", ["电梯 ␀ 2024", 'a"b\\c\n\x00', "𠮷", "半\ud842"])
def test_a_document_is_one_line_that_says_the_same(text: str) -> None:
    made = {"title": [text], "version": 2**53, "there": True, "year": None}
    line = operation("a", KEY, 1, made).document
    assert b"\n" not in line
    assert json.loads(line.decode("utf-8", "surrogatepass")) == made
