"""schedules, days on which records fall due, events that start clocks, holds"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0029'
down_revision = '0028'


def upgrade():
    op.create_table('retention_schedule',
    sa.Column('id', Id(), nullable=False),
    sa.Column('code', sa.String(length=64), nullable=False),
    sa.Column('names', sa.JSON(), nullable=False),
    sa.Column('definition', sa.JSON(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_retention_schedule')),
    sa.UniqueConstraint('code', name=op.f('uq_retention_schedule_code'))
    )
    op.create_table('hold',
    sa.Column('id', Id(), nullable=False),
    sa.Column('kind', sa.Enum('record', 'dossier', 'category', 'place', 'query', name='holdkind', native_enum=False, length=32), nullable=False),
    sa.Column('covers', sa.JSON(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=False),
    sa.Column('authority', sa.String(length=200), nullable=False),
    sa.Column('review_on', sa.Date(), nullable=False),
    sa.Column('placed_by', Id(), nullable=False),
    sa.Column('placed_at', Moment(), nullable=False),
    sa.Column('released_by', Id(), nullable=True),
    sa.Column('released_at', Moment(), nullable=True),
    sa.Column('release_why', sa.String(length=500), nullable=False),
    sa.Column('through', Id(), nullable=True),
    sa.Column('swept_at', Moment(), nullable=True),
    sa.ForeignKeyConstraint(['placed_by'], ['person.id'], name=op.f('fk_hold_placed_by')),
    sa.ForeignKeyConstraint(['released_by'], ['person.id'], name=op.f('fk_hold_released_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_hold'))
    )
    with op.batch_alter_table('hold', schema=None) as batch_op:
        batch_op.create_index('ix_hold_placed_at_id', ['placed_at', 'id'], unique=False)

    op.create_table('schedule_draft',
    sa.Column('id', Id(), nullable=False),
    sa.Column('schedule_id', Id(), nullable=True),
    sa.Column('base_version', sa.Integer(), nullable=False),
    sa.Column('code', sa.String(length=64), nullable=False),
    sa.Column('names', sa.JSON(), nullable=False),
    sa.Column('definition', sa.JSON(), nullable=False),
    sa.Column('categories', sa.JSON(), nullable=False),
    sa.Column('why', sa.String(length=500), nullable=False),
    sa.Column('state', sa.Enum('asked', 'approved', 'refused', 'withdrawn', name='approvalstate', native_enum=False, length=32), nullable=False),
    sa.Column('asked_by', Id(), nullable=False),
    sa.Column('asked_at', Moment(), nullable=False),
    sa.Column('decided_by', Id(), nullable=True),
    sa.Column('decided_at', Moment(), nullable=True),
    sa.Column('answer', sa.String(length=500), nullable=False),
    sa.Column('affected', sa.JSON(), nullable=False),
    sa.Column('through', Id(), nullable=True),
    sa.Column('done', sa.Integer(), nullable=False),
    sa.Column('total', sa.Integer(), nullable=False),
    sa.Column('applied_at', Moment(), nullable=True),
    sa.ForeignKeyConstraint(['asked_by'], ['person.id'], name=op.f('fk_schedule_draft_asked_by')),
    sa.ForeignKeyConstraint(['decided_by'], ['person.id'], name=op.f('fk_schedule_draft_decided_by')),
    sa.ForeignKeyConstraint(['schedule_id'], ['retention_schedule.id'], name=op.f('fk_schedule_draft_schedule_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_schedule_draft'))
    )
    with op.batch_alter_table('schedule_draft', schema=None) as batch_op:
        batch_op.create_index('ix_schedule_draft_asked_at_id', ['asked_at', 'id'], unique=False)

    op.create_table('schedule_version',
    sa.Column('schedule_id', Id(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('since', Moment(), nullable=False),
    sa.Column('names', sa.JSON(), nullable=False),
    sa.Column('definition', sa.JSON(), nullable=False),
    sa.Column('categories', sa.JSON(), nullable=False),
    sa.Column('draft_id', Id(), nullable=True),
    sa.ForeignKeyConstraint(['schedule_id'], ['retention_schedule.id'], name=op.f('fk_schedule_version_schedule_id')),
    sa.PrimaryKeyConstraint('schedule_id', 'version', name=op.f('pk_schedule_version'))
    )
    op.create_table('category_schedule',
    sa.Column('category_id', Id(), nullable=False),
    sa.Column('schedule_id', Id(), nullable=False),
    sa.ForeignKeyConstraint(['category_id'], ['category.id'], name=op.f('fk_category_schedule_category_id')),
    sa.ForeignKeyConstraint(['schedule_id'], ['retention_schedule.id'], name=op.f('fk_category_schedule_schedule_id')),
    sa.PrimaryKeyConstraint('category_id', name=op.f('pk_category_schedule'))
    )
    with op.batch_alter_table('category_schedule', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_category_schedule_schedule_id'), ['schedule_id'], unique=False)

    op.create_table('hold_record',
    sa.Column('hold_id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('since', Moment(), nullable=False),
    sa.Column('on_store', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['hold_id'], ['hold.id'], name=op.f('fk_hold_record_hold_id')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_hold_record_record_id')),
    sa.PrimaryKeyConstraint('hold_id', 'record_id', name=op.f('pk_hold_record'))
    )
    with op.batch_alter_table('hold_record', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_hold_record_record_id'), ['record_id'], unique=False)

    op.create_table('record_due',
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('state', sa.Enum('dated', 'never', 'waiting', 'undated', 'unruled', name='duestate', native_enum=False, length=32), nullable=False),
    sa.Column('due', sa.Date(), nullable=True),
    sa.Column('schedule_id', Id(), nullable=True),
    sa.Column('noticed_on', sa.Date(), nullable=True),
    sa.CheckConstraint("(state = 'dated') = (due IS NOT NULL)", name=op.f('ck_record_due_dated')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_record_due_record_id')),
    sa.ForeignKeyConstraint(['schedule_id'], ['retention_schedule.id'], name=op.f('fk_record_due_schedule_id')),
    sa.PrimaryKeyConstraint('record_id', name=op.f('pk_record_due'))
    )
    with op.batch_alter_table('record_due', schema=None) as batch_op:
        batch_op.create_index('ix_record_due_due_record_id', ['due', 'record_id'], unique=False, sqlite_where=sa.text('due IS NOT NULL'), postgresql_where=sa.text('due IS NOT NULL'))
        batch_op.create_index('ix_record_due_schedule_id', ['schedule_id'], unique=False)
        batch_op.create_index('ix_record_due_state_record_id', ['state', 'record_id'], unique=False)

    op.create_table('record_schedule',
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('schedule_id', Id(), nullable=False),
    sa.Column('set_by', Id(), nullable=True),
    sa.Column('set_at', Moment(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_record_schedule_record_id')),
    sa.ForeignKeyConstraint(['schedule_id'], ['retention_schedule.id'], name=op.f('fk_record_schedule_schedule_id')),
    sa.ForeignKeyConstraint(['set_by'], ['person.id'], name=op.f('fk_record_schedule_set_by')),
    sa.PrimaryKeyConstraint('record_id', name=op.f('pk_record_schedule'))
    )
    with op.batch_alter_table('record_schedule', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_record_schedule_schedule_id'), ['schedule_id'], unique=False)

    op.create_table('retention_event',
    sa.Column('id', Id(), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('record_id', Id(), nullable=True),
    sa.Column('subject_id', Id(), nullable=True),
    sa.Column('entered_by', Id(), nullable=True),
    sa.Column('entered_at', Moment(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('undone_by', Id(), nullable=True),
    sa.Column('undone_at', Moment(), nullable=True),
    sa.Column('undone_why', sa.LargeBinary(), nullable=True),
    sa.CheckConstraint('(record_id IS NULL) <> (subject_id IS NULL)', name=op.f('ck_retention_event_one_of')),
    sa.ForeignKeyConstraint(['entered_by'], ['person.id'], name=op.f('fk_retention_event_entered_by')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_retention_event_record_id')),
    sa.ForeignKeyConstraint(['subject_id'], ['subject.id'], name=op.f('fk_retention_event_subject_id')),
    sa.ForeignKeyConstraint(['undone_by'], ['person.id'], name=op.f('fk_retention_event_undone_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_retention_event'))
    )
    with op.batch_alter_table('retention_event', schema=None) as batch_op:
        batch_op.create_index('ix_retention_event_entered_at_id', ['entered_at', 'id'], unique=False)
        batch_op.create_index('ix_retention_event_record_id', ['record_id'], unique=False)
        batch_op.create_index('ix_retention_event_subject_id', ['subject_id'], unique=False)

    # no schedule stands yet: what is filed is permanent by its own term, or by that of an item of its dossier, or unruled
    op.execute('''
        INSERT INTO record_due (record_id, state)
        SELECT id, CASE WHEN coalesce(dossier_id, id) IN (
            SELECT coalesce(dossier_id, id) FROM record WHERE state = 'filed' AND term = 'Y'
        ) THEN 'never' ELSE 'unruled' END
        FROM record WHERE state = 'filed'
    ''')
