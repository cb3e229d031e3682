"""appraisals and destructions"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0030'
down_revision = '0029'


def upgrade():
    op.create_table('appraisal',
    sa.Column('id', Id(), nullable=False),
    sa.Column('number', sa.String(length=20), nullable=False),
    sa.Column('purpose', sa.String(length=500), nullable=False),
    sa.Column('state', sa.Enum('draft', 'open', 'closed', 'withdrawn', name='appraisalstate', native_enum=False, length=32), nullable=False),
    sa.Column('begun_by', Id(), nullable=False),
    sa.Column('begun_at', Moment(), nullable=False),
    sa.Column('closed_at', Moment(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['begun_by'], ['person.id'], name=op.f('fk_appraisal_begun_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_appraisal')),
    sa.UniqueConstraint('number', name=op.f('uq_appraisal_number'))
    )
    with op.batch_alter_table('appraisal', schema=None) as batch_op:
        batch_op.create_index('ix_appraisal_begun_at_id', ['begun_at', 'id'], unique=False)

    op.create_table('appraisal_item',
    sa.Column('appraisal_id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('verdict', sa.Enum('destroy', 'keep', 'transfer', 'open', 'declassify', name='verdict', native_enum=False, length=32), nullable=True),
    sa.ForeignKeyConstraint(['appraisal_id'], ['appraisal.id'], name=op.f('fk_appraisal_item_appraisal_id')),
    sa.PrimaryKeyConstraint('appraisal_id', 'record_id', name=op.f('pk_appraisal_item'))
    )
    with op.batch_alter_table('appraisal_item', schema=None) as batch_op:
        batch_op.create_index('ix_appraisal_item_record_id', ['record_id'], unique=False)

    op.create_table('destruction',
    sa.Column('id', Id(), nullable=False),
    sa.Column('number', sa.String(length=20), nullable=False),
    sa.Column('purpose', sa.String(length=500), nullable=False),
    sa.Column('method', sa.Enum('shredding', 'pulping', 'incineration', 'deletion', name='destructionmethod', native_enum=False, length=32), nullable=False),
    sa.Column('place', sa.String(length=200), nullable=True),
    sa.Column('contractor', sa.String(length=200), nullable=True),
    sa.Column('weight', sa.String(length=40), nullable=True),
    sa.Column('state', sa.Enum('draft', 'asked', 'cooling', 'confirmed', 'counted', 'running', 'gone', 'closed', 'refused', 'withdrawn', name='destructionstate', native_enum=False, length=32), nullable=False),
    sa.Column('begun_by', Id(), nullable=False),
    sa.Column('begun_at', Moment(), nullable=False),
    sa.Column('approval_id', Id(), nullable=True),
    sa.Column('cooling_until', Moment(), nullable=True),
    sa.Column('confirmed_by', Id(), nullable=True),
    sa.Column('confirmed_at', Moment(), nullable=True),
    sa.Column('counted_at', Moment(), nullable=True),
    sa.Column('digest', sa.String(length=64), nullable=True),
    sa.Column('run_by', Id(), nullable=True),
    sa.Column('run_at', Moment(), nullable=True),
    sa.Column('gone_at', Moment(), nullable=True),
    sa.Column('closed_at', Moment(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['approval_id'], ['approval.id'], name=op.f('fk_destruction_approval_id')),
    sa.ForeignKeyConstraint(['begun_by'], ['person.id'], name=op.f('fk_destruction_begun_by')),
    sa.ForeignKeyConstraint(['confirmed_by'], ['person.id'], name=op.f('fk_destruction_confirmed_by')),
    sa.ForeignKeyConstraint(['run_by'], ['person.id'], name=op.f('fk_destruction_run_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_destruction')),
    sa.UniqueConstraint('number', name=op.f('uq_destruction_number'))
    )
    with op.batch_alter_table('destruction', schema=None) as batch_op:
        batch_op.create_index('ix_destruction_begun_at_id', ['begun_at', 'id'], unique=False)

    op.create_table('destruction_item',
    sa.Column('destruction_id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('appraisal_id', Id(), nullable=True),
    sa.Column('state', sa.Enum('listed', 'pulled', 'doomed', 'gone', name='destructionitemstate', native_enum=False, length=32), nullable=False),
    sa.Column('pulled', sa.Enum('unfiled', 'undue', 'held', 'lent', 'missing', 'unsettled', 'objected', 'not_there', name='stop', native_enum=False, length=32), nullable=True),
    sa.Column('neutral', sa.String(length=200), nullable=True),
    sa.Column('standing', sa.Boolean(), nullable=False),
    sa.Column('gone_at', Moment(), nullable=True),
    sa.ForeignKeyConstraint(['appraisal_id'], ['appraisal.id'], name=op.f('fk_destruction_item_appraisal_id')),
    sa.ForeignKeyConstraint(['destruction_id'], ['destruction.id'], name=op.f('fk_destruction_item_destruction_id')),
    sa.PrimaryKeyConstraint('destruction_id', 'record_id', name=op.f('pk_destruction_item'))
    )
    with op.batch_alter_table('destruction_item', schema=None) as batch_op:
        batch_op.create_index('ix_destruction_item_destruction_id_state_position', ['destruction_id', 'state', 'position'], unique=False)
        batch_op.create_index('ix_destruction_item_record_id', ['record_id'], unique=False)
        batch_op.create_index('uq_destruction_item_standing', ['record_id'], unique=True, sqlite_where=sa.text("standing and state <> 'pulled'"), postgresql_where=sa.text("standing and state <> 'pulled'"))
