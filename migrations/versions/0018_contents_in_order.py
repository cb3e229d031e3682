"""the order of the items of a dossier, its volumes, and how records belong together"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

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
    dossiers = sa.text("kind = 'dossier'")
    op.create_index('ix_record_dossiers', 'record', ['fonds_id', 'created_at'], sqlite_where=dossiers, postgresql_where=dossiers)
    op.create_table('record_relation',
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('kind', sa.Enum('replaces', 'replies_to', 'attachment_of', 'derived_from', 'same_matter', name='relationkind', native_enum=False, length=32), nullable=False),
    sa.Column('other_id', Id(), nullable=False),
    sa.Column('made_by', Id(), nullable=True),
    sa.Column('made_at', Moment(), nullable=False),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_record_relation_record_id')),
    sa.ForeignKeyConstraint(['other_id'], ['record.id'], name=op.f('fk_record_relation_other_id')),
    sa.ForeignKeyConstraint(['made_by'], ['person.id'], name=op.f('fk_record_relation_made_by')),
    sa.PrimaryKeyConstraint('record_id', 'kind', 'other_id', name=op.f('pk_record_relation'))
    )
    op.create_index(op.f('ix_record_relation_other_id'), 'record_relation', ['other_id'])
