"""how destructions are carried out, and their proofs"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0032'
down_revision = '0031'


def upgrade():
    op.create_table('destruction_rehearsal',
    sa.Column('id', Id(), nullable=False),
    sa.Column('made_at', Moment(), nullable=False),
    sa.Column('error', sa.String(length=100), nullable=True),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_destruction_rehearsal'))
    )
    with op.batch_alter_table('destruction_rehearsal', schema=None) as batch_op:
        batch_op.create_index('ix_destruction_rehearsal_made_at', ['made_at'], unique=False)


    op.create_table('destruction_object',
    sa.Column('content_id', Id(), nullable=False),
    sa.Column('destruction_id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('object_key', sa.String(length=200), nullable=False),
    sa.Column('upload', sa.String(length=200), nullable=True),
    sa.Column('removed_at', Moment(), nullable=True),
    sa.ForeignKeyConstraint(['destruction_id'], ['destruction.id'], name=op.f('fk_destruction_object_destruction_id')),
    sa.PrimaryKeyConstraint('content_id', name=op.f('pk_destruction_object'))
    )
    with op.batch_alter_table('destruction_object', schema=None) as batch_op:
        batch_op.create_index('ix_destruction_object_destruction_id_removed_at', ['destruction_id', 'removed_at'], unique=False)

    op.create_table('destruction_proof',
    sa.Column('id', Id(), nullable=False),
    sa.Column('destruction_id', Id(), nullable=False),
    sa.Column('made_at', Moment(), nullable=False),
    sa.Column('found', sa.Integer(), nullable=False),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['destruction_id'], ['destruction.id'], name=op.f('fk_destruction_proof_destruction_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_destruction_proof'))
    )
    with op.batch_alter_table('destruction_proof', schema=None) as batch_op:
        batch_op.create_index('ix_destruction_proof_destruction_id_made_at', ['destruction_id', 'made_at'], unique=False)

    op.create_table('destruction_run',
    sa.Column('destruction_id', Id(), nullable=False),
    sa.Column('step', sa.Enum('rows', 'keys', 'database', 'search', 'proof', 'done', name='gonestep', native_enum=False, length=32), nullable=False),
    sa.Column('began_at', Moment(), nullable=False),
    sa.Column('partitions', sa.JSON(), nullable=False),
    sa.Column('job_id', Id(), nullable=True),
    sa.Column('words_key', Id(), nullable=True),
    sa.Column('pack_at', Moment(), nullable=True),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['destruction_id'], ['destruction.id'], name=op.f('fk_destruction_run_destruction_id')),
    sa.PrimaryKeyConstraint('destruction_id', name=op.f('pk_destruction_run'))
    )
    op.create_table('destruction_trace',
    sa.Column('destruction_id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('number', sa.String(length=200), nullable=True),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.ForeignKeyConstraint(['destruction_id'], ['destruction.id'], name=op.f('fk_destruction_trace_destruction_id')),
    sa.PrimaryKeyConstraint('destruction_id', 'record_id', name=op.f('pk_destruction_trace'))
    )
