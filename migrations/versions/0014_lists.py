"""columns that people chose for their lists, what they typed and did not send yet, and indices for the desk"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0014'
down_revision = '0013'


def upgrade():
    op.create_table('list_columns',
    sa.Column('person_id', Id(), nullable=False),
    sa.Column('name', sa.String(length=32), nullable=False),
    sa.Column('columns', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_list_columns_person_id')),
    sa.PrimaryKeyConstraint('person_id', 'name', name=op.f('pk_list_columns'))
    )
    op.create_table('form_draft',
    sa.Column('id', Id(), nullable=False),
    sa.Column('person_id', Id(), nullable=False),
    sa.Column('form', sa.String(length=80), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('changed_at', Moment(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_form_draft_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_form_draft')),
    sa.UniqueConstraint('person_id', 'form', name=op.f('uq_form_draft_person_id_form'))
    )
    op.create_index('ix_record_state_created_at_id', 'record', ['state', 'created_at', 'id'])
    op.create_index('ix_content_state', 'content', ['state'])
    op.create_index('ix_form_draft_changed_at', 'form_draft', ['changed_at'])
