"""A real MinIO: rights, locks, and what is left when the way to it breaks."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from archive.errors import Conflict, NotFound, StorageFull, Unavailable
from benchmarks._rough_proxy import RoughProxy
from storage.minio.client import Access, client
from storage.minio.objects import LEAST_PART, MinioStore
from storage.minio.setup import may_delete, policies, set_up, set_up_witness, state
from storage.witness import WitnessBucket
from tests.factories import minio_server

NEXT_YEAR = datetime.now(UTC).replace(microsecond=0) + timedelta(days=366)


@pytest.fixture(scope="module")
def access() -> Access:
    return minio_server.needed()


@pytest.fixture(scope="module")
def bucket(access: Access) -> str:
    return minio_server.a_bucket(access)


@pytest.fixture(scope="module")
def people(access: Access, bucket: str) -> dict[str, Access]:
    """One credential for each policy that is printed."""
    return {name: minio_server.a_person(access, policy) for name, policy in policies(bucket).items()}


@pytest.fixture
def store(people: dict[str, Access], bucket: str) -> MinioStore:
    return MinioStore(client(people["everyday"]), client(people["sweeper"]), bucket)


@pytest.fixture
def proxy(access: Access) -> Iterator[RoughProxy]:
    with RoughProxy(access.endpoint) as made:
        yield made


@pytest.fixture
def rough(access: Access, bucket: str, proxy: RoughProxy) -> MinioStore:
    """The store behind the proxy, asked twice at most."""
    made = client(Access(proxy.address, access.key, access.secret, secure=False), tries=2, read_seconds=60.0)
    return MinioStore(made, made, bucket)


def key() -> str:
    return secrets.token_hex(16)


def whole(store: MinioStore, name: str, version: str) -> bytes:
    return b"".join(store.read(name, version))


def versions(store: MinioStore, name: str) -> list[str]:
    return [each.version for each in store.list() if each.key == name]


# Rights


def test_the_printed_policies_are_enough_for_a_whole_day(store: MinioStore) -> None:
    name = key()
    stored = store.put(name, [b"put"])
    upload = store.begin(other := key())
    store.put_piece(other, upload, 0, b"p" * LEAST_PART)
    store.put_piece(other, upload, 1, b"q")
    assert [each.key for each in store.uploads() if each.version == upload] == [other]
    joined = store.finish(other, upload)
    assert whole(store, other, joined.version) == b"p" * LEAST_PART + b"q"
    assert whole(store, name, stored.version) == b"put"
    store.remove(name, stored.version)
    assert store.stat(name, stored.version) is None


def test_the_everyday_credential_deletes_nothing(people: dict[str, Access], store: MinioStore, bucket: str) -> None:
    name = key()
    stored = store.put(name, [b"stays"])
    everyday = client(people["everyday"])
    alone = MinioStore(everyday, everyday, bucket)
    with pytest.raises(Unavailable) as refused:
        alone.remove(name, stored.version)
    assert refused.value.facts["reason"] == "AccessDenied"
    with pytest.raises(Exception, match="AccessDenied"):
        everyday.remove_object(bucket, name)
    assert whole(store, name, stored.version) == b"stays"
    assert not may_delete(everyday, bucket)
    assert may_delete(client(people["sweeper"]), bucket)


def test_who_deletes_without_a_version_hides_nothing_from_us(access: Access, store: MinioStore, bucket: str) -> None:
    name = key()
    stored = store.put(name, [b"stays"])
    client(access).remove_object(bucket, name)
    assert whole(store, name, stored.version) == b"stays"
    assert [each.key for each in store.markers() if each.key == name] == [name]
    assert versions(store, name) == [stored.version]
    with pytest.raises(NotFound):
        store.read(name, next(each.version for each in store.markers() if each.key == name))


def test_a_multipart_that_broke_off_is_found_and_forgotten(
    people: dict[str, Access], store: MinioStore, bucket: str
) -> None:
    name, everyday = key(), client(people["everyday"])
    upload = everyday._create_multipart_upload(bucket, name, {})
    everyday._upload_part(bucket, name, b"x", None, upload, 1)
    assert [each.version for each in store.uploads() if each.key == name] == [upload]
    store.abort(name, upload)
    store.abort(name, upload)
    assert [each for each in store.uploads() if each.key == name] == []


# Locks


def test_a_locked_version_outlives_the_sweeper_and_its_day_only_moves_up(
    store: MinioStore, people: dict[str, Access], bucket: str
) -> None:
    name = key()
    stored = store.put(name, [b"kept"])
    assert store.locked_until(name, stored.version) is None
    store.lock(name, stored.version, NEXT_YEAR)
    store.lock(name, stored.version, NEXT_YEAR - timedelta(days=30))
    assert store.locked_until(name, stored.version) == NEXT_YEAR
    store.lock(name, stored.version, NEXT_YEAR + timedelta(days=30))
    assert store.locked_until(name, stored.version) == NEXT_YEAR + timedelta(days=30)
    with pytest.raises(Conflict):
        store.remove(name, stored.version)
    assert whole(store, name, stored.version) == b"kept"
    destroyer = client(people["destruction"])
    errors = destroyer.remove_objects(bucket, [_version(name, stored.version)], bypass_governance_mode=True)
    assert list(errors) == []
    assert store.stat(name, stored.version) is None


def _version(name: str, version: str) -> object:
    from minio.deleteobjects import DeleteObject

    return DeleteObject(name, version)


def test_nobody_but_destruction_lifts_a_lock(store: MinioStore, people: dict[str, Access], bucket: str) -> None:
    name = key()
    stored = store.put(name, [b"kept"])
    store.lock(name, stored.version, NEXT_YEAR)
    for who in ("everyday", "sweeper"):
        errors = client(people[who]).remove_objects(
            bucket, [_version(name, stored.version)], bypass_governance_mode=True
        )
        assert [error.code for error in errors], who
    assert whole(store, name, stored.version) == b"kept"


def test_a_legal_hold_keeps_a_version_until_it_is_lifted(store: MinioStore) -> None:
    name = key()
    stored = store.put(name, [b"held"])
    assert not store.held(name, stored.version)
    store.hold(name, stored.version, on=True)
    assert store.held(name, stored.version)
    with pytest.raises(Conflict):
        store.remove(name, stored.version)
    store.hold(name, stored.version, on=False)
    store.remove(name, stored.version)
    assert store.stat(name, stored.version) is None


def test_what_is_absent_cannot_be_locked(store: MinioStore) -> None:
    with pytest.raises(NotFound):
        store.lock(key(), "00000000-0000-4000-8000-000000000000", NEXT_YEAR)
    with pytest.raises(NotFound):
        store.held(key(), "00000000-0000-4000-8000-000000000000")


def test_setting_up_twice_changes_nothing(access: Access, bucket: str) -> None:
    first = state(client(access), bucket)
    assert first.versioned
    assert first.locks
    assert set_up(client(access), bucket) == first


# Faults on the way


def test_an_object_whose_answer_was_lost_is_found_and_not_doubled(rough: MinioStore, proxy: RoughProxy) -> None:
    name = key()
    proxy.lost = 1
    stored = rough.put(name, [b"once"])
    assert versions(rough, name) == [stored.version]
    assert whole(rough, name, stored.version) == b"once"


def test_a_piece_whose_answer_was_lost_is_kept_once(rough: MinioStore, proxy: RoughProxy) -> None:
    upload = rough.begin(name := key())
    proxy.lost = 1
    rough.put_piece(name, upload, 0, b"piece")
    assert list(rough.pieces(name, upload)) == [5]
    proxy.lost = 1
    stored = rough.finish(name, upload)
    assert versions(rough, name) == [stored.version]


def test_a_busy_store_is_asked_again(rough: MinioStore, proxy: RoughProxy) -> None:
    name = key()
    proxy.busy = 1
    stored = rough.put(name, [b"patience"])
    proxy.busy = 1
    assert whole(rough, name, stored.version) == b"patience"
    assert versions(rough, name) == [stored.version]


def test_a_store_that_stays_busy_is_told_as_unavailable(rough: MinioStore, proxy: RoughProxy) -> None:
    proxy.busy = 100
    with pytest.raises(Unavailable) as told:
        rough.put(key(), [b"never"])
    assert told.value.facts == {"part": "store", "reason": "SlowDown"}


def test_a_store_that_goes_away_between_pieces_keeps_them(
    rough: MinioStore, store: MinioStore, proxy: RoughProxy
) -> None:
    upload = rough.begin(name := key())
    rough.put_piece(name, upload, 0, b"a" * LEAST_PART)
    proxy.away = True
    with pytest.raises(Unavailable):
        rough.put_piece(name, upload, 1, b"b")
    with pytest.raises(Unavailable):
        rough.read(name, "00000000-0000-4000-8000-000000000000")
    proxy.away = False
    assert list(store.pieces(name, upload)) == [LEAST_PART]
    rough.put_piece(name, upload, 1, b"b")
    stored = rough.finish(name, upload)
    assert whole(store, name, stored.version) == b"a" * LEAST_PART + b"b"
    assert versions(store, name) == [stored.version]
    assert [each for each in store.uploads() if each.key == name] == []


def test_reading_goes_on_behind_a_break(rough: MinioStore, proxy: RoughProxy) -> None:
    data = secrets.token_bytes(300_000)
    stored = rough.put(name := key(), [data])
    proxy.cut = [2_000, 5_000]
    assert whole(rough, name, stored.version) == data
    proxy.cut = [2_000]
    assert b"".join(rough.read(name, stored.version, 1_000, 200_000)) == data[1_000:201_000]
    assert proxy.cut == []


def test_a_long_object_comes_whole_over_a_line_that_breaks_again_and_again(
    rough: MinioStore, proxy: RoughProxy
) -> None:
    data = secrets.token_bytes(1_000_000)
    stored = rough.put(name := key(), [data])
    proxy.every = 100_000  # less than a block
    assert whole(rough, name, stored.version) == data
    assert proxy.requests > 10


def test_a_line_over_which_nothing_comes_is_given_up(rough: MinioStore, proxy: RoughProxy) -> None:
    stored = rough.put(name := key(), [secrets.token_bytes(300_000)])
    proxy.every = 1_000  # not more than the answer's head and a few bytes
    with pytest.raises(Unavailable):
        whole(rough, name, stored.version)


def test_a_full_store_is_told_as_full(access: Access) -> None:
    full = minio_server.a_bucket(access)
    minio_server.administrator(access).bucket_quota_set(full, 1024)
    small = minio_server.a_store(access, full)
    with pytest.raises(StorageFull):
        small.put(key(), [b"x" * 4096])
    assert list(small.list()) == []


def test_no_bucket_and_no_right_are_told_by_name(access: Access) -> None:
    wrong = client(Access(access.endpoint, access.key, "wrong-secret", secure=False))
    with pytest.raises(Unavailable) as told:
        MinioStore(wrong, wrong, "test-none").put(key(), [b"x"])
    assert told.value.facts["reason"] == "SignatureDoesNotMatch"
    right = client(access)
    with pytest.raises(Unavailable) as told:
        MinioStore(right, right, "test-none").put(key(), [b"x"])
    assert told.value.facts["reason"] == "NoSuchBucket"


# The witness


def test_a_witnessed_checkpoint_can_be_taken_away_by_nobody(access: Access) -> None:
    name = f"witness-{secrets.token_hex(6)}"
    set_up_witness(client(access), name)
    person = minio_server.a_person(access, policies("any", name)["witness"])
    outside = WitnessBucket(client(person), name, kept=timedelta(days=1))
    assert outside.told() == 0
    now = datetime.now(UTC)
    for size in (5, 17):
        outside.tell(size, f"line {size}\n".encode(), now)
    assert outside.told() == 17
    root = client(access)
    told = next(iter(root.list_objects(name, "checkpoint/", include_version=True)))
    errors = root.remove_objects(name, [_version(told.object_name, told.version_id)], bypass_governance_mode=True)
    assert [error.code for error in errors]
    root.remove_object(name, told.object_name)  # a mark, which hides it from others
    outside.tell(17, b"another line\n", now + timedelta(seconds=1))
    assert list(outside.lines()) == [b"line 5\n", b"line 17\n"]
