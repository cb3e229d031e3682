"""which drafts came in by a bag of another archive"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0076'
down_revision = '0075'


def upgrade():
    op.create_table('bag_draft',
    sa.Column('bag_id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.ForeignKeyConstraint(['bag_id'], ['bag_intake.id'], name=op.f('fk_bag_draft_bag_id')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_bag_draft_record_id')),
    sa.PrimaryKeyConstraint('bag_id', 'record_id', name=op.f('pk_bag_draft'))
    )
    op.create_index(op.f('ix_bag_draft_record_id'), 'bag_draft', ['record_id'])
