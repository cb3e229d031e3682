"""when each object was checked last, what was found, and which request a job follows from"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0016'
down_revision = '0015'

FOUND = ('whole', 'missing', 'changed', 'unreadable')


def upgrade():
    op.create_table('fixity_run',
    sa.Column('id', Id(), nullable=False),
    sa.Column('began_at', Moment(), nullable=False),
    sa.Column('ended_at', Moment(), nullable=True),
    sa.Column('total', sa.Integer(), nullable=False),
    sa.Column('objects', sa.Integer(), nullable=False),
    sa.Column('bytes', sa.BigInteger(), nullable=False),
    sa.Column('bad', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_fixity_run'))
    )
    op.create_index('ix_fixity_run_began_at', 'fixity_run', ['began_at'])
    op.create_table('fixity_finding',
    sa.Column('id', Id(), nullable=False),
    sa.Column('content_id', Id(), nullable=False),
    sa.Column('object_key', sa.String(length=100), nullable=False),
    sa.Column('store_version', sa.String(length=100), nullable=True),
    sa.Column('found', sa.Enum(*FOUND, name='fixity', native_enum=False, length=32), nullable=False),
    sa.Column('found_at', Moment(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=True),
    sa.Column('sha256', sa.String(length=64), nullable=True),
    sa.Column('ended', sa.Enum('mended', 'whole', name='findingend', native_enum=False, length=32), nullable=True),
    sa.Column('ended_at', Moment(), nullable=True),
    sa.Column('set_id', Id(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_fixity_finding'))
    )
    op.create_index('ix_fixity_finding_content_id', 'fixity_finding', ['content_id'])
    op.create_index('ix_fixity_finding_ended_at', 'fixity_finding', ['ended_at'])
    with op.batch_alter_table('content', schema=None) as batch_op:
        batch_op.add_column(sa.Column('checked_at', Moment(), nullable=True))
        batch_op.add_column(sa.Column('fixity', sa.Enum(*FOUND, name='fixity', native_enum=False, length=32), nullable=True))
    with op.batch_alter_table('job', schema=None) as batch_op:
        batch_op.add_column(sa.Column('request', sa.String(length=64), nullable=True))
