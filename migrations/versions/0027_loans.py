"""approval steps, deputies, house rules and loans"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0027'
down_revision = '0026'


def upgrade():
    op.create_table('deputy',
    sa.Column('id', Id(), nullable=False),
    sa.Column('person_id', Id(), nullable=False),
    sa.Column('deputy_id', Id(), nullable=False),
    sa.Column('since', sa.Date(), nullable=False),
    sa.Column('until', sa.Date(), nullable=False),
    sa.Column('made_at', Moment(), nullable=False),
    sa.Column('ended_at', Moment(), nullable=True),
    sa.ForeignKeyConstraint(['deputy_id'], ['person.id'], name=op.f('fk_deputy_deputy_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_deputy_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_deputy'))
    )
    with op.batch_alter_table('deputy', schema=None) as batch_op:
        batch_op.create_index('ix_deputy_deputy_id', ['deputy_id'], unique=False)
        batch_op.create_index('ix_deputy_person_id', ['person_id'], unique=False)

    op.create_table('house_rule',
    sa.Column('book', sa.Enum('routes', 'loans', name='rulebook', native_enum=False, length=32), nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('document', sa.JSON(), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('kept_at', Moment(), nullable=False),
    sa.Column('kept_by', Id(), nullable=True),
    sa.ForeignKeyConstraint(['kept_by'], ['person.id'], name=op.f('fk_house_rule_kept_by')),
    sa.PrimaryKeyConstraint('book', 'version', name=op.f('pk_house_rule'))
    )
    op.create_table('approval_decider',
    sa.Column('approval_id', Id(), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('token', sa.String(length=100), nullable=False),
    sa.Column('done_by', Id(), nullable=True),
    sa.ForeignKeyConstraint(['approval_id'], ['approval.id'], name=op.f('fk_approval_decider_approval_id')),
    sa.ForeignKeyConstraint(['done_by'], ['person.id'], name=op.f('fk_approval_decider_done_by')),
    sa.PrimaryKeyConstraint('approval_id', 'number', 'token', name=op.f('pk_approval_decider'))
    )
    with op.batch_alter_table('approval_decider', schema=None) as batch_op:
        batch_op.create_index('ix_approval_decider_token', ['token'], unique=False)

    op.create_table('approval_step',
    sa.Column('approval_id', Id(), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('every', sa.Boolean(), nullable=False),
    sa.Column('finds', sa.Boolean(), nullable=False),
    sa.Column('days', sa.Integer(), nullable=True),
    sa.Column('escalate', sa.JSON(), nullable=False),
    sa.Column('due_at', Moment(), nullable=True),
    sa.Column('escalated_at', Moment(), nullable=True),
    sa.ForeignKeyConstraint(['approval_id'], ['approval.id'], name=op.f('fk_approval_step_approval_id')),
    sa.PrimaryKeyConstraint('approval_id', 'number', name=op.f('pk_approval_step'))
    )
    with op.batch_alter_table('approval_step', schema=None) as batch_op:
        batch_op.create_index('ix_approval_step_due_at', ['due_at'], unique=False)

    op.create_table('approval_word',
    sa.Column('id', Id(), nullable=False),
    sa.Column('approval_id', Id(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('person_id', Id(), nullable=False),
    sa.Column('instead_of', Id(), nullable=True),
    sa.Column('said', sa.Enum('approved', 'refused', 'question', 'answer', 'found', name='said', native_enum=False, length=32), nullable=False),
    sa.Column('at', Moment(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['approval_id'], ['approval.id'], name=op.f('fk_approval_word_approval_id')),
    sa.ForeignKeyConstraint(['instead_of'], ['person.id'], name=op.f('fk_approval_word_instead_of')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_approval_word_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_approval_word'))
    )
    with op.batch_alter_table('approval_word', schema=None) as batch_op:
        batch_op.create_index('ix_approval_word_approval_id_at', ['approval_id', 'at'], unique=False)

    op.create_table('loan',
    sa.Column('id', Id(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('approval_id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=True),
    sa.Column('borrower_id', Id(), nullable=False),
    sa.Column('department_id', Id(), nullable=True),
    sa.Column('form', sa.Enum('out', 'room', 'screen', name='loanform', native_enum=False, length=32), nullable=False),
    sa.Column('copying', sa.Boolean(), nullable=False),
    sa.Column('purpose', sa.String(length=32), nullable=False),
    sa.Column('days', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('asked', 'ready', 'open', 'returned', 'ended', 'refused', 'withdrawn', 'lapsed', 'lost', name='loanstate', native_enum=False, length=32), nullable=False),
    sa.Column('asked_at', Moment(), nullable=False),
    sa.Column('ready_at', Moment(), nullable=True),
    sa.Column('slip', Id(), nullable=True),
    sa.Column('copy_id', Id(), nullable=True),
    sa.Column('right_id', Id(), nullable=True),
    sa.Column('issued_on', sa.Date(), nullable=True),
    sa.Column('issued_at', Moment(), nullable=True),
    sa.Column('issued_by', Id(), nullable=True),
    sa.Column('due_on', sa.Date(), nullable=True),
    sa.Column('pages_out', sa.Integer(), nullable=True),
    sa.Column('condition_out', sa.Enum('good', 'worn', 'damaged', 'unreadable', name='copycondition', native_enum=False, length=32), nullable=True),
    sa.Column('ended_at', Moment(), nullable=True),
    sa.Column('received_by', Id(), nullable=True),
    sa.Column('brought_by', Id(), nullable=True),
    sa.Column('pages_in', sa.Integer(), nullable=True),
    sa.Column('condition_in', sa.Enum('good', 'worn', 'damaged', 'unreadable', name='copycondition', native_enum=False, length=32), nullable=True),
    sa.Column('effect', sa.LargeBinary(), nullable=True),
    sa.Column('recalled_at', Moment(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['approval_id'], ['approval.id'], name=op.f('fk_loan_approval_id')),
    sa.ForeignKeyConstraint(['borrower_id'], ['person.id'], name=op.f('fk_loan_borrower_id')),
    sa.ForeignKeyConstraint(['brought_by'], ['person.id'], name=op.f('fk_loan_brought_by')),
    sa.ForeignKeyConstraint(['copy_id'], ['copy.id'], name=op.f('fk_loan_copy_id')),
    sa.ForeignKeyConstraint(['department_id'], ['department.id'], name=op.f('fk_loan_department_id')),
    sa.ForeignKeyConstraint(['issued_by'], ['person.id'], name=op.f('fk_loan_issued_by')),
    sa.ForeignKeyConstraint(['received_by'], ['person.id'], name=op.f('fk_loan_received_by')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_loan_record_id')),
    sa.ForeignKeyConstraint(['right_id'], ['reading_right.id'], name=op.f('fk_loan_right_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_loan')),
    sa.UniqueConstraint('approval_id', name=op.f('uq_loan_approval_id')),
    sa.UniqueConstraint('number', name=op.f('uq_loan_number'))
    )
    with op.batch_alter_table('loan', schema=None) as batch_op:
        batch_op.create_index('ix_loan_borrower_id_id', ['borrower_id', 'id'], unique=False)
        batch_op.create_index('ix_loan_record_id_state', ['record_id', 'state'], unique=False)
        batch_op.create_index('ix_loan_slip', ['slip'], unique=False)
        batch_op.create_index('ix_loan_state_due_on_id', ['state', 'due_on', 'id'], unique=False)
        batch_op.create_index('ix_loan_state_id', ['state', 'id'], unique=False)
        batch_op.create_index('uq_loan_copy_out', ['copy_id'], unique=True, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))

    op.create_table('loan_report',
    sa.Column('id', Id(), nullable=False),
    sa.Column('loan_id', Id(), nullable=False),
    sa.Column('harm', sa.Enum('damaged', 'pages', 'lost', name='harm', native_enum=False, length=32), nullable=False),
    sa.Column('opened_at', Moment(), nullable=False),
    sa.Column('opened_by', Id(), nullable=True),
    sa.Column('found', sa.LargeBinary(), nullable=False),
    sa.Column('closed_at', Moment(), nullable=True),
    sa.Column('closed_by', Id(), nullable=True),
    sa.Column('done', sa.LargeBinary(), nullable=True),
    sa.Column('cost', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['closed_by'], ['person.id'], name=op.f('fk_loan_report_closed_by')),
    sa.ForeignKeyConstraint(['loan_id'], ['loan.id'], name=op.f('fk_loan_report_loan_id')),
    sa.ForeignKeyConstraint(['opened_by'], ['person.id'], name=op.f('fk_loan_report_opened_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_loan_report'))
    )
    with op.batch_alter_table('loan_report', schema=None) as batch_op:
        batch_op.create_index('ix_loan_report_closed_at_id', ['closed_at', 'id'], unique=False)
        batch_op.create_index('ix_loan_report_loan_id', ['loan_id'], unique=False)

    with op.batch_alter_table('approval', schema=None) as batch_op:
        batch_op.add_column(sa.Column('owner_id', Id(), nullable=True))
        batch_op.add_column(sa.Column('about_id', Id(), nullable=True))
        batch_op.add_column(sa.Column('step', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('for_id', Id(), nullable=True))
        batch_op.alter_column('record_id', existing_type=Id(), nullable=True)
        batch_op.create_foreign_key(batch_op.f('fk_approval_for_id'), 'person', ['for_id'], ['id'])
    with op.batch_alter_table('approval', schema=None) as batch_op:
        batch_op.alter_column('step', server_default=None, existing_type=sa.Integer(), existing_nullable=False)
    with op.batch_alter_table('reading_right', schema=None) as batch_op:
        batch_op.add_column(sa.Column('copying', sa.Boolean(), nullable=False, server_default=sa.true()))
    with op.batch_alter_table('reading_right', schema=None) as batch_op:
        batch_op.alter_column('copying', server_default=None, existing_type=sa.Boolean(), existing_nullable=False)
