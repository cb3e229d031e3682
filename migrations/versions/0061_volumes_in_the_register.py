"""volumes and last years of what was destroyed, as the law's register asks; of what went before they are not known"""

import sqlalchemy as sa
from alembic import op

revision = '0061'
down_revision = '0054'


def upgrade():
    with op.batch_alter_table('destroyed_record', schema=None) as batch_op:
        batch_op.add_column(sa.Column('dossier', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('volumes', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('year_to', sa.Integer(), nullable=True))
