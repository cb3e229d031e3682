"""reports of closed appraisals, kept as they were printed first; the index has another schema and is made anew"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment
from archive.ids import new_id

revision = '0046'
down_revision = '0045'


def upgrade():
    op.create_table('appraisal_form',
    sa.Column('appraisal_id', Id(), nullable=False),
    sa.Column('locale', sa.String(length=8), nullable=False),
    sa.Column('pdf', sa.LargeBinary(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('kept_at', Moment(), nullable=False),
    sa.ForeignKeyConstraint(['appraisal_id'], ['appraisal.id'], name=op.f('fk_appraisal_form_appraisal_id')),
    sa.PrimaryKeyConstraint('appraisal_id', 'locale', name=op.f('pk_appraisal_form'))
    )
    op.create_table('appraisal_lines',
    sa.Column('appraisal_id', Id(), nullable=False),
    sa.Column('lines', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['appraisal_id'], ['appraisal.id'], name=op.f('fk_appraisal_lines_appraisal_id')),
    sa.PrimaryKeyConstraint('appraisal_id', name=op.f('pk_appraisal_lines'))
    )
    if op.get_bind().execute(sa.text('SELECT 1 FROM record LIMIT 1')).first():
        now = datetime.now(UTC)
        job = sa.table('job', sa.column('id', Id()), sa.column('kind', sa.String()), sa.column('payload', sa.JSON()),
                       sa.column('state', sa.String()), sa.column('attempts', sa.Integer()),
                       sa.column('run_after', Moment()), sa.column('created_at', Moment()))
        op.bulk_insert(job, [{'id': new_id(), 'kind': 'rebuild', 'payload': {'repair': True}, 'state': 'queued',
                              'attempts': 0, 'run_after': now, 'created_at': now}])
