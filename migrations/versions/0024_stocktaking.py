"""blocking facts; stock-takings with what was expected, every scan and what became of each copy"""

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

    op.create_table('stocktaking',
    sa.Column('id', Id(), nullable=False),
    sa.Column('place_id', Id(), nullable=False),
    sa.Column('path', sa.String(length=40), nullable=False),
    sa.Column('state', sa.Enum('opening', 'open', 'closing', 'closed', name='stockstate', native_enum=False, length=32), nullable=False),
    sa.Column('begun_by', Id(), nullable=True),
    sa.Column('begun_at', Moment(), nullable=False),
    sa.Column('closed_by', Id(), nullable=True),
    sa.Column('closed_at', Moment(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(closed_at is null) = (state <> 'closed')", name=op.f('ck_stocktaking_closed_has_a_time')),
    sa.ForeignKeyConstraint(['begun_by'], ['person.id'], name=op.f('fk_stocktaking_begun_by_person')),
    sa.ForeignKeyConstraint(['closed_by'], ['person.id'], name=op.f('fk_stocktaking_closed_by_person')),
    sa.ForeignKeyConstraint(['place_id'], ['shelf_place.id'], name=op.f('fk_stocktaking_place_id_shelf_place')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stocktaking'))
    )
    op.create_index('ix_stocktaking_begun_at_id', 'stocktaking', ['begun_at', 'id'], unique=False)
    op.create_index('ix_stocktaking_place_id_state', 'stocktaking', ['place_id', 'state'], unique=False)
    op.create_table('stocktaking_item',
    sa.Column('stocktaking_id', Id(), nullable=False),
    sa.Column('copy_id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('expected', sa.Boolean(), nullable=False),
    sa.Column('expected_at', Id(), nullable=True),
    sa.Column('found_at', Id(), nullable=True),
    sa.Column('belonged_at', Id(), nullable=True),
    sa.Column('tally', sa.Enum('found', 'missing', 'misplaced', 'out', name='tally', native_enum=False, length=32), nullable=True),
    sa.Column('follow_up', sa.Enum('marked', 'put_there', 'put_back', name='followup', native_enum=False, length=32), nullable=True),
    sa.ForeignKeyConstraint(['belonged_at'], ['shelf_place.id'], name=op.f('fk_stocktaking_item_belonged_at_shelf_place')),
    sa.ForeignKeyConstraint(['copy_id'], ['copy.id'], name=op.f('fk_stocktaking_item_copy_id_copy')),
    sa.ForeignKeyConstraint(['expected_at'], ['shelf_place.id'], name=op.f('fk_stocktaking_item_expected_at_shelf_place')),
    sa.ForeignKeyConstraint(['found_at'], ['shelf_place.id'], name=op.f('fk_stocktaking_item_found_at_shelf_place')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_stocktaking_item_record_id_record')),
    sa.ForeignKeyConstraint(['stocktaking_id'], ['stocktaking.id'], name=op.f('fk_stocktaking_item_stocktaking_id_stocktaking')),
    sa.PrimaryKeyConstraint('stocktaking_id', 'copy_id', name=op.f('pk_stocktaking_item'))
    )
    op.create_index('ix_stocktaking_item_stocktaking_id_tally', 'stocktaking_item', ['stocktaking_id', 'tally'], unique=False)
    op.create_index('ix_stocktaking_item_copy_id', 'stocktaking_item', ['copy_id'], unique=False)
    op.create_table('stocktaking_scan',
    sa.Column('id', Id(), nullable=False),
    sa.Column('stocktaking_id', Id(), nullable=False),
    sa.Column('at', Moment(), nullable=False),
    sa.Column('person_id', Id(), nullable=True),
    sa.Column('place_id', Id(), nullable=False),
    sa.Column('copy_id', Id(), nullable=True),
    sa.Column('verdict', sa.Enum('found', 'misplaced', 'twice', 'unknown', name='scanverdict', native_enum=False, length=32), nullable=False),
    sa.Column('label', sa.String(length=100), nullable=True),
    sa.ForeignKeyConstraint(['copy_id'], ['copy.id'], name=op.f('fk_stocktaking_scan_copy_id_copy')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_stocktaking_scan_person_id_person')),
    sa.ForeignKeyConstraint(['place_id'], ['shelf_place.id'], name=op.f('fk_stocktaking_scan_place_id_shelf_place')),
    sa.ForeignKeyConstraint(['stocktaking_id'], ['stocktaking.id'], name=op.f('fk_stocktaking_scan_stocktaking_id_stocktaking')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stocktaking_scan'))
    )
    op.create_index('ix_stocktaking_scan_stocktaking_id_at', 'stocktaking_scan', ['stocktaking_id', 'at'], unique=False)
