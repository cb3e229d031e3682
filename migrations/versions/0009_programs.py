"""what programs were answered, and what a token opens"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0009'
down_revision = '0008'


def upgrade():
    op.create_table('api_answer',
    sa.Column('person_id', Id(), nullable=False),
    sa.Column('key', sa.String(length=255), nullable=False),
    sa.Column('request', sa.String(length=64), nullable=False),
    sa.Column('made', Id(), nullable=True),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('answer', sa.Text(), nullable=True),
    sa.Column('created_at', Moment(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_api_answer_person_id')),
    sa.PrimaryKeyConstraint('person_id', 'key', name=op.f('pk_api_answer'))
    )
    with op.batch_alter_table('api_answer', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_api_answer_created_at'), ['created_at'], unique=False)
    # what was made before could only read
    with op.batch_alter_table('api_token', schema=None) as batch_op:
        batch_op.add_column(sa.Column('scope', sa.Enum('read', 'write', name='tokenscope', native_enum=False, length=32), nullable=False, server_default='read'))
