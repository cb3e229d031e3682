"""attachments, baskets, circulation slips and standing custody"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0034'
down_revision = '0033'


def upgrade():
    op.create_table('attachment',
    sa.Column('id', Id(), nullable=False),
    sa.Column('about', sa.Enum('request', 'loan', 'report', name='attachedto', native_enum=False, length=32), nullable=False),
    sa.Column('subject_id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=True),
    sa.Column('owner_id', Id(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('media_type', sa.String(length=120), nullable=False),
    sa.Column('object_key', sa.String(length=100), nullable=False),
    sa.Column('store_version', sa.String(length=100), nullable=True),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('cipher_size', sa.Integer(), nullable=True),
    sa.Column('plain_sha256', sa.String(length=64), nullable=True),
    sa.Column('cipher_sha256', sa.String(length=64), nullable=True),
    sa.Column('created_at', Moment(), nullable=False),
    sa.Column('created_by', Id(), nullable=True),
    sa.ForeignKeyConstraint(['created_by'], ['person.id'], name=op.f('fk_attachment_created_by')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_attachment_record_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attachment')),
    sa.UniqueConstraint('object_key', name=op.f('uq_attachment_object_key'))
    )
    with op.batch_alter_table('attachment', schema=None) as batch_op:
        batch_op.create_index('ix_attachment_about_subject_id', ['about', 'subject_id'], unique=False)
        batch_op.create_index('ix_attachment_record_id', ['record_id'], unique=False)

    op.create_table('basket_item',
    sa.Column('person_id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('added_at', Moment(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_basket_item_person_id')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_basket_item_record_id')),
    sa.PrimaryKeyConstraint('person_id', 'record_id', name=op.f('pk_basket_item'))
    )
    with op.batch_alter_table('basket_item', schema=None) as batch_op:
        batch_op.create_index('ix_basket_item_record_id', ['record_id'], unique=False)

    op.create_table('circulation',
    sa.Column('id', Id(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('copy_id', Id(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('until', sa.Date(), nullable=False),
    sa.Column('state', sa.Enum('round', 'returned', name='circulationstate', native_enum=False, length=32), nullable=False),
    sa.Column('begun_by', Id(), nullable=False),
    sa.Column('begun_at', Moment(), nullable=False),
    sa.Column('pages_out', sa.Integer(), nullable=True),
    sa.Column('condition_out', sa.Enum('good', 'worn', 'damaged', 'unreadable', name='copycondition', native_enum=False, length=32), nullable=False),
    sa.Column('ended_at', Moment(), nullable=True),
    sa.Column('received_by', Id(), nullable=True),
    sa.Column('pages_in', sa.Integer(), nullable=True),
    sa.Column('condition_in', sa.Enum('good', 'worn', 'damaged', 'unreadable', name='copycondition', native_enum=False, length=32), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['begun_by'], ['person.id'], name=op.f('fk_circulation_begun_by')),
    sa.ForeignKeyConstraint(['copy_id'], ['copy.id'], name=op.f('fk_circulation_copy_id')),
    sa.ForeignKeyConstraint(['received_by'], ['person.id'], name=op.f('fk_circulation_received_by')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_circulation_record_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_circulation')),
    sa.UniqueConstraint('number', name=op.f('uq_circulation_number'))
    )
    with op.batch_alter_table('circulation', schema=None) as batch_op:
        batch_op.create_index('ix_circulation_copy_id', ['copy_id'], unique=False)
        batch_op.create_index('ix_circulation_record_id', ['record_id'], unique=False)
        batch_op.create_index('ix_circulation_state_id', ['state', 'id'], unique=False)

    op.create_table('standing_custody',
    sa.Column('id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('copy_id', Id(), nullable=False),
    sa.Column('post_id', Id(), nullable=False),
    sa.Column('department_id', Id(), nullable=False),
    sa.Column('person_id', Id(), nullable=False),
    sa.Column('next_id', Id(), nullable=True),
    sa.Column('months', sa.Integer(), nullable=False),
    sa.Column('check_on', sa.Date(), nullable=False),
    sa.Column('begun_at', Moment(), nullable=False),
    sa.Column('begun_by', Id(), nullable=False),
    sa.Column('ended_at', Moment(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['begun_by'], ['person.id'], name=op.f('fk_standing_custody_begun_by')),
    sa.ForeignKeyConstraint(['copy_id'], ['copy.id'], name=op.f('fk_standing_custody_copy_id')),
    sa.ForeignKeyConstraint(['department_id'], ['department.id'], name=op.f('fk_standing_custody_department_id')),
    sa.ForeignKeyConstraint(['next_id'], ['person.id'], name=op.f('fk_standing_custody_next_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_standing_custody_person_id')),
    sa.ForeignKeyConstraint(['post_id'], ['post.id'], name=op.f('fk_standing_custody_post_id')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_standing_custody_record_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_standing_custody'))
    )
    with op.batch_alter_table('standing_custody', schema=None) as batch_op:
        batch_op.create_index('ix_standing_custody_copy_id', ['copy_id'], unique=False)
        batch_op.create_index('ix_standing_custody_person_id', ['person_id'], unique=False)
        batch_op.create_index('ix_standing_custody_post_id_department_id', ['post_id', 'department_id'], unique=False)
        batch_op.create_index('ix_standing_custody_record_id', ['record_id'], unique=False)

    op.create_table('circulation_stop',
    sa.Column('id', Id(), nullable=False),
    sa.Column('circulation_id', Id(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('person_id', Id(), nullable=False),
    sa.Column('signed_at', Moment(), nullable=True),
    sa.ForeignKeyConstraint(['circulation_id'], ['circulation.id'], name=op.f('fk_circulation_stop_circulation_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_circulation_stop_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_circulation_stop')),
    sa.UniqueConstraint('circulation_id', 'position', name=op.f('uq_circulation_stop_circulation_id_position'))
    )
    with op.batch_alter_table('circulation_stop', schema=None) as batch_op:
        batch_op.create_index('ix_circulation_stop_person_id_signed_at', ['person_id', 'signed_at'], unique=False)

    op.create_table('custody_entry',
    sa.Column('id', Id(), nullable=False),
    sa.Column('custody_id', Id(), nullable=False),
    sa.Column('act', sa.Enum('checked', 'handed_over', name='custodyact', native_enum=False, length=32), nullable=False),
    sa.Column('at', Moment(), nullable=False),
    sa.Column('signed_by', Id(), nullable=False),
    sa.Column('from_id', Id(), nullable=True),
    sa.Column('to_id', Id(), nullable=True),
    sa.Column('pages', sa.Integer(), nullable=True),
    sa.Column('condition', sa.Enum('good', 'worn', 'damaged', 'unreadable', name='copycondition', native_enum=False, length=32), nullable=True),
    sa.ForeignKeyConstraint(['custody_id'], ['standing_custody.id'], name=op.f('fk_custody_entry_custody_id')),
    sa.ForeignKeyConstraint(['from_id'], ['person.id'], name=op.f('fk_custody_entry_from_id')),
    sa.ForeignKeyConstraint(['signed_by'], ['person.id'], name=op.f('fk_custody_entry_signed_by')),
    sa.ForeignKeyConstraint(['to_id'], ['person.id'], name=op.f('fk_custody_entry_to_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_custody_entry'))
    )
    with op.batch_alter_table('custody_entry', schema=None) as batch_op:
        batch_op.create_index('ix_custody_entry_custody_id_at', ['custody_id', 'at'], unique=False)

