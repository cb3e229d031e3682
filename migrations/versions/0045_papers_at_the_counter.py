"""papers in standing custody that wait at the counter, visits that are not in the register of readers yet, and indices of loans"""

import sqlalchemy as sa
from alembic import op

from archive.database import Moment

revision = '0045'
down_revision = '0044'


def upgrade():
    with op.batch_alter_table('standing_custody', schema=None) as batch_op:
        batch_op.add_column(sa.Column('issued_at', Moment(), nullable=True))
        batch_op.add_column(sa.Column('pages_out', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('condition_out', sa.Enum('good', 'worn', 'damaged', 'unreadable', name='copycondition', native_enum=False, length=32), nullable=True))
    op.execute("UPDATE standing_custody SET issued_at = begun_at")

    # lists of loans are walked along an index, however many loans are past
    op.drop_index('ix_loan_state_id', 'loan')
    op.create_index('ix_loan_state_number', 'loan', ['state', 'number'], unique=False)
    op.create_index('ix_loan_borrower_id_state', 'loan', ['borrower_id', 'state'], unique=False)
    op.create_index('ix_loan_asked_at', 'loan', ['asked_at'], unique=False)
    op.create_index('ix_loan_issued_at_id', 'loan', ['issued_at', 'id'], unique=False)
    others = sa.text('for_id IS NOT NULL')
    op.create_index('ix_approval_asked_by_for_others', 'approval', ['asked_by'], unique=False, sqlite_where=others, postgresql_where=others)

    ungathered = sa.text("reader_id IS NULL AND token <> ''")
    op.create_index('ix_outside_use_ungathered', 'outside_use', ['id'], unique=False, sqlite_where=ungathered, postgresql_where=ungathered)
