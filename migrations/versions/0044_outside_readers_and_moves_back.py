"""the register of readers from outside, and the volumes that items of a move lay in"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0044'
down_revision = '0042'


def upgrade():
    op.create_table('outside_reader',
    sa.Column('id', Id(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('token', sa.String(length=64), nullable=False),
    sa.Column('name_token', sa.String(length=64), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('since', Moment(), nullable=False),
    sa.Column('last_at', Moment(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outside_reader')),
    sa.UniqueConstraint('number', name=op.f('uq_outside_reader_number')),
    sa.UniqueConstraint('token', name=op.f('uq_outside_reader_token'))
    )
    with op.batch_alter_table('outside_reader', schema=None) as batch_op:
        batch_op.create_index('ix_outside_reader_last_at_id', ['last_at', 'id'], unique=False)
        batch_op.create_index('ix_outside_reader_name_token', ['name_token'], unique=False)

    with op.batch_alter_table('outside_use', schema=None) as batch_op:
        batch_op.add_column(sa.Column('reader_id', Id(), nullable=True))
        batch_op.create_index('ix_outside_use_reader_id', ['reader_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_outside_use_reader_id'), 'outside_reader', ['reader_id'], ['id'])

    with op.batch_alter_table('bulk_move_row', schema=None) as batch_op:
        batch_op.add_column(sa.Column('from_volume', sa.Integer(), nullable=True))
