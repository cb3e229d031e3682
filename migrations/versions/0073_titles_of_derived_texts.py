"""titles of the texts that a review derives from many records, each under the key of its record"""

import sqlalchemy as sa
from alembic import op

revision = '0073'
down_revision = '0072'


def upgrade():
    op.add_column('secrecy_review_item', sa.Column('title', sa.LargeBinary(), nullable=True))
