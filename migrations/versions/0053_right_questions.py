"""questions why a number is not open, and what those who keep rights answered"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0053'
down_revision = '0050'


def upgrade():
    op.create_table('right_question',
    sa.Column('id', Id(), nullable=False),
    sa.Column('number', sa.String(length=200), nullable=False),
    sa.Column('asked_by', Id(), nullable=False),
    sa.Column('asked_at', Moment(), nullable=False),
    sa.Column('answer', sa.Enum('open', 'shut', 'talk', name='questionanswer', native_enum=False, length=32), nullable=True),
    sa.Column('answered_by', Id(), nullable=True),
    sa.Column('answered_at', Moment(), nullable=True),
    sa.ForeignKeyConstraint(['answered_by'], ['person.id'], name=op.f('fk_right_question_answered_by')),
    sa.ForeignKeyConstraint(['asked_by'], ['person.id'], name=op.f('fk_right_question_asked_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_right_question'))
    )
    with op.batch_alter_table('right_question', schema=None) as batch_op:
        batch_op.create_index('ix_right_question_asked_by', ['asked_by', 'id'], unique=False)
        batch_op.create_index('ix_right_question_waiting', ['id'], unique=False, sqlite_where=sa.text('answered_at IS NULL'), postgresql_where=sa.text('answered_at IS NULL'))
