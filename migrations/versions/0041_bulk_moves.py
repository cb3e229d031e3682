"""moves of many items and papers"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0041'
down_revision = '0040'


def upgrade():
    op.create_table('bulk_move',
    sa.Column('id', Id(), nullable=False),
    sa.Column('person_id', Id(), nullable=False),
    sa.Column('kind', sa.Enum('dossier', 'shelf', name='moveinto', native_enum=False, length=32), nullable=False),
    sa.Column('target_id', Id(), nullable=False),
    sa.Column('state', sa.Enum('prepared', 'running', 'stopped', 'done', 'undoing', 'undone', name='bulkstate', native_enum=False, length=32), nullable=False),
    sa.Column('created_at', Moment(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_bulk_move_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bulk_move'))
    )
    with op.batch_alter_table('bulk_move', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_bulk_move_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_bulk_move_person_id'), ['person_id'], unique=False)

    op.create_table('bulk_move_row',
    sa.Column('move_id', Id(), nullable=False),
    sa.Column('at', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('copy_id', Id(), nullable=True),
    sa.Column('from_id', Id(), nullable=True),
    sa.Column('volume', sa.Integer(), nullable=True),
    sa.Column('state', sa.Enum('waiting', 'changed', 'same', 'refused', 'undone', 'kept', name='rowstate', native_enum=False, length=32), nullable=False),
    sa.Column('reason', sa.String(length=64), nullable=True),
    sa.ForeignKeyConstraint(['copy_id'], ['copy.id'], name=op.f('fk_bulk_move_row_copy_id')),
    sa.ForeignKeyConstraint(['move_id'], ['bulk_move.id'], name=op.f('fk_bulk_move_row_move_id')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_bulk_move_row_record_id')),
    sa.PrimaryKeyConstraint('move_id', 'at', name=op.f('pk_bulk_move_row'))
    )
    with op.batch_alter_table('bulk_move_row', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_bulk_move_row_copy_id'), ['copy_id'], unique=False)
        batch_op.create_index('ix_bulk_move_row_move_id_state_at', ['move_id', 'state', 'at'], unique=False)
        batch_op.create_index(batch_op.f('ix_bulk_move_row_record_id'), ['record_id'], unique=False)
