"""One large file through the web's upload in pieces. Run: ``juanku bench upload [--size MB]``.

The raw limit is the sum of its parts, each measured alone: the bare web server taking the same pieces and dropping
them, SHA-256 twice, AES-GCM, and a write with fsync after each piece.
"""

import argparse
import hashlib
import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select

from archive.cataloguing.describing import Draft
from archive.identity import system
from archive.model import Category, Fonds
from archive.ports import PIECE_BYTES
from benchmarks._common import archive, opened, table, timed
from benchmarks.serving import free_port, memory, named, served, tree
from runtime.demo.people import PEOPLE

BARE = """
import sys, waitress
def app(environ, start):
    environ["wsgi.input"].read()
    start("200 OK", [("Content-Length", "2")])
    return [b"ok"]
waitress.serve(app, host="127.0.0.1", port=int(sys.argv[1]), threads=8, inbuf_overflow=16 << 20, _quiet=True)
"""
RAW_MB = 256


class Browser:
    """A signed-in person over one connection."""

    def __init__(self, address: str) -> None:
        self._line = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)
        self._cookies: dict[str, str] = {}
        self.token = ""

    def ask(self, method: str, path: str, body: bytes | None = None, kind: str = "application/json") -> bytes:
        """Return the body of a reply; an error ends the benchmark."""
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self._cookies.items()), "Accept": "application/json"}
        headers |= {"X-CSRFToken": self.token, "Content-Type": kind}
        self._line.request(method, path, body, headers)
        reply = self._line.getresponse()
        data = reply.read()
        for cookie in reply.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.split(";")[0].partition("=")
            self._cookies[name] = value
        if reply.status >= 400:
            raise SystemExit(f"{method} {path}: {reply.status} {data[:300]!r}")
        return data

    def _take_token(self, path: str) -> None:
        found = re.search(rb'name="csrf_token"[^>]*value="([^"]+)"', self.ask("GET", path))
        self.token = found[1].decode() if found else ""

    def sign_in(self, login: str, password: str) -> None:
        """Sign in as a person does, and take the token of a page."""
        self._take_token("/sign-in")
        form = {"csrf_token": self.token, "login": login, "password": password, "next": "/"}
        self.ask("POST", "/sign-in", urlencode(form).encode(), "application/x-www-form-urlencoded")
        self._take_token("/")


def upload(browser: Browser, record: str, size: int, piece: bytes) -> None:
    """Send a file of ``size`` bytes."""
    begin = json.loads(
        browser.ask("POST", f"/uploads/begin/{record}", json.dumps({"name": "大文件.bin", "size": size}).encode())
    )
    for number in range(-(-size // PIECE_BYTES)):
        part = piece[: min(PIECE_BYTES, size - number * PIECE_BYTES)]
        browser.ask("PUT", f"/uploads/{begin['upload']}/{number}", part, "application/octet-stream")
    browser.ask("POST", f"/uploads/{begin['upload']}/finish", b"{}")


def bare_server(pieces: int, piece: bytes) -> float:
    """Return the seconds in which a bare server takes so many pieces."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", BARE, str(port)])
    try:
        line = http.client.HTTPConnection(f"127.0.0.1:{port}", timeout=60)
        while True:
            try:
                line.connect()
                break
            except OSError:
                time.sleep(0.05)
        with timed() as took:
            for _ in range(pieces):
                line.request("PUT", "/", piece)
                line.getresponse().read()
        return took[0]
    finally:
        process.kill()
        process.wait()


def parts_alone(folder: Path, pieces: int, piece: bytes) -> dict[str, float]:
    """Return the seconds of each part alone."""
    cipher, nonce = AESGCM(os.urandom(32)), os.urandom(12)
    target = os.open(folder / "raw", os.O_WRONLY | os.O_CREAT, 0o600)

    def write() -> None:
        os.write(target, piece)
        os.fsync(target)

    acts: dict[str, Callable[[], Any]] = {
        "SHA-256, twice": lambda: (hashlib.sha256(piece).digest(), hashlib.sha256(piece).digest()),
        "AES-GCM": lambda: cipher.encrypt(nonce, piece, None),
        "write and fsync": write,
    }
    seconds = {"bare web server": bare_server(pieces, piece)}
    for name, act in acts.items():
        with timed() as took:
            for _ in range(pieces):
                act()
        seconds[name] = took[0]
    os.close(target)
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=512, help="MB")
    asked = parser.parse_args()
    size, piece = asked.size * 1024 * 1024, os.urandom(PIECE_BYTES)
    with archive(20) as folder:
        with opened() as parts:
            with parts.db.reading() as session:
                query = select(Category).join(Fonds, Fonds.id == Category.fonds_id)
                category = session.scalars(query.where(Category.code == "WYYZ", Fonds.code == "H001")).one()
            draft = Draft(category.fonds_id, category.id, "大文件", drawn_up="2024", level_rank=1)
            record, warm = (str(parts.records.create(system("bench"), draft)) for _ in range(2))
        pieces = RAW_MB * 1024 * 1024 // PIECE_BYTES
        alone = {name: took * asked.size / RAW_MB for name, took in parts_alone(folder, pieces, piece).items()}
        with served() as (address, pid, _):
            web = next(each for each in tree(pid) if named(each) == "runtime.processes.web")
            browser = Browser(address)
            person = next(one for one in PEOPLE if one.login == "archivist")
            browser.sign_in(person.login, person.password)
            upload(browser, warm, 3 * PIECE_BYTES, piece)
            before, most, done = memory(web, "Rss"), 0.0, threading.Event()

            def watch() -> None:
                nonlocal most
                while not done.wait(0.1):
                    most = max(most, memory(web, "Rss"))

            watcher = threading.Thread(target=watch)
            watcher.start()
            with timed() as took:
                upload(browser, record, size, piece)
            done.set()
            watcher.join()
        raw = sum(alone.values())
        table(
            f"Upload of {asked.size} MB in pieces of 8 MiB",
            [
                *[(f"raw: {name}", f"{seconds:.1f} s") for name, seconds in alone.items()],
                ("raw, all", f"{raw:.1f} s, {asked.size / raw:.0f} MB/s"),
                ("upload, to the end of finish", f"{took[0]:.1f} s, {asked.size / took[0]:.0f} MB/s"),
                ("share of the raw speed (at least 50 %)", f"{raw / took[0]:.0%}"),
                (
                    "web process before, at most, grown by (at most 64 MB)",
                    f"{before:.0f}, {most:.0f}, {most - before:+.0f} MB",
                ),
            ],
        )


if __name__ == "__main__":
    main()
