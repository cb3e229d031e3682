"""Fifty people at the pages of a served house. Run: ``juanku bench people [--people N] [--minutes M] [--records N]``.

Each signs in as someone of the demonstration, thinks 5 to 15 seconds, and does something: 50 % search, 30 % open a
record, 15 % list a category, 5 % bring a file in and file its record, until its words are found. The house is
``juanku serve`` on the servers that ``JUANKU_DATABASE_URL`` and the like name (they must be empty), else embedded.
At the end each record that was filed is looked for once more by number and words. An error ends it with code 1.
"""

import argparse
import json
import random
import re
import sys
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener
from uuid import uuid4

from benchmarks._common import TOPICS, archive, juanku, spread, table
from benchmarks.serving import served
from runtime.demo.people import PEOPLE

READERS = ("archivist", "clerk", "staff", "manager", "resident", "director")
THINK = (5.0, 15.0)
STALE = 412
PATIENCE = 30.0
"""Seconds after which a file that is not found counts as an error."""


@dataclass
class Seen:
    """What all of them met."""

    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)
    filed: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, seconds: float) -> None:
        """Note how long something took."""
        with self.lock:
            self.took[what].append(seconds)


class Person:
    """Someone with a browser of their own, and a program's token for what they bring in."""

    def __init__(self, url: str, login: str, seed: int, seen: Seen, token: str, under: dict[str, str]) -> None:
        self._url, self._login, self._seen, self._token, self._under = url, login, seen, token, under
        self._pick = random.Random(seed)
        self._browser = build_opener(HTTPCookieProcessor(CookieJar()))
        self._records: list[str] = []
        self._lists: list[str] = []

    def begin(self) -> None:
        """Sign in and look around."""
        page = self._page("/sign-in")
        token = page.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]
        password = next(each.password for each in PEOPLE if each.login == self._login)
        self._page("/sign-in", {"login": self._login, "password": password, "csrf_token": token})
        self._lists = re.findall(r'href="(/browse/categories/[^"?]+)"', self._page("/browse"))

    def live(self, until: float) -> None:
        """Think and act until then."""
        while time.monotonic() + THINK[0] < until:
            time.sleep(self._pick.uniform(*THINK))
            try:
                self._act()
            except Exception as error:  # noqa: BLE001  (whatever goes wrong is what is counted here)
                self._seen.wrong.append(f"{self._login}: {type(error).__name__}: {error}"[:200])

    def _act(self) -> None:
        at = self._pick.random()
        if at < 0.05:
            self._bring_in()
        elif at < 0.20 and self._lists:
            self._timed("list", self._pick.choice(self._lists))
        elif at < 0.50 and self._records:
            self._timed("read", self._pick.choice(self._records))
        else:
            page = self._timed("search", f"/search?q={quote(self._pick.choice(TOPICS)[:2])}")
            self._records = re.findall(r'href="(/records/[0-9a-f-]{36})', page) or self._records

    def _timed(self, what: str, path: str) -> str:
        begun = time.perf_counter()
        page = self._page(path)
        self._seen.note(what, time.perf_counter() - begun)
        return page

    def _page(self, path: str, form: dict[str, str] | None = None) -> str:
        data = urlencode(form).encode() if form else None
        with self._browser.open(Request(self._url + path, data), timeout=60) as reply:  # noqa: S310 (our own address)
            return str(reply.read().decode())

    def _bring_in(self) -> None:
        word = f"kw{uuid4().hex[:12]}"
        begun = time.perf_counter()
        draft = {**self._under, "title": f"验收单{word}", "drawn_up": "2026-03-05", "level": 1}
        record = self._asked("POST", "/records", json.dumps(draft).encode())["record"]
        self._asked("POST", f"/records/{record}/files?name=a.txt", f"编号{word}，经核对无误。".encode() * 200)
        number = None
        while number is None:  # a worker that reads the file may be faster than its reader
            version = self._asked("GET", f"/records/{record}")["version"]
            number = self._asked("POST", f"/records/{record}/file", If_Match=f'"{version}"').get("number")
        filed = time.perf_counter()
        self._seen.note("write: catalogue, file, number (4 requests)", filed - begun)
        with self._seen.lock:
            self._seen.filed[word] = number
        while not self.finds(word):
            if time.perf_counter() - filed > PATIENCE:
                self._seen.wrong.append(f"{number} is not found after {PATIENCE:.0f} s")
                return
            time.sleep(0.1)
        self._seen.note("index lag", time.perf_counter() - filed)

    def finds(self, word: str) -> bool:
        """Whether the word leads to its one record."""
        return bool(self._asked("GET", f"/search?q={word}")["total"] == 1)

    def _asked(self, method: str, path: str, data: bytes | None = None, **more: str) -> dict[str, Any]:
        kind = "application/json" if data is None or data.startswith(b"{") else "application/octet-stream"
        head = {"Authorization": f"Bearer {self._token}", "Content-Type": kind, "Idempotency-Key": uuid4().hex}
        head |= {name.replace("_", "-"): value for name, value in more.items()}
        made = Request(f"{self._url}/api/v1{path}", data, head, method=method)  # noqa: S310 (our own address)
        try:
            with self._browser.open(made, timeout=60) as reply:
                return dict(json.load(reply))
        except HTTPError as error:
            if error.code == STALE:
                return {}
            raise RuntimeError(f"{method} {path[:12]}: {error.code} {error.read()[:120]!r}") from None


def main() -> int:
    """Let them work, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--records", type=int, default=2_000)
    asked = parser.parse_args()
    with archive(asked.records):
        token = juanku("user", "token", "archivist", "--name", "bench", "--write").document["token"]
        with served() as (url, _pid, _start):
            seen = Seen()
            under = {"fonds": "H001", "category": "WYH"}
            people = [
                Person(url, READERS[number % len(READERS)], number, seen, token, under)
                for number in range(asked.people)
            ]
            for each in people:
                each.begin()
            begun = time.monotonic()
            until = begun + asked.minutes * 60
            threads = [threading.Thread(target=each.live, args=(until,)) for each in people]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            lasted = time.monotonic() - begun
            missing = [number for word, number in seen.filed.items() if not people[0].finds(word)]
    pages = [each for name in ("search", "read", "list") for each in seen.took[name]]
    table(
        f"{asked.people} people, {asked.minutes:g} minutes, {asked.records} records",
        [
            ("pages, p50 / p95 / p99 (p95 at most 500 ms)", spread(pages)),
            *[(f"  {name}", f"{len(took)}: {spread(took)}") for name, took in sorted(seen.took.items())],
            ("requests for pages", f"{len(pages) / lasted:.1f} a second"),
            ("filed, of them not found at the end", f"{len(seen.filed)}, {len(missing)}"),
            ("errors", len(seen.wrong)),
            *[(f"  {each}", "") for each in seen.wrong[:5]],
        ],
    )
    return 1 if seen.wrong or missing else 0


if __name__ == "__main__":
    sys.exit(main())
