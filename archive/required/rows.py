"""The rows of required papers that go with a record."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, or_, update
from sqlalchemy.orm import Session

from archive.model import DossierClock, DossierPerson, PaperMet, RequiredPapers


def forget_papers(session: Session, ids: Sequence[UUID]) -> None:
    """Remove what is noted of required papers with the records that it is noted of."""
    met = or_(PaperMet.dossier_id.in_(ids), PaperMet.record_id.in_(ids))
    session.execute(delete(PaperMet).where(met))
    for table in (DossierPerson, DossierClock, RequiredPapers):
        session.execute(delete(table).where(table.dossier_id.in_(ids)))
    session.execute(update(RequiredPapers).where(RequiredPapers.linked_id.in_(ids)).values(linked_id=None))
