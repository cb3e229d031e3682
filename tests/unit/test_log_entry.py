"""What an entry is made of, and what must never get into it."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from uuid import UUID

import pytest

from archive.log.entry import HEAD_KEYS, check_act, clean, entry_bytes, entry_hash, moment
from archive.log.writer import class_of
from archive.model.log import LogClass, LogResult

ENTRY = SimpleNamespace(
    id=UUID("11111111-1111-4111-8111-111111111111"),
    format=1,
    at=datetime(2026, 3, 5, 4, 0, 0, 7, tzinfo=UTC),
    log_class=LogClass.RECORD,
    act="record.read",
    result=LogResult.DONE,
    actor="陈",
    person_id=UUID("22222222-2222-4222-8222-222222222222"),
    operator=None,
    address="10.0.0.1",
    record_id=UUID("33333333-3333-4333-8333-333333333333"),
    subject_id=None,
    body_owner=UUID("33333333-3333-4333-8333-333333333333"),
    body=b"\x01\x02",
)

WRITTEN = (
    '{"act":"record.read","actor":"陈","address":"10.0.0.1","at":"2026-03-05T04:00:00.000007Z",'
    '"body_owner":"33333333333343338333333333333333","format":1,"id":"11111111111141118111111111111111",'
    '"log_class":"record","operator":null,"person_id":"22222222222242228222222222222222",'
    '"record_id":"33333333333343338333333333333333","result":"done","subject_id":null}'
)


def test_the_bytes_of_format_1_never_change() -> None:
    head = WRITTEN.encode()
    assert entry_bytes(ENTRY) == len(head).to_bytes(4, "big") + head + b"\x00\x00\x00\x02\x01\x02"
    assert entry_hash(ENTRY) == hashlib.sha256(b"\x00" + entry_bytes(ENTRY)).digest()


def test_the_head_has_every_key_in_order() -> None:
    head = entry_bytes(ENTRY)[4 : -2 - 4]
    assert tuple(json.loads(head)) == HEAD_KEYS == tuple(sorted(HEAD_KEYS))


def test_one_moment_is_written_one_way_in_every_zone() -> None:
    noon = datetime(2026, 3, 5, 12, 0, tzinfo=timezone(timedelta(hours=8)))
    assert moment(noon) == "2026-03-05T04:00:00.000000Z"


def test_a_version_of_the_future_is_refused_and_not_guessed() -> None:
    with pytest.raises(ValueError, match="2"):
        entry_bytes(SimpleNamespace(**{**vars(ENTRY), "format": 2}))


@pytest.mark.parametrize(
    "bad", ["chen\nroot record.delete", "a\r\nb", "a\x00b", "a\x1b[31m", "a\u202eb", "a\u2028b", "a\ud800"]
)
def test_a_name_cannot_break_a_line_or_turn_the_text(bad: str) -> None:
    cleaned = clean(bad, 100)
    assert "\ufffd" in cleaned
    assert cleaned.isprintable()


def test_a_name_is_composed_and_cut() -> None:
    assert clean("e\u0301", 100) == "é"
    assert clean("张" * 300, 100) == "张" * 100


@pytest.mark.parametrize("act", ["read", "Record.read", "record.read\n", "record.", "record read", "a." + "b" * 80])
def test_an_act_is_a_noun_and_a_verb(act: str) -> None:
    with pytest.raises(ValueError, match=r"(?s)."):
        check_act(act)


@pytest.mark.parametrize(
    ("act", "log_class"),
    [
        ("record.create", LogClass.RECORD),
        ("file.read", LogClass.RECORD),
        ("search.query", LogClass.USER),
        ("session.begin", LogClass.USER),
        ("person.add", LogClass.USER),
        ("job.retry", LogClass.SYSTEM),
        ("key.erase", LogClass.SYSTEM),
    ],
)
def test_each_act_belongs_to_one_of_the_three_logs(act: str, log_class: LogClass) -> None:
    assert class_of(act) is log_class
