"""what waits is counted along an index: papers not on a shelf, secrecy until a condition, ZIPs, levels, checks of files"""

import sqlalchemy as sa
from alembic import op

revision = '0074'
down_revision = '0073'

ON_PAPER = sa.text("state = 'filed' AND medium <> 'electronic'")
HELD = sa.text("store_version IS NOT NULL AND state <> 'receiving'")
CONDITION, ZIPPED = sa.text('ends IS NULL'), sa.text("lower(name) LIKE '%.zip'")


def upgrade():
    op.create_index(
        'ix_record_filed_on_paper', 'record', ['created_at', 'id'], sqlite_where=ON_PAPER, postgresql_where=ON_PAPER
    )
    op.create_index(
        'ix_record_secrecy_condition', 'record_secrecy', ['record_id'],
        sqlite_where=CONDITION, postgresql_where=CONDITION,
    )
    op.create_index('ix_record_id_level_rank', 'record', ['id', 'level_rank'])
    op.create_index(
        'ix_content_held', 'content', ['checked_at', 'created_at'], sqlite_where=HELD, postgresql_where=HELD
    )
    op.create_index('ix_file_zipped', 'file', ['content_id'], sqlite_where=ZIPPED, postgresql_where=ZIPPED)
