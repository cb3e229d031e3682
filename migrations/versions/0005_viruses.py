"""what a virus scanner found in a content, and which scanner looked"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'


def upgrade():
    with op.batch_alter_table('content', schema=None) as batch_op:
        batch_op.add_column(sa.Column('virus', sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column('scanned_with', sa.String(length=80), nullable=True))
