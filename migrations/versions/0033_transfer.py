"""how long records are secret, reviews of that, opening appraisal; transfers to other archives"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0033'
down_revision = '0032'


def upgrade():
    op.create_table('record_opening',
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('released', sa.Boolean(), nullable=False),
    sa.Column('since', sa.Date(), nullable=False),
    sa.Column('until', sa.Date(), nullable=True),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_record_opening_record_id')),
    sa.PrimaryKeyConstraint('record_id', name=op.f('pk_record_opening'))
    )
    op.create_table('record_secrecy',
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('level_rank', sa.Integer(), nullable=False),
    sa.Column('since', sa.Date(), nullable=False),
    sa.Column('months', sa.Integer(), nullable=True),
    sa.Column('ends', sa.Date(), nullable=True),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('noticed_on', sa.Date(), nullable=True),
    sa.CheckConstraint('(months IS NULL) = (ends IS NULL)', name=op.f('ck_record_secrecy_dated')),
    sa.ForeignKeyConstraint(['level_rank'], ['level.rank'], name=op.f('fk_record_secrecy_level_rank')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_record_secrecy_record_id')),
    sa.PrimaryKeyConstraint('record_id', name=op.f('pk_record_secrecy'))
    )
    with op.batch_alter_table('record_secrecy', schema=None) as batch_op:
        batch_op.create_index('ix_record_secrecy_ends_record_id', ['ends', 'record_id'], unique=False, sqlite_where=sa.text('ends IS NOT NULL'), postgresql_where=sa.text('ends IS NOT NULL'))

    op.create_table('secrecy_review',
    sa.Column('id', Id(), nullable=False),
    sa.Column('approval_id', Id(), nullable=False),
    sa.Column('verdict', sa.Enum('lower', 'raise', 'extend', 'declassify', 'derive', 'open', 'control', name='secrecyverdict', native_enum=False, length=32), nullable=False),
    sa.Column('to_level', sa.Integer(), nullable=True),
    sa.Column('months', sa.Integer(), nullable=True),
    sa.Column('until', sa.Date(), nullable=True),
    sa.ForeignKeyConstraint(['approval_id'], ['approval.id'], name=op.f('fk_secrecy_review_approval_id')),
    sa.ForeignKeyConstraint(['to_level'], ['level.rank'], name=op.f('fk_secrecy_review_to_level')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_secrecy_review')),
    sa.UniqueConstraint('approval_id', name=op.f('uq_secrecy_review_approval_id'))
    )
    op.create_table('secrecy_review_item',
    sa.Column('review_id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('level_rank', sa.Integer(), nullable=False),
    sa.Column('outcome', sa.Enum('waiting', 'done', 'changed', 'contents', name='secrecyoutcome', native_enum=False, length=32), nullable=False),
    sa.Column('derived_id', Id(), nullable=True),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_secrecy_review_item_record_id')),
    sa.ForeignKeyConstraint(['review_id'], ['secrecy_review.id'], name=op.f('fk_secrecy_review_item_review_id')),
    sa.PrimaryKeyConstraint('review_id', 'record_id', name=op.f('pk_secrecy_review_item'))
    )
    with op.batch_alter_table('secrecy_review_item', schema=None) as batch_op:
        batch_op.create_index('ix_secrecy_review_item_record_id', ['record_id'], unique=False)

    with op.batch_alter_table('level', schema=None) as batch_op:
        batch_op.add_column(sa.Column('secrecy_months', sa.Integer(), nullable=True))

    op.create_table('transfer',
    sa.Column('id', Id(), nullable=False),
    sa.Column('number', sa.String(length=20), nullable=False),
    sa.Column('receiver', sa.String(length=200), nullable=False),
    sa.Column('purpose', sa.String(length=500), nullable=False),
    sa.Column('state', sa.Enum('draft', 'asked', 'approved', 'packed', 'received', 'closed', 'refused', 'withdrawn', name='transferstate', native_enum=False, length=32), nullable=False),
    sa.Column('begun_by', Id(), nullable=False),
    sa.Column('begun_at', Moment(), nullable=False),
    sa.Column('approval_id', Id(), nullable=True),
    sa.Column('packed_at', Moment(), nullable=True),
    sa.Column('bag_sha256', sa.String(length=64), nullable=True),
    sa.Column('received_by', sa.String(length=200), nullable=True),
    sa.Column('received_on', sa.Date(), nullable=True),
    sa.Column('scan_sha256', sa.String(length=64), nullable=True),
    sa.Column('closed_at', Moment(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['approval_id'], ['approval.id'], name=op.f('fk_transfer_approval_id')),
    sa.ForeignKeyConstraint(['begun_by'], ['person.id'], name=op.f('fk_transfer_begun_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_transfer')),
    sa.UniqueConstraint('number', name=op.f('uq_transfer_number'))
    )
    with op.batch_alter_table('transfer', schema=None) as batch_op:
        batch_op.create_index('ix_transfer_begun_at_id', ['begun_at', 'id'], unique=False)

    op.create_table('transfer_item',
    sa.Column('transfer_id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('listed', 'pulled', 'disputed', 'transferred', name='transferitemstate', native_enum=False, length=32), nullable=False),
    sa.Column('pulled', sa.Enum('unfiled', 'undue', 'held', 'lent', 'missing', 'unsettled', 'objected', 'not_there', name='stop', native_enum=False, length=32), nullable=True),
    sa.Column('told', sa.String(length=500), nullable=False),
    sa.ForeignKeyConstraint(['transfer_id'], ['transfer.id'], name=op.f('fk_transfer_item_transfer_id')),
    sa.PrimaryKeyConstraint('transfer_id', 'record_id', name=op.f('pk_transfer_item'))
    )
    with op.batch_alter_table('transfer_item', schema=None) as batch_op:
        batch_op.create_index('ix_transfer_item_record_id', ['record_id'], unique=False)

    # levels as they are shipped; the daily job begins the periods of what stands already
    for months, codes in ((360, "'top', 'grade1'"), (240, "'high', 'grade2'"), (120, "'secret', 'grade3'")):
        op.execute(f"UPDATE level SET secrecy_months = {months} WHERE code IN ({codes})")
