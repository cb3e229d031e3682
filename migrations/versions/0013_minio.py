"""until when the object of a content is locked in a store that can lock"""

import sqlalchemy as sa
from alembic import op

from archive.database import Moment

revision = '0013'
down_revision = '0012'


def upgrade():
    with op.batch_alter_table('content') as table:
        table.add_column(sa.Column('locked_until', Moment(), nullable=True))
