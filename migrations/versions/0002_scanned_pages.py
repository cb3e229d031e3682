"""pages whose words only OCR can find"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id

revision = '0002'
down_revision = '0001'


def upgrade():
    op.create_table('scanned_page',
    sa.Column('content_id', Id(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('waiting', 'read', 'failed', name='scanstate', native_enum=False, length=32), nullable=False),
    sa.Column('confidence', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['content_id'], ['content.id'], name=op.f('fk_scanned_page_content_id')),
    sa.PrimaryKeyConstraint('content_id', 'number', name=op.f('pk_scanned_page'))
    )
    with op.batch_alter_table('scanned_page', schema=None) as batch_op:
        batch_op.create_index('ix_scanned_page_confidence', ['confidence'], unique=False)
