"""questions of an appraisal's chair to people outside its panel, and their answers"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0067'
down_revision = '0066'


def upgrade():
    op.create_table('appraisal_advice',
    sa.Column('appraisal_id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('person_id', Id(), nullable=False),
    sa.Column('asked_by', Id(), nullable=False),
    sa.Column('asked_at', Moment(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('answered_at', Moment(), nullable=True),
    sa.Column('answer', sa.LargeBinary(), nullable=True),
    sa.ForeignKeyConstraint(['appraisal_id'], ['appraisal.id'], name=op.f('fk_appraisal_advice_appraisal_id')),
    sa.ForeignKeyConstraint(['asked_by'], ['person.id'], name=op.f('fk_appraisal_advice_asked_by')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_appraisal_advice_person_id')),
    sa.PrimaryKeyConstraint('appraisal_id', 'record_id', 'person_id', name=op.f('pk_appraisal_advice'))
    )
    with op.batch_alter_table('appraisal_advice', schema=None) as batch_op:
        batch_op.create_index('ix_appraisal_advice_person_id_asked_at', ['person_id', 'asked_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_appraisal_advice_record_id'), ['record_id'], unique=False)
