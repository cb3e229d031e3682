"""Which need-to-know groups a person may name for what they catalogue."""

from uuid import UUID

from archive.identity import Role
from archive.model import Place
from archive.policy.condition import holds
from archive.policy.rules import granted
from web.services import identity, services


def group_at(mark: str, *, fonds: UUID, category: UUID | None, place: UUID | None) -> UUID | None:
    """Return the group of a fonds that has this mark, or None.

    None too for who is no archivist, and for one who was granted nothing here: they would learn from the answer which
    groups there are.
    """
    who = identity()
    if Role.ARCHIVIST not in who.roles:
        return None
    with services().db.reading() as session:
        row = session.get(Place, place) if place else None
        facts = {"fonds": fonds, "category": category, "place": row.path if row else None}
        if not holds(granted(services().guard.reach(session, who)), facts):
            return None
    return services().directory.group_at(fonds, mark[:40])
