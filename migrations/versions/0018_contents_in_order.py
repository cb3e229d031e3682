"""the order of the items of a dossier, and the volumes that it is divided into"""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'


def upgrade():
    op.add_column('record', sa.Column('position', sa.Integer(), nullable=True))
    op.add_column('record', sa.Column('volume', sa.Integer(), nullable=True))
    # what is in the bin lies in no dossier
    op.execute("UPDATE record SET dossier_id = NULL WHERE state = 'binned' AND kind = 'item'")
    op.execute(
        'UPDATE record SET position = (SELECT count(*) FROM record AS other WHERE other.dossier_id = record.dossier_id '
        'AND (other.created_at < record.created_at OR (other.created_at = record.created_at AND other.id <= record.id)))'
        ' WHERE dossier_id IS NOT NULL'
    )
    op.drop_index('ix_record_dossier_id', 'record')
    op.create_index('ix_record_dossier_id_position', 'record', ['dossier_id', 'position'])
