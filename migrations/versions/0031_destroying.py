"""duties, counts and signatures of destructions, and what stays known of what is gone"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0031'
down_revision = '0030'


def upgrade():
    op.create_table('destroyed_record',
    sa.Column('destruction_id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('fonds', sa.String(length=64), nullable=False),
    sa.Column('category', sa.String(length=64), nullable=False),
    sa.Column('level_rank', sa.Integer(), nullable=False),
    sa.Column('registration_number', sa.String(length=100), nullable=True),
    sa.Column('archive_number', sa.String(length=200), nullable=True),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('neutral', sa.Boolean(), nullable=False),
    sa.Column('year', sa.Integer(), nullable=True),
    sa.Column('drawn_up', sa.String(length=10), nullable=True),
    sa.Column('filed_on', sa.Date(), nullable=True),
    sa.Column('due', sa.Date(), nullable=False),
    sa.Column('term', sa.String(length=16), nullable=False),
    sa.Column('kept_years', sa.Integer(), nullable=False),
    sa.Column('pages', sa.Integer(), nullable=True),
    sa.Column('medium', sa.String(length=32), nullable=False),
    sa.Column('files', sa.Integer(), nullable=False),
    sa.Column('bytes', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['destruction_id'], ['destruction.id'], name=op.f('fk_destroyed_record_destruction_id')),
    sa.PrimaryKeyConstraint('destruction_id', 'record_id', name=op.f('pk_destroyed_record')),
    sa.UniqueConstraint('destruction_id', 'position', name=op.f('uq_destroyed_record_destruction_id_position'))
    )
    with op.batch_alter_table('destroyed_record', schema=None) as batch_op:
        batch_op.create_index('ix_destroyed_record_archive_number', ['archive_number'], unique=False)

    op.create_table('destruction_duty',
    sa.Column('id', Id(), nullable=False),
    sa.Column('destruction_id', Id(), nullable=False),
    sa.Column('duty', sa.Enum('asker', 'decider', 'confirmer', 'executor', 'witness', 'supervisor', name='duty', native_enum=False, length=32), nullable=False),
    sa.Column('person_id', Id(), nullable=True),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('code', sa.String(length=64), nullable=True),
    sa.Column('code_until', Moment(), nullable=True),
    sa.Column('wrong', sa.Integer(), nullable=False),
    sa.Column('before', sa.String(length=64), nullable=True),
    sa.Column('before_at', Moment(), nullable=True),
    sa.Column('before_how', sa.Enum('account', 'code', 'paper', name='signedhow', native_enum=False, length=32), nullable=True),
    sa.Column('after', sa.String(length=64), nullable=True),
    sa.Column('after_at', Moment(), nullable=True),
    sa.Column('after_how', sa.Enum('account', 'code', 'paper', name='signedhow', native_enum=False, length=32), nullable=True),
    sa.Column('paper_id', Id(), nullable=True),
    sa.ForeignKeyConstraint(['destruction_id'], ['destruction.id'], name=op.f('fk_destruction_duty_destruction_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_destruction_duty_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_destruction_duty')),
    sa.UniqueConstraint('destruction_id', 'person_id', name=op.f('uq_destruction_duty_destruction_id_person_id'))
    )
    with op.batch_alter_table('destruction_duty', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_destruction_duty_destruction_id'), ['destruction_id'], unique=False)

    op.create_table('destruction_file',
    sa.Column('id', Id(), nullable=False),
    sa.Column('destruction_id', Id(), nullable=False),
    sa.Column('name', sa.LargeBinary(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('media_type', sa.String(length=100), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('added_by', Id(), nullable=False),
    sa.Column('added_at', Moment(), nullable=False),
    sa.ForeignKeyConstraint(['added_by'], ['person.id'], name=op.f('fk_destruction_file_added_by')),
    sa.ForeignKeyConstraint(['destruction_id'], ['destruction.id'], name=op.f('fk_destruction_file_destruction_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_destruction_file'))
    )
    with op.batch_alter_table('destruction_file', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_destruction_file_destruction_id'), ['destruction_id'], unique=False)

    op.create_table('destruction_form',
    sa.Column('destruction_id', Id(), nullable=False),
    sa.Column('form', sa.String(length=40), nullable=False),
    sa.Column('locale', sa.String(length=8), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('kept_at', Moment(), nullable=False),
    sa.ForeignKeyConstraint(['destruction_id'], ['destruction.id'], name=op.f('fk_destruction_form_destruction_id')),
    sa.PrimaryKeyConstraint('destruction_id', 'form', 'locale', name=op.f('pk_destruction_form'))
    )
    op.create_table('destruction_objection',
    sa.Column('id', Id(), nullable=False),
    sa.Column('destruction_id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('person_id', Id(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('at', Moment(), nullable=False),
    sa.ForeignKeyConstraint(['destruction_id'], ['destruction.id'], name=op.f('fk_destruction_objection_destruction_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_destruction_objection_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_destruction_objection'))
    )
    with op.batch_alter_table('destruction_objection', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_destruction_objection_destruction_id'), ['destruction_id'], unique=False)

    op.create_table('destruction_scan',
    sa.Column('id', Id(), nullable=False),
    sa.Column('destruction_id', Id(), nullable=False),
    sa.Column('copy_id', Id(), nullable=True),
    sa.Column('label', sa.String(length=100), nullable=False),
    sa.Column('scanned_by', Id(), nullable=False),
    sa.Column('scanned_at', Moment(), nullable=False),
    sa.ForeignKeyConstraint(['destruction_id'], ['destruction.id'], name=op.f('fk_destruction_scan_destruction_id')),
    sa.ForeignKeyConstraint(['scanned_by'], ['person.id'], name=op.f('fk_destruction_scan_scanned_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_destruction_scan'))
    )
    with op.batch_alter_table('destruction_scan', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_destruction_scan_destruction_id'), ['destruction_id'], unique=False)
