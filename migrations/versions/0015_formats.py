"""which engine read a scanned page"""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'


def upgrade():
    with op.batch_alter_table('scanned_page', schema=None) as batch_op:
        batch_op.add_column(sa.Column('engine', sa.String(length=40), nullable=True))
