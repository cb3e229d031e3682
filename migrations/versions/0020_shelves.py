"""rooms, cabinets, shelves and boxes; copies of records and their moves; where each level may lie"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0020'
down_revision = '0019'

SECURITY = ('work_area', 'cabinet', 'locked_cabinet', 'secure_room')


def _word(name, *words):
    return sa.Enum(*words, name=name, native_enum=False, length=32)


def upgrade():
    op.create_table('shelf_place',
    sa.Column('id', Id(), nullable=False),
    sa.Column('parent_id', Id(), nullable=True),
    sa.Column('kind', _word('shelfkind', 'room', 'cabinet', 'shelf', 'box'), nullable=False),
    sa.Column('code', sa.String(length=8), nullable=False),
    sa.Column('path', sa.String(length=40), nullable=False),
    sa.Column('names', sa.JSON(), nullable=False),
    sa.Column('security', _word('security', *SECURITY), nullable=True),
    sa.Column('strength', sa.Integer(), nullable=False),
    sa.Column('capacity', sa.Integer(), nullable=True),
    sa.Column('taken', sa.Integer(), nullable=False),
    sa.Column('custodian_id', Id(), nullable=True),
    sa.Column('closed_at', Moment(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint('taken >= 0', name=op.f('ck_shelf_place_counted')),
    sa.CheckConstraint('capacity is null or taken <= capacity', name=op.f('ck_shelf_place_fits')),
    sa.ForeignKeyConstraint(['custodian_id'], ['person.id'], name=op.f('fk_shelf_place_custodian_id')),
    sa.ForeignKeyConstraint(['parent_id'], ['shelf_place.id'], name=op.f('fk_shelf_place_parent_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_shelf_place')),
    sa.UniqueConstraint('path', name=op.f('uq_shelf_place_path'))
    )
    op.create_index('ix_shelf_place_parent_id', 'shelf_place', ['parent_id'])
    op.create_table('copy',
    sa.Column('id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('carrier', _word('carrier', 'paper', 'photograph', 'drawing', 'disc', 'drive', 'film', 'tape', 'object'), nullable=False),
    sa.Column('condition', _word('copycondition', 'good', 'worn', 'damaged', 'unreadable'), nullable=False),
    sa.Column('pages', sa.Integer(), nullable=True),
    sa.Column('original', sa.Boolean(), nullable=False),
    sa.Column('original_at', sa.String(length=200), nullable=True),
    sa.Column('place_id', Id(), nullable=True),
    sa.Column('holder_id', Id(), nullable=True),
    sa.Column('created_at', Moment(), nullable=False),
    sa.Column('withdrawn_at', Moment(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint('place_id is null or holder_id is null', name=op.f('ck_copy_one_place')),
    sa.CheckConstraint('withdrawn_at is null or (place_id is null and holder_id is null)', name=op.f('ck_copy_withdrawn_lies_nowhere')),
    sa.ForeignKeyConstraint(['holder_id'], ['person.id'], name=op.f('fk_copy_holder_id')),
    sa.ForeignKeyConstraint(['place_id'], ['shelf_place.id'], name=op.f('fk_copy_place_id')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_copy_record_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_copy')),
    sa.UniqueConstraint('record_id', 'number', name=op.f('uq_copy_record_id_number'))
    )
    op.create_index('ix_copy_place_id', 'copy', ['place_id'])
    op.create_index('ix_copy_holder_id', 'copy', ['holder_id'])
    op.create_table('copy_move',
    sa.Column('id', Id(), nullable=False),
    sa.Column('at', Moment(), nullable=False),
    sa.Column('copy_id', Id(), nullable=True),
    sa.Column('moved_id', Id(), nullable=True),
    sa.Column('from_id', Id(), nullable=True),
    sa.Column('to_id', Id(), nullable=True),
    sa.Column('holder_id', Id(), nullable=True),
    sa.Column('person_id', Id(), nullable=True),
    sa.ForeignKeyConstraint(['copy_id'], ['copy.id'], name=op.f('fk_copy_move_copy_id')),
    sa.ForeignKeyConstraint(['moved_id'], ['shelf_place.id'], name=op.f('fk_copy_move_moved_id')),
    sa.ForeignKeyConstraint(['from_id'], ['shelf_place.id'], name=op.f('fk_copy_move_from_id')),
    sa.ForeignKeyConstraint(['to_id'], ['shelf_place.id'], name=op.f('fk_copy_move_to_id')),
    sa.ForeignKeyConstraint(['holder_id'], ['person.id'], name=op.f('fk_copy_move_holder_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_copy_move_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_copy_move'))
    )
    for column in ('copy_id', 'moved_id', 'from_id', 'to_id'):
        op.create_index(f'ix_copy_move_{column}_at', 'copy_move', [column, 'at'])
    with op.batch_alter_table('level', schema=None) as batch_op:
        batch_op.add_column(sa.Column('shelved_in', _word('security', *SECURITY), nullable=False, server_default='work_area'))
    level = sa.table('level', sa.column('rank', sa.Integer()), sa.column('shelved_in', sa.String()))
    for rank, security in enumerate(SECURITY, start=1):
        op.execute(level.update().where(level.c.rank >= rank).values(shelved_in=security))
    with op.batch_alter_table('level', schema=None) as batch_op:
        batch_op.alter_column('shelved_in', server_default=None, existing_type=sa.String(length=32), existing_nullable=False)
