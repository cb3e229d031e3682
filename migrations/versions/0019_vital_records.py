"""which records are vital, and when that is looked at again; a file is found by its content"""

import sqlalchemy as sa
from alembic import op

revision = '0019'
down_revision = '0018'


def upgrade():
    op.add_column('record', sa.Column('vital_review', sa.Date(), nullable=True))
    where = sa.text('vital_review IS NOT NULL')
    op.create_index('ix_record_vital_review_id', 'record', ['vital_review', 'id'], unique=False,
                    sqlite_where=where, postgresql_where=where)
    op.create_index(op.f('ix_file_content_id'), 'file', ['content_id'], unique=False)
