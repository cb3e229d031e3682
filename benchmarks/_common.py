"""What the benchmarks share: an archive of their own, the product's commands, and the table they print."""

import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from indexer.engine import SearchRequest
from indexer.query.tree import Words
from runtime.settings import load
from runtime.wiring.parts import NoWaker, Parts, build, settle

ROOT = Path(__file__).parent.parent

TOPICS = (
    "电梯年度检验", "消防设施维护", "绿化养护", "保洁服务质量", "公共收益", "停车管理", "供水水箱清洗", "外墙渗漏维修",
    "装修管理", "入住手续", "能耗统计", "应急演练", "白蚁防治", "食堂卫生", "宿舍检修", "物资采购", "车辆调度",
)  # fmt: skip
SENTENCES = (
    "经现场查验,设备运行正常,各项参数符合要求。",
    "请各管理处于本月底前完成自查,并将结果报办公室备案。",
    "维修人员已于当日到场处理,业主对处理结果表示满意。",
    "本次检查共发现问题三处,已下发整改通知并限期完成。",
    "费用由公共维修资金列支,凭证附后。",
    "以上内容经双方核对无误,签字后生效。",
    "后续由工程部负责跟进,每季度复查一次。",
)


@dataclass(frozen=True)
class Ran:
    """A command that ended: its JSON document, seconds on the clock, seconds of processor time with its children."""

    document: dict[str, Any]
    wall: float
    cpu: float


@contextlib.contextmanager
def archive(size: int | None = None, home: Path | None = None) -> Iterator[Path]:
    """Make a demonstration archive of ``size`` records without files (None: none), or use ``home`` as it stands."""
    folder = Path(tempfile.mkdtemp(prefix="juanku-bench-"))
    chosen = home or folder / "home"
    os.environ |= {"JUANKU_HOME": str(chosen), "JUANKU_KEYS": f"{chosen}.keys"}
    try:
        if not (home and home.exists()):
            juanku("demo", "--no-serve", "--no-files", "--size", str(size or 1))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def juanku(*words: str, all_well: bool = True) -> Ran:
    """Run a command of the product with ``--json`` and wait for it; with ``all_well`` it has to end so."""
    begun, before = time.perf_counter(), _children()
    done = subprocess.run(
        [sys.executable, "-m", "runtime", *words, "--json"], cwd=ROOT, check=all_well, stdout=subprocess.PIPE
    )
    return Ran(json.loads(done.stdout), time.perf_counter() - begun, _children() - before)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextlib.contextmanager
def opened() -> Iterator[Parts]:
    """Open the archive of this benchmark in this process."""
    parts = build(load(), NoWaker())
    settle()
    try:
        yield parts
    finally:
        parts.close()


def found(parts: Parts, phrase: str) -> set[UUID]:
    """Return every record that the engine finds by a phrase, whoever may read it."""
    asked = SearchRequest(Words(phrase), tuple(parts.engine.partitions()), limit=1000)
    return {hit.id for hit in parts.engine.search(asked).hits}


@contextlib.contextmanager
def timed() -> Iterator[list[float]]:
    """Put the seconds that the block took into the list."""
    took: list[float] = []
    begun = time.perf_counter()
    yield took
    took.append(time.perf_counter() - begun)


def spread(seconds: Sequence[float]) -> str:
    """Return p50 / p95 / p99 in milliseconds."""
    ordered = sorted(seconds)
    at = [ordered[min(int(len(ordered) * part), len(ordered) - 1)] * 1000 for part in (0.5, 0.95, 0.99)]
    return " / ".join(f"{one:.1f}" for one in at) + " ms"


def table(title: str, rows: Sequence[tuple[str, object]]) -> None:
    """Print a small table."""
    busy = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    print(f"\n{title}  ({os.cpu_count()} processors, load {busy})")
    for name, value in rows:
        print(f"  {name:<58} {value}")
