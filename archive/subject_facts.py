"""What is read of subjects: their kinds and fields, their protected values, their names, and who stands for whom."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive.errors import Fault, InvalidInput
from archive.ids import UUID
from archive.model import Subject, SubjectToken
from archive.personal import PersonalKind, check_identity, check_phone
from archive.ports import Vault
from archive.scheme.fields import FieldDef, parse_fields
from archive.scheme.shipped import document


def kinds() -> Mapping[str, Mapping[str, Any]]:
    """Return the kinds of subjects by code, as data."""
    return {each["code"]: each for each in document("subjects")["kinds"]}


def fields_of(kind: str) -> tuple[FieldDef, ...]:
    """Return the fields of a kind of subject.

    Raises:
        InvalidInput: there is no such kind.
    """
    known = kinds()
    if kind not in known:
        raise InvalidInput(Fault("kind", "unknown_choice", {"value": kind[:40], "known": list(known)}))
    catalogue = document("subjects")["fields"]
    return parse_fields([{"name": name, **catalogue[name]} for name in known[kind]["fields"]])


def context(subject_id: UUID) -> str:
    """Return the sealing context of a subject's protected fields."""
    return f"subject:{subject_id.hex}"


def opened(session: Session, vault: Vault, subject: Subject) -> dict[str, Any]:
    """Return a subject's protected fields in clear. Raises as ``Vault.open`` does."""
    if subject.sealed is None:
        return {}
    values: dict[str, Any] = json.loads(vault.open(session, subject.id, subject.sealed, context=context(subject.id)))
    return values


def survivors(session: Session, ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Return who stands for each of these subjects today: itself, or the one that it was merged into."""
    if not ids:
        return {}
    rows = session.execute(select(Subject.id, Subject.merged_into).where(Subject.id.in_(ids)))
    return {key: into or key for key, into in rows}


def names_of_subjects(session: Session, vault: Vault, ids: Sequence[UUID]) -> list[str]:
    """Return how subjects are called, in the order of ``ids``: a person's name, a thing's title, or the code.

    A merged subject is called by its survivor's name. One whose key is gone, or that is gone itself, is left out.
    """
    today = survivors(session, ids)
    wanted = list(dict.fromkeys(today[key] for key in ids if key in today))
    rows = {row.id: row for row in session.scalars(select(Subject).where(Subject.id.in_(wanted)))} if wanted else {}
    there = [rows[key] for key in wanted if key in rows]
    sealed = [(row.id, row.sealed, context(row.id)) for row in there if row.sealed is not None]
    plain = dict(zip((key for key, _, _ in sealed), vault.open_many(session, sealed), strict=True))
    names = []
    for row in there:
        opened_bytes = plain.get(row.id)
        protected = json.loads(opened_bytes) if opened_bytes else {}
        name = protected.get("name") or row.facts.get("title") or row.code
        if name:
            names.append(str(name))
    return names


def find_by_number(session: Session, vault: Vault, number: str) -> Sequence[Subject]:
    """Return the subjects with exactly this phone or identity number; for a merged one its survivor."""
    tokens = []
    for kind, normal in ((PersonalKind.PHONE, check_phone), (PersonalKind.IDENTITY, check_identity)):
        try:
            tokens.append(vault.token(kind.value, normal(number)))
        except ValueError:
            continue
    if not tokens:
        tokens = [vault.token(PersonalKind.PHONE.value, number.strip())]
    holders = session.scalars(select(SubjectToken.subject_id).where(SubjectToken.token.in_(tokens)).distinct()).all()
    wanted = set(survivors(session, holders).values())
    return session.scalars(select(Subject).where(Subject.id.in_(wanted)).order_by(Subject.id)).all()
