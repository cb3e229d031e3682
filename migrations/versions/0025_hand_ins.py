"""papers handed in by batch, deadlines for filing, drafts sent back, many filed in one act"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0025'
down_revision = '0024'


def upgrade():
    op.create_table('filing_run',
    sa.Column('id', Id(), nullable=False),
    sa.Column('person_id', Id(), nullable=False),
    sa.Column('state', sa.Enum('running', 'stopped', 'done', name='filingrunstate', native_enum=False, length=32), nullable=False),
    sa.Column('created_at', Moment(), nullable=False),
    sa.Column('ended_at', Moment(), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_filing_run_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_filing_run'))
    )
    op.create_index('ix_filing_run_person_id_created_at', 'filing_run', ['person_id', 'created_at'], unique=False)
    op.create_table('filing_deadline',
    sa.Column('category_id', Id(), nullable=False),
    sa.Column('days', sa.Integer(), nullable=False),
    sa.Column('counted_from', sa.Enum('drawn_up', 'year_end', name='countedfrom', native_enum=False, length=32), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['category_id'], ['category.id'], name=op.f('fk_filing_deadline_category_id')),
    sa.PrimaryKeyConstraint('category_id', name=op.f('pk_filing_deadline'))
    )
    op.create_table('hand_in',
    sa.Column('id', Id(), nullable=False),
    sa.Column('fonds_id', Id(), nullable=False),
    sa.Column('category_id', Id(), nullable=False),
    sa.Column('department_id', Id(), nullable=True),
    sa.Column('level_rank', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('open', 'handed_in', 'returned', 'checked', 'signed', name='handinstate', native_enum=False, length=32), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('created_by', Id(), nullable=False),
    sa.Column('created_at', Moment(), nullable=False),
    sa.Column('handed_by', Id(), nullable=True),
    sa.Column('handed_at', Moment(), nullable=True),
    sa.Column('checked_by', Id(), nullable=True),
    sa.Column('checked_at', Moment(), nullable=True),
    sa.Column('signed_at', Moment(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['category_id'], ['category.id'], name=op.f('fk_hand_in_category_id')),
    sa.ForeignKeyConstraint(['checked_by'], ['person.id'], name=op.f('fk_hand_in_checked_by')),
    sa.ForeignKeyConstraint(['created_by'], ['person.id'], name=op.f('fk_hand_in_created_by')),
    sa.ForeignKeyConstraint(['department_id'], ['department.id'], name=op.f('fk_hand_in_department_id')),
    sa.ForeignKeyConstraint(['fonds_id'], ['fonds.id'], name=op.f('fk_hand_in_fonds_id')),
    sa.ForeignKeyConstraint(['handed_by'], ['person.id'], name=op.f('fk_hand_in_handed_by')),
    sa.ForeignKeyConstraint(['level_rank'], ['level.rank'], name=op.f('fk_hand_in_level_rank')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_hand_in'))
    )
    op.create_index('ix_hand_in_state_created_at_id', 'hand_in', ['state', 'created_at', 'id'], unique=False)
    op.create_table('filing_run_row',
    sa.Column('run_id', Id(), nullable=False),
    sa.Column('position', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('outcome', sa.String(length=64), nullable=True),
    sa.Column('missing', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_filing_run_row_record_id')),
    sa.ForeignKeyConstraint(['run_id'], ['filing_run.id'], name=op.f('fk_filing_run_row_run_id')),
    sa.PrimaryKeyConstraint('run_id', 'position', name=op.f('pk_filing_run_row'))
    )
    op.create_index(op.f('ix_filing_run_row_record_id'), 'filing_run_row', ['record_id'], unique=False)
    op.create_table('hand_in_form',
    sa.Column('batch_id', Id(), nullable=False),
    sa.Column('form', sa.String(length=40), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('kept_at', Moment(), nullable=False),
    sa.ForeignKeyConstraint(['batch_id'], ['hand_in.id'], name=op.f('fk_hand_in_form_batch_id')),
    sa.PrimaryKeyConstraint('batch_id', 'form', name=op.f('pk_hand_in_form'))
    )
    op.create_table('hand_in_line',
    sa.Column('id', Id(), nullable=False),
    sa.Column('batch_id', Id(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('listed', 'handed_in', 'passed', 'failed', 'returned', 'withdrawn', name='linestate', native_enum=False, length=32), nullable=False),
    sa.Column('carrier', sa.Enum('paper', 'photograph', 'drawing', 'disc', 'drive', 'film', 'tape', 'object', name='carrier', native_enum=False, length=32), nullable=True),
    sa.Column('pages', sa.Integer(), nullable=True),
    sa.Column('copies', sa.Integer(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('record_id', Id(), nullable=True),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.CheckConstraint('copies > 0', name=op.f('ck_hand_in_line_counted')),
    sa.ForeignKeyConstraint(['batch_id'], ['hand_in.id'], name=op.f('fk_hand_in_line_batch_id')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_hand_in_line_record_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_hand_in_line')),
    sa.UniqueConstraint('batch_id', 'position', name=op.f('uq_hand_in_line_batch_id_position'))
    )
    op.create_index('ix_hand_in_line_record_id', 'hand_in_line', ['record_id'], unique=False)
    op.create_table('hand_in_signature',
    sa.Column('batch_id', Id(), nullable=False),
    sa.Column('side', sa.Enum('handed', 'received', name='signedby', native_enum=False, length=32), nullable=False),
    sa.Column('person_id', Id(), nullable=False),
    sa.Column('signed_at', Moment(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['batch_id'], ['hand_in.id'], name=op.f('fk_hand_in_signature_batch_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_hand_in_signature_person_id')),
    sa.PrimaryKeyConstraint('batch_id', 'side', name=op.f('pk_hand_in_signature')),
    sa.UniqueConstraint('batch_id', 'person_id', name=op.f('uq_hand_in_signature_batch_id_person_id'))
    )
    op.create_table('sent_back',
    sa.Column('id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('sent_by', Id(), nullable=False),
    sa.Column('sent_at', Moment(), nullable=False),
    sa.Column('ended_by', Id(), nullable=True),
    sa.Column('ended_at', Moment(), nullable=True),
    sa.ForeignKeyConstraint(['ended_by'], ['person.id'], name=op.f('fk_sent_back_ended_by')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_sent_back_record_id')),
    sa.ForeignKeyConstraint(['sent_by'], ['person.id'], name=op.f('fk_sent_back_sent_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sent_back'))
    )
    op.create_index('ix_sent_back_open', 'sent_back', ['sent_at'], unique=False, sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))
    op.create_index('ix_sent_back_record_id', 'sent_back', ['record_id'], unique=False)
    op.create_table('hand_in_check',
    sa.Column('id', Id(), nullable=False),
    sa.Column('batch_id', Id(), nullable=False),
    sa.Column('line_id', Id(), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('arrived', sa.Boolean(), nullable=False),
    sa.Column('pages_agree', sa.Boolean(), nullable=False),
    sa.Column('readable', sa.Boolean(), nullable=False),
    sa.Column('labelled', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.Enum('not_there', 'pages_differ', 'unreadable', 'damaged', 'label_wrong', 'not_the_original', 'wrong_description', 'other', name='failing', native_enum=False, length=32), nullable=True),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('checked_by', Id(), nullable=False),
    sa.Column('checked_at', Moment(), nullable=False),
    sa.ForeignKeyConstraint(['batch_id'], ['hand_in.id'], name=op.f('fk_hand_in_check_batch_id')),
    sa.ForeignKeyConstraint(['checked_by'], ['person.id'], name=op.f('fk_hand_in_check_checked_by')),
    sa.ForeignKeyConstraint(['line_id'], ['hand_in_line.id'], name=op.f('fk_hand_in_check_line_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_hand_in_check'))
    )
    op.create_index('ix_hand_in_check_batch_id_round', 'hand_in_check', ['batch_id', 'round'], unique=False)
