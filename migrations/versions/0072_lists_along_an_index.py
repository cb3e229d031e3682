"""lists that had to sort or read all there is: records under need-to-know, doubtful pages, what a person sent"""

import sqlalchemy as sa
from alembic import op

revision = '0072'
down_revision = '0071'

IN_GROUPS, FAILED = sa.text('group_id IS NOT NULL'), sa.text("state = 'failed'")


def upgrade():
    op.create_index(
        'ix_record_level_rank_in_groups', 'record', ['level_rank'], sqlite_where=IN_GROUPS, postgresql_where=IN_GROUPS
    )
    op.create_index('ix_content_created_by_created_at', 'content', ['created_by', 'created_at'])
    op.create_index(
        'ix_scanned_page_confidence_content_id_number', 'scanned_page', ['confidence', 'content_id', 'number']
    )
    op.create_index(
        'ix_scanned_page_failed', 'scanned_page', ['content_id', 'number'],
        sqlite_where=FAILED, postgresql_where=FAILED,
    )
    op.drop_index('ix_scanned_page_confidence', 'scanned_page')
