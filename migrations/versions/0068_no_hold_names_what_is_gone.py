"""released holds on a record that is gone, and the places of jobs that ended, name no record any more"""

from uuid import UUID

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0068'
down_revision = '0067'

HOLD = sa.table(
    'hold', sa.column('id', Id()), sa.column('kind', sa.String()), sa.column('covers', sa.JSON()), sa.column('released_at', Moment())
)
RECORD = sa.table('record', sa.column('id', Id()))


def upgrade():
    op.execute('UPDATE hold SET through = NULL WHERE swept_at IS NOT NULL')
    op.execute('UPDATE schedule_draft SET through = NULL WHERE applied_at IS NOT NULL')
    link = op.get_bind()
    released = sa.select(HOLD.c.id, HOLD.c.covers).where(HOLD.c.released_at.is_not(None), HOLD.c.kind.in_(('record', 'dossier')))
    for key, covers in link.execute(released).all():
        named = covers.get('id')
        there = named and link.scalar(sa.select(RECORD.c.id).where(RECORD.c.id == UUID(named)))
        if not there:
            link.execute(sa.update(HOLD).where(HOLD.c.id == key).values(covers={}))
