"""what closes a house to writers, and what each move did"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0017'
down_revision = '0016'


def upgrade():
    op.create_table('closure',
    sa.Column('id', Id(), nullable=False),
    sa.Column('state', sa.Enum('read_only', 'closing', 'moved', 'arriving', name='closed', native_enum=False, length=32), nullable=False),
    sa.Column('place', sa.String(length=500), nullable=False),
    sa.Column('move_id', Id(), nullable=False),
    sa.Column('since', Moment(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_closure'))
    )
    op.create_table('move_run',
    sa.Column('id', Id(), nullable=False),
    sa.Column('whereto', sa.String(length=1000), nullable=False),
    sa.Column('began_at', Moment(), nullable=False),
    sa.Column('ended_at', Moment(), nullable=True),
    sa.Column('error', sa.String(length=100), nullable=True),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_move_run'))
    )
