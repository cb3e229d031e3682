"""runs in which files are read again, and by which reading a text was settled"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0063'
down_revision = '0062'


def upgrade():
    op.create_table('reread',
    sa.Column('id', Id(), nullable=False),
    sa.Column('chosen', sa.JSON(), nullable=False),
    sa.Column('state', sa.Enum('running', 'stopped', 'done', name='rereadstate', native_enum=False, length=32), nullable=False),
    sa.Column('asked_by', Id(), nullable=True),
    sa.Column('asked_at', Moment(), nullable=False),
    sa.Column('ended_at', Moment(), nullable=True),
    sa.Column('total', sa.Integer(), nullable=False),
    sa.Column('done', sa.Integer(), nullable=False),
    sa.Column('batch', sa.Integer(), nullable=False),
    sa.Column('behind', Id(), nullable=True),
    sa.Column('through', Id(), nullable=True),
    sa.Column('changes', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['asked_by'], ['person.id'], name=op.f('fk_reread_asked_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reread'))
    )
    with op.batch_alter_table('reread', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_reread_asked_by'), ['asked_by'], unique=False)

    with op.batch_alter_table('content', schema=None) as batch_op:
        batch_op.add_column(sa.Column('read_by', sa.Integer(), nullable=True))
