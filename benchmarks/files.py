"""Files of any kind, from the folder to searchable, each with what became of it. Run: ``juanku bench files FOLDER``.

There is no raw limit: the kinds have none in common. Every file must end with a class: text, no text, or put aside
with a reason; one that failed, or a text that still waits, is a fault.
"""

import sys
from collections import Counter
from pathlib import Path

from sqlalchemy import select

from archive.model import Content, ContentState, TextState
from benchmarks._common import archive, juanku, opened, table


def main() -> None:
    """Measure and print."""
    with archive():
        source = Path(sys.argv[1])
        files = [path for path in source.rglob("*") if path.is_file() and not path.name.startswith(".")]
        ran = juanku("import", str(source), "--category", "WYYZ", "--fonds", "H001", all_well=False)
        classes: Counter[str] = Counter()
        with opened() as parts, parts.db.reading() as session:
            for state, text, reason in session.execute(select(Content.state, Content.text_state, Content.reason)):
                word = state if state is not ContentState.STORED else text
                classes[f"{word.value}: {reason}" if reason else word.value] += 1
        waiting = classes[TextState.PENDING.value] + classes[ContentState.RECEIVING.value]
        table(
            "Files of any kind to searchable",
            [
                ("files, bytes", f"{len(files)}, {sum(path.stat().st_size for path in files):,}"),
                ("import, to searchable", f"{ran.wall:.1f} s, {len(files) / ran.wall:.1f} files/s"),
                ("processor time a file", f"{ran.cpu / len(files) * 1000:.1f} ms"),
                *((f"  {name}", count) for name, count in classes.most_common()),
                ("failed, still waiting", f"{ran.document['failed']}, {waiting}"),
            ],
        )


if __name__ == "__main__":
    main()
