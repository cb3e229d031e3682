"""blocking facts"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0024'
down_revision = '0023'


def upgrade():
    op.create_table('block',
    sa.Column('id', Id(), nullable=False),
    sa.Column('kind', sa.Enum('missing', 'in_restoration', 'in_appraisal', 'under_destruction', name='blockkind', native_enum=False, length=32), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('copy_id', Id(), nullable=True),
    sa.Column('set_by', Id(), nullable=True),
    sa.Column('set_at', Moment(), nullable=False),
    sa.Column('cause', sa.Enum('person', 'stocktaking', 'check', 'placing', 'withdrawal', name='blockcause', native_enum=False, length=32), nullable=False),
    sa.Column('cause_id', Id(), nullable=True),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('ended_at', Moment(), nullable=True),
    sa.Column('ended_by', Id(), nullable=True),
    sa.Column('ended_cause', sa.Enum('person', 'stocktaking', 'check', 'placing', 'withdrawal', name='blockcause', native_enum=False, length=32), nullable=True),
    sa.Column('ended_cause_id', Id(), nullable=True),
    sa.Column('end_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint('(ended_at is null) = (ended_cause is null)', name=op.f('ck_block_end_has_cause')),
    sa.ForeignKeyConstraint(['copy_id'], ['copy.id'], name=op.f('fk_block_copy_id_copy')),
    sa.ForeignKeyConstraint(['ended_by'], ['person.id'], name=op.f('fk_block_ended_by_person')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_block_record_id_record')),
    sa.ForeignKeyConstraint(['set_by'], ['person.id'], name=op.f('fk_block_set_by_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_block'))
    )
    open_ones, whole = sa.text('ended_at is null'), sa.text('ended_at is null and copy_id is null')
    op.create_index('uq_block_open_copy', 'block', ['copy_id', 'kind'], unique=True, sqlite_where=open_ones, postgresql_where=open_ones)
    op.create_index('uq_block_open_record', 'block', ['record_id', 'kind'], unique=True, sqlite_where=whole, postgresql_where=whole)
    op.create_index('ix_block_record_id', 'block', ['record_id'], unique=False)
    op.create_index('ix_block_kind_ended_at', 'block', ['kind', 'ended_at'], unique=False)
