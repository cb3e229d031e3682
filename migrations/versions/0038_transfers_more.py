"""transfers: bags made by a job, what becomes of the copies that stay, bags that come in"""

import sqlalchemy as sa
from alembic import op
from archive.database import Id, Moment

revision = '0038'
down_revision = '0037'


def upgrade():
    op.create_table('transfer_part',
    sa.Column('transfer_id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['transfer_id'], ['transfer.id'], name=op.f('fk_transfer_part_transfer_id')),
    sa.PrimaryKeyConstraint('transfer_id', 'record_id', name=op.f('pk_transfer_part'))
    )
    with op.batch_alter_table('transfer_part', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_transfer_part_record_id'), ['record_id'], unique=False)

    with op.batch_alter_table('transfer', schema=None) as batch_op:
        batch_op.add_column(sa.Column('bag', sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column('packing_since', Moment(), nullable=True))
        batch_op.add_column(sa.Column('packing_fault', sa.String(length=40), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('afterwards', sa.Enum('keep', 'appraise', name='afterwards', native_enum=False, length=32), nullable=False, server_default='keep'))

    op.create_table('bag_intake',
    sa.Column('id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('content_id', Id(), nullable=False),
    sa.Column('category_id', Id(), nullable=False),
    sa.Column('level_rank', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('running', 'done', 'failed', 'stopped', name='bagstate', native_enum=False, length=32), nullable=False),
    sa.Column('begun_by', Id(), nullable=False),
    sa.Column('begun_at', Moment(), nullable=False),
    sa.Column('number', sa.String(length=100), nullable=False),
    sa.Column('records', sa.Integer(), nullable=False),
    sa.Column('done', sa.Integer(), nullable=False),
    sa.Column('fault', sa.String(length=300), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['begun_by'], ['person.id'], name=op.f('fk_bag_intake_begun_by')),
    sa.ForeignKeyConstraint(['category_id'], ['category.id'], name=op.f('fk_bag_intake_category_id')),
    sa.ForeignKeyConstraint(['level_rank'], ['level.rank'], name=op.f('fk_bag_intake_level_rank')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_bag_intake_record_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bag_intake'))
    )
    with op.batch_alter_table('bag_intake', schema=None) as batch_op:
        batch_op.create_index('ix_bag_intake_begun_by_begun_at', ['begun_by', 'begun_at'], unique=False)
        batch_op.create_index('ix_bag_intake_record_id', ['record_id'], unique=False)
