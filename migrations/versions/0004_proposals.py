"""values proposed for records from the words of their files"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id

revision = '0004'
down_revision = '0003'


def upgrade():
    op.create_table('proposal',
    sa.Column('content_id', Id(), nullable=False),
    sa.Column('field', sa.String(length=40), nullable=False),
    sa.Column('state', sa.Enum('waiting', 'taken', 'dismissed', name='proposalstate', native_enum=False, length=32), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['content_id'], ['content.id'], name=op.f('fk_proposal_content_id')),
    sa.PrimaryKeyConstraint('content_id', 'field', name=op.f('pk_proposal'))
    )
    with op.batch_alter_table('proposal', schema=None) as batch_op:
        batch_op.create_index('ix_proposal_state', ['state'], unique=False)
