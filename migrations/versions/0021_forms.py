"""the templates of printed forms that a house has made its own"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0021'
down_revision = '0020'


def upgrade():
    op.create_table('form_version',
    sa.Column('form', sa.String(length=40), nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('source', sa.Text(), nullable=True),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('kept_at', Moment(), nullable=False),
    sa.Column('kept_by', Id(), nullable=True),
    sa.ForeignKeyConstraint(['kept_by'], ['person.id'], name=op.f('fk_form_version_kept_by')),
    sa.PrimaryKeyConstraint('form', 'version', name=op.f('pk_form_version'))
    )
