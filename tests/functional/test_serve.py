"""``juanku serve``: one process tree that begins and ends together, and goes on when one of them is killed."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from runtime.fsck import fsck
from tests.factories.archives import Archive, Served, alive, wait_for
from tests.factories.browser import Browser
from tests.integration.test_plain_bytes import a_record

IMPORT = ("--category", "WYYZ", "--fonds", "H001", "--field", "drawn_up=2024-03-05", "--json")


def assert_whole(archive: Archive) -> None:
    """Run what waits, then check every invariant."""
    parts = archive.parts()
    archive.work(parts)
    assert fsck(parts).violations == ()
    archive.close()


def kill(served: Served, name: str) -> int:
    """Kill a child with signal 9 and return the process that takes its place."""
    wait_for(lambda: served.child(name))
    before = served.child(name)
    assert before
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: served.child(name) not in {None, before})
    after = served.child(name)
    assert after
    return after


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_whole_tree(archive: Archive, number: signal.Signals) -> None:
    with archive.served() as served:
        wait_for(lambda: served.child("worker"))
        processes = served.tree()
        assert len(processes) >= 3
        if number is signal.SIGINT:
            os.killpg(served.process.pid, number)  # as a terminal does; the children are in sessions of their own
        else:
            served.process.send_signal(number)
        assert served.process.wait(120) == 0, served.errors.read_text()
        wait_for(lambda: not [pid for pid in processes if alive(pid)])
        assert not served.answers()
    assert_whole(archive)


def test_killing_the_root_ends_its_children(archive: Archive) -> None:
    with archive.served() as served:
        wait_for(lambda: served.child("worker"))
        processes = served.tree()
        served.process.kill()
        served.process.wait()
        wait_for(lambda: not [pid for pid in processes if alive(pid)])
    assert_whole(archive)


def test_a_second_serve_on_the_same_archive_is_refused(archive: Archive) -> None:
    with archive.served() as served:
        second = archive.run("serve", "--port", "0")
        assert second.code == 1
        assert str(archive.home) in second.err
        assert served.answers()


def test_a_taken_port_is_named(archive: Archive) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        answer = archive.run("serve", "--port", str(taken.getsockname()[1]))
    assert answer.code == 1
    assert "JUANKU_PORT" in answer.err
    assert "Traceback" not in answer.err


def test_a_killed_worker_and_a_killed_web_come_back_and_nothing_is_lost(archive: Archive, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.txt").write_text(f"第{number}份 kz{number:03d}x\n" * 50)
    with archive.served() as served:
        begun = subprocess.Popen(
            [sys.executable, "-m", "runtime", "import", str(folder), *IMPORT],
            env=archive.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        kill(served, "worker")
        kill(served, "web")
        wait_for(served.answers)
        out, err = begun.communicate(timeout=180)
        assert begun.returncode == 0, (out.decode(), err.decode())
    assert_whole(archive)
    found = archive.parts().search.search(archive.parts().people.identity_of("archivist"), "kz007x")
    assert found.total == 1


@pytest.mark.parametrize("failpoint", ["intake.object_put", "intake.before_commit"])
def test_a_web_process_that_dies_in_an_upload_leaves_nothing_half_done(archive: Archive, failpoint: str) -> None:
    record = a_record(archive)
    data = b"\x00" + os.urandom(300_000)
    with archive.served({"JUANKU_FAILPOINT": f"{failpoint}:kill"}) as served:
        person = Browser(served).sign_in(archive, "archivist")
        upload = person.json("POST", f"/uploads/begin/{record}", {"name": "a.bin", "size": len(data)})["upload"]
        assert person.ask("PUT", f"/uploads/{upload}/0", data)[0] == 200
        with pytest.raises(ConnectionResetError):  # so is RemoteDisconnected
            person.ask("POST", f"/uploads/{upload}/finish")
    with archive.served() as served:
        person = Browser(served).sign_in(archive, "archivist")
        assert person.json("POST", f"/uploads/{upload}/finish")["size"] == len(data), "the client goes on where it was"
    parts = archive.parts()
    opened = parts.intake.open_file(parts.people.identity_of("archivist"), UUID(upload))
    assert b"".join(opened.reader.read()) == data
    assert_whole(archive)
