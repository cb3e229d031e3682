"""pairs of records that may be the same and wait for a decision"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id

revision = '0011'
down_revision = '0010'

MOST_MET = 20


def upgrade():
    op.create_table('alike_record',
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('other_id', Id(), nullable=False),
    sa.ForeignKeyConstraint(['other_id'], ['record.id'], name=op.f('fk_alike_record_other_id')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_alike_record_record_id')),
    sa.PrimaryKeyConstraint('record_id', 'other_id', name=op.f('pk_alike_record'))
    )
    op.create_index('ix_alike_record_other_id', 'alike_record', ['other_id'])
    op.execute(_PAIRS)


def _sharing(table, whose, keys, where):
    """Of each group that shares ``keys``, each record with the twenty before it."""
    ranked = (
        f"SELECT DISTINCT {whose} AS whose, {', '.join(keys)}, "
        f"DENSE_RANK() OVER (PARTITION BY {', '.join(keys)} ORDER BY {whose}) AS place FROM {table} WHERE {where}"
    )
    same = ' AND '.join(f'a.{key} = b.{key}' for key in keys)
    return (
        f"SELECT a.whose AS one, b.whose AS other FROM ({ranked}) a JOIN ({ranked}) b "
        f"ON {same} AND b.place < a.place AND b.place >= a.place - {MOST_MET}"
    )


_FOUND = ' UNION '.join((
    _sharing('record', 'id', ['document_key'], 'document_key IS NOT NULL'),
    _sharing('record', 'id', ['fonds_id', 'title_key', 'drawn_up'],
             "title_key IS NOT NULL AND title_key <> '' AND drawn_from = drawn_to"),
    _sharing('content', 'record_id', ['plain_sha256'], 'plain_sha256 IS NOT NULL'),
    'SELECT record_id AS one, other_record_id AS other FROM alike_text WHERE record_id > other_record_id',
))
_PAIRS = (
    f"INSERT INTO alike_record (record_id, other_id) SELECT one, other FROM ({_FOUND}) found WHERE NOT EXISTS "
    "(SELECT 1 FROM not_the_same n WHERE n.record_id = found.one AND n.other_id = found.other)"
)
