"""one's own requests by their state, of which very many may have ended"""

from alembic import op

revision = '0054'
down_revision = '0053'


def upgrade():
    op.create_index('ix_approval_asked_by_state', 'approval', ['asked_by', 'state'], unique=False)
