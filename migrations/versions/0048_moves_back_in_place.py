"""where the items of a move lay among others, and the level of the dossier before it"""

import sqlalchemy as sa
from alembic import op

revision = '0048'
down_revision = '0046'


def upgrade():
    with op.batch_alter_table('bulk_move', schema=None) as batch_op:
        batch_op.add_column(sa.Column('level_before', sa.Integer(), nullable=True))

    with op.batch_alter_table('bulk_move_row', schema=None) as batch_op:
        batch_op.add_column(sa.Column('behind', sa.Integer(), nullable=True))
