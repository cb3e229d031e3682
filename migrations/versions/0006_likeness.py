"""texts that are alike, and document numbers and titles by which records meet"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment
from archive.spelling import number_key

revision = '0006'
down_revision = '0005'

BATCH = 1000


def upgrade():
    op.create_table('likeness',
    sa.Column('content_id', Id(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['content_id'], ['content.id'], name=op.f('fk_likeness_content_id')),
    sa.PrimaryKeyConstraint('content_id', name=op.f('pk_likeness'))
    )
    op.create_table('likeness_band',
    sa.Column('value', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('content_id', Id(), nullable=False),
    sa.ForeignKeyConstraint(['content_id'], ['content.id'], name=op.f('fk_likeness_band_content_id')),
    sa.PrimaryKeyConstraint('value', 'content_id', name=op.f('pk_likeness_band'))
    )
    op.create_index('ix_likeness_band_content_id', 'likeness_band', ['content_id'])
    op.create_table('alike_text',
    sa.Column('content_id', Id(), nullable=False),
    sa.Column('other_id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('other_record_id', Id(), nullable=False),
    sa.Column('percent', sa.Integer(), nullable=False),
    sa.Column('same', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['content_id'], ['content.id'], name=op.f('fk_alike_text_content_id')),
    sa.ForeignKeyConstraint(['other_id'], ['content.id'], name=op.f('fk_alike_text_other_id')),
    sa.ForeignKeyConstraint(['other_record_id'], ['record.id'], name=op.f('fk_alike_text_other_record_id')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_alike_text_record_id')),
    sa.PrimaryKeyConstraint('content_id', 'other_id', name=op.f('pk_alike_text'))
    )
    op.create_index('ix_alike_text_other_id', 'alike_text', ['other_id'])
    op.create_index('ix_alike_text_record_id', 'alike_text', ['record_id'])
    op.create_table('not_the_same',
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('other_id', Id(), nullable=False),
    sa.Column('decided_by', Id(), nullable=True),
    sa.Column('decided_at', Moment(), nullable=False),
    sa.ForeignKeyConstraint(['decided_by'], ['person.id'], name=op.f('fk_not_the_same_decided_by')),
    sa.ForeignKeyConstraint(['other_id'], ['record.id'], name=op.f('fk_not_the_same_other_id')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_not_the_same_record_id')),
    sa.PrimaryKeyConstraint('record_id', 'other_id', name=op.f('pk_not_the_same'))
    )
    op.create_index('ix_not_the_same_other_id', 'not_the_same', ['other_id'])
    op.add_column('record', sa.Column('title_key', sa.String(length=200), nullable=True))
    op.add_column('record', sa.Column('document_key', sa.String(length=100), nullable=True))
    _fold_what_is_there()
    op.create_index('ix_record_document_key', 'record', ['document_key'])
    op.create_index('ix_record_fonds_id_title_key_drawn_up', 'record', ['fonds_id', 'title_key', 'drawn_up'])


def _fold_what_is_there():
    record = sa.table(
        'record', sa.column('id', Id()), sa.column('title', sa.Text()), sa.column('fields', sa.JSON()),
        sa.column('title_key', sa.String()), sa.column('document_key', sa.String()),
    )
    change = record.update().where(record.c.id == sa.bindparam('whose')).values(
        title_key=sa.bindparam('title_key'), document_key=sa.bindparam('document_key')
    )
    bind = op.get_bind()
    last = None
    while True:
        some = sa.select(record.c.id, record.c.title, record.c.fields).order_by(record.c.id).limit(BATCH)
        rows = bind.execute(some if last is None else some.where(record.c.id > last)).all()
        if not rows:
            return
        bind.execute(change, [
            {
                'whose': row.id,
                'title_key': number_key(row.title)[:200],
                'document_key': number_key(str((row.fields or {}).get('document_number') or ''))[:100] or None,
            }
            for row in rows
        ])
        last = rows[-1].id
