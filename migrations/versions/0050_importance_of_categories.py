"""how important the records of a category are where nobody says it of one"""

import sqlalchemy as sa
from alembic import op

revision = '0050'
down_revision = '0049'


def upgrade():
    with op.batch_alter_table('category', schema=None) as batch_op:
        batch_op.add_column(sa.Column('importance', sa.Integer(), nullable=True))
