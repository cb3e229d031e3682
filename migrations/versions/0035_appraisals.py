"""panels and opinions of appraisals, extensions, unsettled matters"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0035'
down_revision = '0034'


def upgrade():
    op.create_table('appraisal_member',
    sa.Column('appraisal_id', Id(), nullable=False),
    sa.Column('person_id', Id(), nullable=False),
    sa.Column('chair', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['appraisal_id'], ['appraisal.id'], name=op.f('fk_appraisal_member_appraisal_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_appraisal_member_person_id')),
    sa.PrimaryKeyConstraint('appraisal_id', 'person_id', name=op.f('pk_appraisal_member'))
    )
    with op.batch_alter_table('appraisal_member', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_appraisal_member_person_id'), ['person_id'], unique=False)

    op.create_table('appraisal_opinion',
    sa.Column('appraisal_id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('person_id', Id(), nullable=False),
    sa.Column('verdict', sa.Enum('destroy', 'keep', 'transfer', 'open', 'declassify', name='verdict', native_enum=False, length=32), nullable=False),
    sa.Column('until', sa.Date(), nullable=True),
    sa.Column('said_at', Moment(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['appraisal_id'], ['appraisal.id'], name=op.f('fk_appraisal_opinion_appraisal_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_appraisal_opinion_person_id')),
    sa.PrimaryKeyConstraint('appraisal_id', 'record_id', 'person_id', name=op.f('pk_appraisal_opinion'))
    )
    with op.batch_alter_table('appraisal_opinion', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_appraisal_opinion_record_id'), ['record_id'], unique=False)

    op.create_table('record_extension',
    sa.Column('id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('until', sa.Date(), nullable=False),
    sa.Column('appraisal_id', Id(), nullable=False),
    sa.Column('set_at', Moment(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['appraisal_id'], ['appraisal.id'], name=op.f('fk_record_extension_appraisal_id')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_record_extension_record_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_record_extension'))
    )
    with op.batch_alter_table('record_extension', schema=None) as batch_op:
        batch_op.create_index('ix_record_extension_record_id', ['record_id'], unique=False)

    op.create_table('unsettled_matter',
    sa.Column('id', Id(), nullable=False),
    sa.Column('kind', sa.Enum('claim', 'unpaid', 'complaint', 'lawsuit', 'other', name='matterkind', native_enum=False, length=32), nullable=False),
    sa.Column('record_id', Id(), nullable=True),
    sa.Column('subject_id', Id(), nullable=True),
    sa.Column('opened_by', Id(), nullable=True),
    sa.Column('opened_at', Moment(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('closed_by', Id(), nullable=True),
    sa.Column('closed_at', Moment(), nullable=True),
    sa.Column('closed_why', sa.LargeBinary(), nullable=True),
    sa.CheckConstraint('(record_id IS NULL) <> (subject_id IS NULL)', name=op.f('ck_unsettled_matter_one_of')),
    sa.ForeignKeyConstraint(['closed_by'], ['person.id'], name=op.f('fk_unsettled_matter_closed_by')),
    sa.ForeignKeyConstraint(['opened_by'], ['person.id'], name=op.f('fk_unsettled_matter_opened_by')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_unsettled_matter_record_id')),
    sa.ForeignKeyConstraint(['subject_id'], ['subject.id'], name=op.f('fk_unsettled_matter_subject_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_unsettled_matter'))
    )
    with op.batch_alter_table('unsettled_matter', schema=None) as batch_op:
        batch_op.create_index('ix_unsettled_matter_opened_at_id', ['opened_at', 'id'], unique=False)
        batch_op.create_index('ix_unsettled_matter_record_id', ['record_id'], unique=False)
        batch_op.create_index('ix_unsettled_matter_subject_id', ['subject_id'], unique=False)

    with op.batch_alter_table('appraisal', schema=None) as batch_op:
        batch_op.add_column(sa.Column('task', sa.Enum('opening', 'closing', 'withdrawing', name='appraisaltask', native_enum=False, length=32), nullable=True))
        batch_op.add_column(sa.Column('closed_by', Id(), nullable=True))
        batch_op.add_column(sa.Column('digest', sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column('why', sa.String(length=500), nullable=False))
        batch_op.create_foreign_key(batch_op.f('fk_appraisal_closed_by'), 'person', ['closed_by'], ['id'])

    with op.batch_alter_table('appraisal_item', schema=None) as batch_op:
        batch_op.add_column(sa.Column('number', sa.String(length=100), nullable=False))
        batch_op.add_column(sa.Column('due', sa.Date(), nullable=False))
        batch_op.add_column(sa.Column('until', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('stopped', sa.Enum('unfiled', 'undue', 'held', 'lent', 'missing', 'unsettled', 'objected', 'not_there', name='stop', native_enum=False, length=32), nullable=True))
        batch_op.create_index('ix_appraisal_item_appraisal_id_position', ['appraisal_id', 'position'], unique=False)

    with op.batch_alter_table('reading_right', schema=None) as batch_op:
        batch_op.add_column(sa.Column('appraisal_id', Id(), nullable=True))
        batch_op.create_index(batch_op.f('ix_reading_right_appraisal_id'), ['appraisal_id'], unique=False)
