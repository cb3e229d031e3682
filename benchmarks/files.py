"""Files of any kind, from the folder to searchable, each with what became of it. Run: ``juanku bench files FOLDER``.

There is no raw limit: the kinds have none in common. Every file must end with a class: text, no text, or put aside
with a reason; one that failed, or a text that still waits, is a fault. Into a bucket, the same files are put by
``minio``'s own ``put_object`` too, one client, just before and just after. ``--texts N`` makes N texts of 10 to 100 KB
instead, no two alike. ``--steps`` tells what each step takes, in a run that counts it. A server's processor time is
told where it runs on this machine; what others ask of it meanwhile is in it.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

from minio import Minio
from sqlalchemy import select

from archive.model import Content, ContentState, TextState
from benchmarks._common import ROOT, SENTENCES, Ran, archive, juanku, opened, table
from benchmarks._processors import watched
from benchmarks.store import name as free_key

WHERE = ("--category", "WYYZ", "--fonds", "H001")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--texts", type=int, metavar="N", help="make so many small texts instead")
    parser.add_argument("--steps", action="store_true", help="what each step takes, in a run that counts it")
    asked = parser.parse_args()
    if bool(asked.folder) == bool(asked.texts):
        parser.error("name a folder, or --texts")
    with archive() as folder:
        source = asked.folder or made(folder / "texts", asked.texts)
        files = [path for path in source.rglob("*") if path.is_file() and not path.name.startswith(".")]
        spent: dict[str, float] = {}
        raw = [raw_rate(files)]
        with watched(spent):
            ran = steps(source, folder) if asked.steps else imported(source)
        raw.append(raw_rate(files))
        rate = len(files) / ran.wall
        of_raw = []
        if all(raw):
            said = " and ".join(f"{one:.0f}/s" for one in raw)
            of_raw.append(("raw put_object of the same files, before and after", said))
            of_raw.append(("share of raw (at least 15 %)", f"{rate / (sum(raw) / len(raw)):.0%}"))
        table(
            "Files of any kind to searchable",
            [
                ("files, bytes", f"{len(files)}, {sum(path.stat().st_size for path in files):,}"),
                ("import, to searchable", f"{ran.wall:.1f} s, {rate:.1f} files/s"),
                *of_raw,
                ("processor time a file", a_file(ran.cpu, files)),
                *((f"  {server}", a_file(seconds, files)) for server, seconds in spent.items()),
                ("all of it, of both processors' time", f"{(ran.cpu + sum(spent.values())) / ran.wall / 2:.0%}"),
                *became(ran),
            ],
        )


def made(folder: Path, count: int) -> Path:
    """Make texts of 10 to 100 KB: sentences of words of their own, and some that all papers of the trade have."""
    dice = random.Random(7)
    words = ["".join(chr(0x4E00 + dice.randrange(2500)) for _ in range(dice.randint(1, 3))) for _ in range(5_000)]
    folder.mkdir()
    for number in range(count):
        text, size = [f"第{number}号文件"], dice.randint(10_000, 100_000) // 3
        while size > 0:
            own = "".join(dice.choices(words, k=dice.randint(6, 20))) + "。"
            text.append(dice.choice(SENTENCES) if dice.random() < 0.2 else own)
            size -= len(text[-1])
        lines = ("".join(text[at : at + 4]) for at in range(0, len(text), 4))
        (folder / f"{number:05}.txt").write_text("\n".join(lines), "utf-8")
    return folder


def a_file(seconds: float, files: Sequence[Path]) -> str:
    """Return milliseconds a file, in words."""
    return f"{seconds / len(files) * 1000:.1f} ms"


def imported(source: Path) -> Ran:
    """Import as a person does."""
    return juanku("import", str(source), *WHERE, all_well=False)


def steps(source: Path, folder: Path) -> Ran:
    """Import with each step counted, and print what each took."""
    left = Path(tempfile.mkdtemp(dir=folder))
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    words = [sys.executable, "-m", "benchmarks._timed_import", str(left), "import", str(source), *WHERE, "--json"]
    done = subprocess.run(words, cwd=ROOT, check=False, stdout=subprocess.PIPE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    ran = Ran(json.loads(done.stdout), time.perf_counter() - begun, cpu)
    told = [json.loads(each.read_text()) for each in left.glob("*.json")]
    number = len(ran.document["items"])
    seconds, statements, requests = Counter[str](), Counter[str](), Counter[str]()
    for each in told:
        seconds.update(each["seconds"])
        statements.update(each["statements"])
        requests.update(each["requests"])
    seconds["forks, and what they are forked from"] = cpu - sum(seconds.values())  # type: ignore[assignment]
    rows = [
        (step, f"{took / number * 1000:6.2f} ms {statements[step] / number:7.2f} statements")
        for step, took in seconds.most_common()
    ]
    rows += [(f"requests: {what}", f"{count / number:.2f}") for what, count in requests.most_common()]
    table("Of a file, by step", rows)
    return ran


def raw_rate(files: Sequence[Path]) -> float:
    """Return how many of these files the client alone puts into the house's bucket a second; 0: it has none.

    The objects are removed again.
    """
    where = urlsplit(os.environ.get("JUANKU_STORE_URL", ""))
    if not where.hostname:
        return 0.0
    key, secret, bucket = os.environ["JUANKU_STORE_KEY"], os.environ["JUANKU_STORE_SECRET"], where.path.strip("/")
    client = Minio(where.netloc, key, secret, secure=where.scheme.endswith("https"), region="us-east-1")
    data, keys = [path.read_bytes() for path in files], [free_key() for _ in files]
    begun = time.perf_counter()
    made = [client.put_object(bucket, one, BytesIO(of), len(of)) for one, of in zip(keys, data, strict=True)]
    took = time.perf_counter() - begun
    for each in made:
        client.remove_object(bucket, each.object_name, version_id=each.version_id)
    return len(files) / took


def became(ran: Ran) -> list[tuple[str, object]]:
    """Return what became of the files, and how many still wait."""
    classes: Counter[str] = Counter()
    with opened() as parts, parts.db.reading() as session:
        for state, text, reason in session.execute(select(Content.state, Content.text_state, Content.reason)):
            word = state if state is not ContentState.STORED else text
            classes[f"{word.value}: {reason}" if reason else word.value] += 1
    waiting = classes[TextState.PENDING.value] + classes[ContentState.RECEIVING.value]
    told = [(f"  {name}", count) for name, count in classes.most_common()]
    return [*told, ("failed, still waiting", f"{ran.document['failed']}, {waiting}")]


if __name__ == "__main__":
    main()
