"""what was done about backups"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0012'
down_revision = '0011'


def upgrade():
    op.create_table('backup_run',
    sa.Column('id', Id(), nullable=False),
    sa.Column('act', sa.Enum('make', 'check', 'rehearse', 'restore', name='backupact', native_enum=False, length=32), nullable=False),
    sa.Column('set_id', Id(), nullable=True),
    sa.Column('began_at', Moment(), nullable=False),
    sa.Column('ended_at', Moment(), nullable=True),
    sa.Column('error', sa.String(length=100), nullable=True),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_backup_run'))
    )
    op.create_index('ix_backup_run_act_ended_at', 'backup_run', ['act', 'ended_at'])
