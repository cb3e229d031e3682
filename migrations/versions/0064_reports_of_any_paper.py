"""reports of damage and loss are of slips and of standing custody, too"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id

revision = '0064'
down_revision = '0063'


def upgrade():
    with op.batch_alter_table('loan_report', schema=None) as batch_op:
        batch_op.add_column(sa.Column('record_id', Id(), nullable=True))
        batch_op.add_column(sa.Column('circulation_id', Id(), nullable=True))
        batch_op.add_column(sa.Column('custody_id', Id(), nullable=True))
        batch_op.add_column(sa.Column('holder_id', Id(), nullable=True))
        batch_op.add_column(sa.Column('pages_out', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('pages_in', sa.Integer(), nullable=True))
    for name, of_loan in (
        ('record_id', 'record_id'), ('holder_id', 'borrower_id'), ('pages_out', 'pages_out'), ('pages_in', 'pages_in')
    ):
        op.execute(
            f"UPDATE loan_report SET {name} = (SELECT {of_loan} FROM loan WHERE loan.id = loan_report.loan_id)"
        )
    with op.batch_alter_table('loan_report', schema=None) as batch_op:
        batch_op.alter_column('record_id', existing_type=Id(), nullable=False)
        batch_op.alter_column('holder_id', existing_type=Id(), nullable=False)
        batch_op.alter_column('loan_id', existing_type=Id(), nullable=True)
        batch_op.create_foreign_key(batch_op.f('fk_loan_report_record_id'), 'record', ['record_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_loan_report_circulation_id'), 'circulation', ['circulation_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_loan_report_custody_id'), 'standing_custody', ['custody_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_loan_report_holder_id'), 'person', ['holder_id'], ['id'])
        batch_op.drop_index('ix_loan_report_loan_id')
        batch_op.create_index('ix_loan_report_record_id', ['record_id'], unique=False)
