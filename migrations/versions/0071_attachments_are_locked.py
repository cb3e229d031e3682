"""until when an attachment is locked"""

import sqlalchemy as sa
from alembic import op

from archive.database import Moment

revision = '0071'
down_revision = '0070'


def upgrade():
    with op.batch_alter_table('attachment') as table:
        table.add_column(sa.Column('locked_until', Moment(), nullable=True))
