"""spreadsheets that people bring in as records"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0010'
down_revision = '0009'


def upgrade():
    op.create_table('sheet',
    sa.Column('id', Id(), nullable=False),
    sa.Column('person_id', Id(), nullable=False),
    sa.Column('category_id', Id(), nullable=False),
    sa.Column('state', sa.Enum('prepared', 'running', 'stopped', 'done', name='sheetstate', native_enum=False, length=32), nullable=False),
    sa.Column('chosen', sa.Integer(), nullable=False),
    sa.Column('columns', sa.JSON(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', Moment(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_sheet_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sheet'))
    )
    with op.batch_alter_table('sheet', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sheet_person_id'), ['person_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_sheet_created_at'), ['created_at'], unique=False)
    op.create_table('sheet_columns',
    sa.Column('person_id', Id(), nullable=False),
    sa.Column('headers', sa.String(length=64), nullable=False),
    sa.Column('columns', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_sheet_columns_person_id')),
    sa.PrimaryKeyConstraint('person_id', 'headers', name=op.f('pk_sheet_columns'))
    )
    op.create_table('sheet_row',
    sa.Column('sheet_id', Id(), nullable=False),
    sa.Column('row', sa.Integer(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_sheet_row_record_id')),
    sa.ForeignKeyConstraint(['sheet_id'], ['sheet.id'], name=op.f('fk_sheet_row_sheet_id')),
    sa.PrimaryKeyConstraint('sheet_id', 'row', name=op.f('pk_sheet_row'))
    )
    with op.batch_alter_table('sheet_row', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sheet_row_record_id'), ['record_id'], unique=False)
