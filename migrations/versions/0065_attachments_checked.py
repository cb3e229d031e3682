"""when the object of an attachment was read back and hashed, and what that found"""

import sqlalchemy as sa
from alembic import op

from archive.database import Moment

revision = '0065'
down_revision = '0064'

FOUND = ('whole', 'missing', 'changed', 'unreadable')


def upgrade():
    with op.batch_alter_table('attachment', schema=None) as batch_op:
        batch_op.add_column(sa.Column('checked_at', Moment(), nullable=True))
        batch_op.add_column(sa.Column('fixity', sa.Enum(*FOUND, name='fixity', native_enum=False, length=32), nullable=True))
