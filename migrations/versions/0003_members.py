"""files that lay inside other files"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id

revision = '0003'
down_revision = '0002'


def upgrade():
    with op.batch_alter_table('file', schema=None) as batch_op:
        batch_op.add_column(sa.Column('inside_id', Id(), nullable=True))
        batch_op.add_column(sa.Column('inside_path', sa.Text(), nullable=True))
        batch_op.create_index(batch_op.f('ix_file_inside_id'), ['inside_id'], unique=False)
    with op.batch_alter_table('content', schema=None) as batch_op:
        batch_op.add_column(sa.Column('members', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('members_lost', sa.Integer(), nullable=True))
