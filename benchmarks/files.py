"""Files of any kind, from the folder to searchable, each with what became of it. Run: ``juanku bench files FOLDER``.

There is no raw limit: the kinds have none in common. Every file must end with a class: text, no text, or put aside
with a reason; one that failed, or a text that still waits, is a fault. Into a bucket, the same files are put by
``minio``'s own ``put_object`` too, one client, just before and just after. ``--texts N`` makes N texts of 10 to 100 KB
instead, no two alike: of made-up words, or of lines that stand in FOLDER's texts. ``--steps`` tells what each step
takes, in a run that counts it. A server's processor time is told where it runs on this machine; what others ask of it
meanwhile is in it.
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
from collections.abc import Callable, Sequence
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
    parser.add_argument("--texts", type=int, metavar="N", help="small texts instead, of lines in FOLDER")
    parser.add_argument("--steps", action="store_true", help="what each step takes, in a run that counts it")
    asked = parser.parse_args()
    if not asked.folder and not asked.texts:
        parser.error("name a folder, or --texts")
    with archive() as folder:
        source = made(folder / "texts", asked.texts, asked.folder) if asked.texts else asked.folder
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


def made(folder: Path, count: int, source: Path | None) -> Path:
    """Make texts of 10 to 100 KB, of lines that stand in a source's texts or, without one, of made-up words."""
    dice = random.Random(7)
    one_more = drawn(source, dice) if source else written(dice)
    folder.mkdir()
    for number in range(count):
        text, size = [f"第{number}号文件"], dice.randint(10_000, 100_000) // 3
        while size > 0:
            text.append(one_more())
            size -= len(text[-1])
        (folder / f"{number:05}.txt").write_text("\n".join(text), "utf-8")
    return folder


def drawn(source: Path, dice: random.Random) -> Callable[[], str]:
    """Return what draws a line of a folder's texts: as people write, each taken whole."""
    texts = (path for path in source.rglob("*") if path.suffix in {".txt", ".md"})
    lines = sorted({line.strip() for path in texts for line in path.read_text("utf-8").splitlines() if line.strip()})
    return lambda: dice.choice(lines)


def written(dice: random.Random) -> Callable[[], str]:
    """Return what writes four sentences of made-up words, and of some that all papers of the trade have."""
    words = ["".join(chr(0x4E00 + dice.randrange(2500)) for _ in range(dice.randint(1, 3))) for _ in range(5_000)]

    def sentence() -> str:
        own = "".join(dice.choices(words, k=dice.randint(6, 20))) + "。"
        return dice.choice(SENTENCES) if dice.random() < 0.2 else own

    return lambda: "".join(sentence() for _ in range(4))


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
