"""what a person sent is listed page by page: its index gives the order of files of one moment, too"""

from alembic import op

revision = '0075'
down_revision = '0074'


def upgrade():
    op.create_index('ix_content_created_by_created_at_id', 'content', ['created_by', 'created_at', 'id'])
    op.drop_index('ix_content_created_by_created_at', 'content')
