"""ways out of the house, as whoever sends by them notes"""

import sqlalchemy as sa
from alembic import op

revision = '0069'
down_revision = '0068'

CHANNELS = ('email', 'sms', 'wecom', 'dingtalk', 'feishu')


def upgrade():
    op.create_table(
        'open_way',
        sa.Column('channel', sa.Enum(*CHANNELS, name='channel', native_enum=False, length=32), nullable=False),
        sa.PrimaryKeyConstraint('channel', name=op.f('pk_open_way')),
    )
