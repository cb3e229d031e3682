"""indexes by which messages that were read or went out long ago are found and forgotten"""

from alembic import op

revision = '0066'
down_revision = '0065'


def upgrade():
    op.create_index('ix_message_read_at', 'message', ['read_at'], unique=False)
    op.create_index('ix_delivery_state_changed_at', 'delivery', ['state', 'changed_at'], unique=False)
