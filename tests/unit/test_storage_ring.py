"""The key ring: private, whole, proved at opening, and what was destroyed stays destroyed."""

import json
import shutil
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from archive.errors import BrokenSetting, KeyUnavailable
from archive.ids import new_id
from storage import ringfiles
from storage.ring import KeyRing


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def ring(folder: Path) -> KeyRing:
    return KeyRing.create(folder)


def reason(act: Callable[[], object]) -> str:
    with pytest.raises(BrokenSetting) as broken:
        act()
    assert broken.value.facts["variable"] == "JUANKU_KEYS"
    return str(broken.value.facts["reason"])


def test_only_the_owner_may_enter_or_read(ring: KeyRing) -> None:
    ring.add_generation(new_id())
    for path in [ring.folder, *ring.folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_no_generation_key_lies_plain(ring: KeyRing) -> None:
    generation = new_id()
    ring.add_generation(generation)
    key = ring.generation(generation)
    for path in ring.folder.rglob("*.json"):
        assert key not in path.read_bytes()
        assert ringfiles.text(key).encode() not in path.read_bytes()


def test_a_ring_opened_again_has_the_same_keys(ring: KeyRing) -> None:
    generation = new_id()
    ring.add_generation(generation)
    again = KeyRing.open(ring.folder)
    assert again.generation(generation) == ring.generation(generation)
    assert again.generations() == [generation]
    assert again.token("phone", "13800000000") == ring.token("phone", "13800000000")
    assert again.key_id == ring.key_id
    assert again.verify(ring.key_id, b"head", ring.sign(b"head"))


def test_a_ring_is_never_overwritten(ring: KeyRing) -> None:
    assert reason(lambda: KeyRing.create(ring.folder)) == "exists"
    KeyRing.open(ring.folder)


def test_tokens_tell_kinds_apart(ring: KeyRing, tmp_path: Path) -> None:
    assert ring.token("phone", "1") != ring.token("card", "1")
    assert ring.token("phone", "1") != KeyRing.create(tmp_path / "other").token("phone", "1")


def test_a_signature_holds_for_its_bytes_and_key_alone(ring: KeyRing) -> None:
    signature = ring.sign(b"head")
    assert not ring.verify(ring.key_id, b"other", signature)
    assert not ring.verify("unknown", b"head", signature)
    assert list(ring.public_keys()) == [ring.key_id]


def test_what_is_wrong_with_a_ring_is_named(folder: Path) -> None:
    assert reason(lambda: KeyRing.open(folder)) == "missing"
    KeyRing.create(folder)
    folder.chmod(0o750)
    assert reason(lambda: KeyRing.open(folder)) == "permissions"
    folder.chmod(0o700)
    (folder / "root.key").chmod(0o644)
    assert reason(lambda: KeyRing.open(folder)) == "permissions"


@pytest.mark.parametrize("name", ["root.key", "token.json"])
@pytest.mark.parametrize("bytes_left", [b"", b"{", b"[]", b'{"format": 99}', b'{"format": 1}', b"\xff\xfe"])
def test_a_corrupt_file_is_named(ring: KeyRing, name: str, bytes_left: bytes) -> None:
    (ring.folder / name).write_bytes(bytes_left)
    with pytest.raises(BrokenSetting) as broken:
        KeyRing.open(ring.folder)
    assert broken.value.facts["path"].endswith(name)


@pytest.mark.parametrize("pattern", ["root.key", "token.json", "signing-*.json"])
def test_a_missing_file_is_named(ring: KeyRing, pattern: str) -> None:
    next(ring.folder.glob(pattern)).unlink()
    assert reason(lambda: KeyRing.open(ring.folder)) == "missing"


def test_a_generation_of_another_ring_is_refused(ring: KeyRing, tmp_path: Path) -> None:
    generation = new_id()
    other = KeyRing.create(tmp_path / "other")
    other.add_generation(generation)
    name = f"generations/{generation}.json"
    shutil.copy(other.folder / name, ring.folder / name)
    assert reason(lambda: KeyRing.open(ring.folder)) == "root_does_not_open"


def test_a_generation_file_under_anothers_name_is_refused(ring: KeyRing) -> None:
    one, other = new_id(), new_id()
    ring.add_generation(one)
    shutil.copy(ring.folder / f"generations/{one}.json", ring.folder / f"generations/{other}.json")
    assert reason(lambda: ring.generation(other)) == "root_does_not_open"


def test_a_key_that_was_never_there_is_unavailable(ring: KeyRing) -> None:
    with pytest.raises(KeyUnavailable) as missing:
        ring.generation(new_id())
    assert missing.value.facts["reason"] == "missing"


def test_a_destroyed_key_is_gone_for_other_processes_at_once(ring: KeyRing) -> None:
    generation = new_id()
    ring.add_generation(generation)
    worker = KeyRing.open(ring.folder)
    worker.generation(generation)
    ring.destroy_generation(generation)
    ring.destroy_generation(generation)
    for each in (ring, worker, KeyRing.open(ring.folder)):
        with pytest.raises(KeyUnavailable) as gone:
            each.generation(generation)
        assert gone.value.facts["reason"] == "destroyed"
    with pytest.raises(KeyUnavailable):
        ring.add_generation(generation)


def test_a_destroyed_key_that_comes_back_from_a_backup_is_not_used(ring: KeyRing) -> None:
    generation = new_id()
    ring.add_generation(generation)
    path = ring.folder / f"generations/{generation}.json"
    backup = path.read_bytes()
    ring.destroy_generation(generation)
    ringfiles.write(path, backup)
    with pytest.raises(KeyUnavailable):
        ring.generation(generation)
    KeyRing.open(ring.folder)
    assert not path.exists()


def test_a_new_root_opens_everything_the_old_one_did(ring: KeyRing) -> None:
    generation = new_id()
    ring.add_generation(generation)
    worker = KeyRing.open(ring.folder)
    before = (ring.generation(generation), ring.token("phone", "1"), ring.key_id)
    old = (ring.folder / "root.key").read_bytes()
    ring.rotate_root()
    assert (ring.folder / "root.key").read_bytes() != old
    again = KeyRing.open(ring.folder)
    assert (again.generation(generation), again.token("phone", "1"), again.key_id) == before
    assert worker.generation(generation) == before[0]
    assert not (ring.folder / "root.next").exists()
    (ring.folder / "root.key").write_bytes(old)
    assert reason(lambda: KeyRing.open(ring.folder)) == "root_does_not_open"


class Crash(Exception):
    pass


@pytest.fixture
def crash_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the n-th file that the ring writes (from 0) be the last thing it did."""

    def arm(steps: int) -> None:
        real = ringfiles.write
        left = [steps]

        def write(path: Path, data: bytes) -> None:
            real(path, data)
            left[0] -= 1
            if left[0] < 0:
                raise Crash

        monkeypatch.setattr(ringfiles, "write", write)

    return arm


@pytest.mark.parametrize("step", range(6))
def test_a_crash_while_the_root_changes_loses_nothing(
    ring: KeyRing, step: int, crash_at: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    generations = [new_id(), new_id()]
    for each in generations:
        ring.add_generation(each)
    keys = [ring.generation(each) for each in generations]
    with monkeypatch.context():
        crash_at(step)
        try:
            ring.rotate_root()
        except Crash:
            pass
        else:
            assert step > 4, "the change of root writes the new root and four wrapped files"
        monkeypatch.undo()
    after = KeyRing.open(ring.folder)
    assert [after.generation(each) for each in generations] == keys
    assert not (ring.folder / "root.next").exists()
    after.rotate_root()
    assert [KeyRing.open(ring.folder).generation(each) for each in generations] == keys


def test_a_root_change_that_failed_is_finished_before_the_next_one(
    ring: KeyRing, crash_at: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    generation = new_id()
    ring.add_generation(generation)
    key = ring.generation(generation)
    crash_at(2)
    with pytest.raises(Crash):
        ring.rotate_root()
    monkeypatch.undo()
    ring.rotate_root()
    assert KeyRing.open(ring.folder).generation(generation) == key


def test_a_crash_after_the_tombstone_is_finished_at_the_next_start(
    ring: KeyRing, crash_at: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    generation = new_id()
    ring.add_generation(generation)
    crash_at(0)
    with pytest.raises(Crash):
        ring.destroy_generation(generation)
    monkeypatch.undo()
    with pytest.raises(KeyUnavailable):
        KeyRing.open(ring.folder).generation(generation)
    assert not list(ring.folder.glob("generations/*.json"))


def test_a_copy_follows_new_keys_destroyed_keys_and_the_root(ring: KeyRing, tmp_path: Path) -> None:
    copy, kept, gone = tmp_path / "usb" / "keys", new_id(), new_id()
    ring.add_generation(gone)
    ring.refresh_copy(copy)
    assert KeyRing.open(copy).generation(gone) == ring.generation(gone)
    ring.add_generation(kept)
    ring.destroy_generation(gone)
    ring.rotate_root()
    ring.refresh_copy(copy)
    opened = KeyRing.open(copy)
    assert opened.generation(kept) == ring.generation(kept)
    with pytest.raises(KeyUnavailable):
        opened.generation(gone)
    assert not (copy / f"generations/{gone}.json").exists()
    assert json.loads((copy / "root.key").read_text())["id"] == json.loads((ring.folder / "root.key").read_text())["id"]


@pytest.mark.parametrize("step", range(6))
def test_a_crash_while_a_copy_follows_leaves_one_that_opens(
    ring: KeyRing, tmp_path: Path, step: int, crash_at: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, generation = tmp_path / "copy", new_id()
    ring.add_generation(generation)
    ring.refresh_copy(copy)
    ring.rotate_root()
    crash_at(step)
    with suppress(Crash):
        ring.refresh_copy(copy)
    monkeypatch.undo()
    assert KeyRing.open(copy).generation(generation) == ring.generation(generation)


def test_a_tombstone_that_a_copy_has_is_not_written_again(ring: KeyRing, tmp_path: Path) -> None:
    gone = new_id()
    ring.add_generation(gone)
    ring.destroy_generation(gone)
    copy = tmp_path / "copy"
    ring.refresh_copy(copy)
    (stone,) = copy.glob("generations/*.gone")
    before = stone.stat().st_ino
    ring.refresh_copy(copy)
    assert stone.stat().st_ino == before
    assert stat.S_IMODE(copy.stat().st_mode) == 0o700


def test_a_key_that_another_process_destroys_just_now_breaks_no_opening(
    ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    going = new_id()
    ring.add_generation(going)
    path = ring.folder / "generations" / f"{going}.json"
    read = ringfiles.read_json

    def destroyed_meanwhile(asked: Path) -> dict[str, object]:
        if asked == path:
            path.with_suffix(".gone").write_text("{}")
            path.write_bytes(b"overwritten")
        return read(asked)

    monkeypatch.setattr(ringfiles, "read_json", destroyed_meanwhile)
    assert KeyRing.open(ring.folder).is_destroyed(going)


def test_the_ring_itself_is_its_own_copy_and_waits_for_nobody(ring: KeyRing) -> None:
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(ring.refresh_copy, ring.folder / ".").result(timeout=20) is None


def test_another_ring_is_no_copy(ring: KeyRing, tmp_path: Path) -> None:
    other = KeyRing.create(tmp_path / "other")
    assert reason(lambda: ring.refresh_copy(other.folder)) == "another_ring"
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    (shared / "letter.txt").touch()
    assert reason(lambda: ring.refresh_copy(shared)) == "not_empty"
    assert stat.S_IMODE(shared.stat().st_mode) == 0o755, "nobody is shut out"


def test_a_ring_inside_the_data_is_seen_through_links(ring: KeyRing, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    assert not ring.is_inside(home)
    assert ring.is_inside(tmp_path)
    (home / "link").symlink_to(ring.folder)
    linked = KeyRing.open(home / "link")
    assert not linked.is_inside(home)
    inside = KeyRing.create(home / "keys")
    (tmp_path / "elsewhere").symlink_to(home)
    assert inside.is_inside(tmp_path / "elsewhere")
