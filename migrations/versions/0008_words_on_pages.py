"""where words lie on scanned pages, and how often their reading ran out of time"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'


def upgrade():
    with op.batch_alter_table('scanned_page', schema=None) as batch_op:
        batch_op.add_column(sa.Column('layout', sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column('attempts', sa.Integer(), nullable=False, server_default='0'))
