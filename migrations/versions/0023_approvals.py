"""requests that need a yes"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0023'
down_revision = '0021'


def upgrade():
    op.create_table('approval',
    sa.Column('id', Id(), nullable=False),
    sa.Column('kind', sa.Enum('correction', name='approvalkind', native_enum=False, length=32), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('state', sa.Enum('asked', 'approved', 'refused', 'withdrawn', name='approvalstate', native_enum=False, length=32), nullable=False),
    sa.Column('asked_by', Id(), nullable=False),
    sa.Column('asked_at', Moment(), nullable=False),
    sa.Column('decided_by', Id(), nullable=True),
    sa.Column('decided_at', Moment(), nullable=True),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('answer', sa.LargeBinary(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['asked_by'], ['person.id'], name=op.f('fk_approval_asked_by_person')),
    sa.ForeignKeyConstraint(['decided_by'], ['person.id'], name=op.f('fk_approval_decided_by_person')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_approval_record_id_record')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_approval'))
    )
    op.create_index('ix_approval_record_id', 'approval', ['record_id'], unique=False)
    op.create_index('ix_approval_state_asked_at_id', 'approval', ['state', 'asked_at', 'id'], unique=False)
    op.create_index('ix_approval_asked_by_asked_at_id', 'approval', ['asked_by', 'asked_at', 'id'], unique=False)
