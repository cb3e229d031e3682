"""What an auditor takes along: the register of a period and its part of the log, proved, signed, with its checker."""

import csv
import io
import json
import zipfile
from collections.abc import Collection
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from archive.errors import NotAllowed
from archive.identity import Identity
from archive.log.checkpoints import Signer
from archive.log.proofs import proved
from archive.model import Destruction, LogEntry
from archive.policy.rules import Act
from retention.destroying.means import Means
from retention.destroying.register import Gone, Register

CHECKER = Path(__file__).with_name("check_package.py")
READ_ME = """\
python check_package.py THIS_PACKAGE.zip --key KEY

EN  register.csv, register.json: what was destroyed. log.json: the log's entries on it, each with its way to the signed
    checkpoint. manifest.json: the hash of every file, signed by the house. Compare the key with the one you were given.
简  register.csv、register.json：已销毁的内容。log.json：有关的日志条目，各带到签名检查点的证明路径。
    manifest.json：各文件的哈希，由本单位签名。请把公钥与您另行取得的核对。
繁  register.csv、register.json：已銷毀的內容。log.json：有關的日誌條目，各帶到簽名檢查點的證明路徑。
    manifest.json：各檔案的雜湊，由本單位簽名。請把公鑰與您另行取得的核對。
"""
COLUMNS = (
    "destruction", "position", "fonds", "category", "level_rank", "registration_number", "archive_number", "title",
    "dossier", "volumes", "year", "year_to", "drawn_up", "filed_on", "due", "term", "kept_years", "pages", "files",
    "bytes", "gone_at",
)  # fmt: skip


class Signs(Signer, Protocol):
    """Signs for the house, and tells its public keys."""

    def public_keys(self) -> dict[str, bytes]:
        """Return the raw Ed25519 public keys by id."""
        ...


class Audit:
    """Makes packages for auditors. ``signer`` None: the house signs nothing, and there are none."""

    def __init__(self, means: Means, register: Register, signer: Signs | None) -> None:
        self._means = means
        self._register = register
        self._signer = signer

    def package(self, identity: Identity, since: date, until: date) -> bytes:
        """Return the package of what went from one day to another, both included.

        Raises:
            NotAllowed: they do not audit the log, or the house does not sign.
        """
        means, signer = self._means, self._signer
        with means.guard.refusals(identity), means.db.reading() as session:
            means.guard.require_house(session, identity, Act.VERIFY_LOG)
            lines = self._register.between(session, identity, since, until)
            log, destructions = self._log(session, since, until, {each.row.destruction_id for each in lines})
        if signer is None:
            raise NotAllowed(act=Act.VERIFY_LOG.value)
        rows = [_row(each) for each in lines]
        files = {
            "register.csv": _csv(rows),
            "register.json": _json(rows),
            "destructions.json": _json(destructions),
            "log.json": _json(log),
            "keys.json": _json({name: key.hex() for name, key in signer.public_keys().items()}),
            "check_package.py": CHECKER.read_bytes(),
            "README.txt": READ_ME.encode(),
        }
        manifest = _json(
            {
                "kind": "juanku-destructions", "format": 1, "since": since, "until": until, "key_id": signer.key_id,
                "files": {name: sha256(data).hexdigest() for name, data in files.items()},
            }
        )  # fmt: skip
        body = {"since": str(since), "until": str(until), "rows": len(rows), "sha256": sha256(manifest).hexdigest()}
        with means.db.writing() as work:
            means.log.note(work.session, identity, "destruction.export", body=body)
            work.commit()
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as package:
            for name, data in files.items():
                package.writestr(name, data)
            package.writestr("manifest.json", manifest)
            package.writestr("manifest.sig", signer.sign(manifest).hex())
        return made.getvalue()

    def _log(
        self, session: Session, since: date, until: date, named: Collection[UUID]
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return the entries and facts of destructions that ended in a period, and of those that its lines name."""
        guard = self._means.guard
        begins, ends = guard.start_of(since), guard.start_of(until + timedelta(days=1))
        rows = session.scalars(
            select(Destruction)
            .where(or_(Destruction.id.in_(named), and_(Destruction.gone_at >= begins, Destruction.gone_at < ends)))
            .order_by(Destruction.number)
        ).all()
        about = select(LogEntry).where(LogEntry.subject_id.in_([each.id for each in rows])).order_by(LogEntry.at)
        entries = session.scalars(about).all()
        log = proved(session, entries)
        for told, says in zip(log["entries"], self._means.log.opened_many(session, entries), strict=True):
            told["says"] = says
        destructions = [
            {
                "id": each.id, "number": each.number, "state": each.state.value, "method": each.method.value,
                "digest": each.digest, "run_at": each.run_at, "gone_at": each.gone_at, "closed_at": each.closed_at,
            }
            for each in rows
        ]  # fmt: skip
        return log, destructions


def _row(each: Gone) -> dict[str, Any]:
    own = {"destruction": each.number, "title": each.title, "gone_at": each.gone_at}
    return {name: own[name] if name in own else getattr(each.row, name) for name in COLUMNS}


def _csv(rows: list[dict[str, Any]]) -> bytes:
    made = io.StringIO()
    writer = csv.DictWriter(made, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return ("\ufeff" + made.getvalue()).encode()


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, default=str).encode()
