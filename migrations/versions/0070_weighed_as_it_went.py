"""what was weighed of a destroyed paper, and who took it away"""

import sqlalchemy as sa
from alembic import op

revision = '0070'
down_revision = '0069'


def upgrade():
    op.add_column('destruction', sa.Column('weighed', sa.String(length=40), nullable=True))
    op.add_column('destruction', sa.Column('taken_by', sa.String(length=200), nullable=True))
