"""what falls due, working days, and messages to people"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0028'
down_revision = '0027'

STANDING = (
    ("vital_review", "id", "vital_review", "record", "vital_review IS NOT NULL"),
    ("grant_end", "NULL", "until", "access_grant", "until IS NOT NULL"),
    ("post_end", "NULL", "until", "person_post", "until IS NOT NULL"),
)
"""What falls due already: kind, record, day, table, and which of its rows. Each deadline takes its subject's id."""


def upgrade():
    op.create_table('day_rule',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('works', sa.Boolean(), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.PrimaryKeyConstraint('day', name=op.f('pk_day_rule'))
    )
    op.create_table('weekday_rule',
    sa.Column('weekday', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('works', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('weekday', name=op.f('pk_weekday_rule'))
    )
    op.create_table('person_channel',
    sa.Column('person_id', Id(), nullable=False),
    sa.Column('channel', sa.Enum('email', 'sms', 'wecom', 'dingtalk', 'feishu', name='channel', native_enum=False, length=32), nullable=False),
    sa.Column('address', sa.LargeBinary(), nullable=True),
    sa.Column('address_token', sa.String(length=64), nullable=True),
    sa.Column('digest', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_person_channel_person_id')),
    sa.PrimaryKeyConstraint('person_id', 'channel', name=op.f('pk_person_channel'))
    )
    op.create_index('ix_person_channel_address_token', 'person_channel', ['address_token'], unique=False)
    op.create_table('deadline',
    sa.Column('id', Id(), nullable=False),
    sa.Column('kind', sa.Enum('vital_review', 'correction', 'grant_end', 'post_end', name='deadlinekind', native_enum=False, length=32), nullable=False),
    sa.Column('subject_id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=True),
    sa.Column('due', sa.Date(), nullable=False),
    sa.Column('since', sa.Date(), nullable=True),
    sa.Column('state', sa.Enum('open', 'met', 'lapsed', name='deadlinestate', native_enum=False, length=32), nullable=False),
    sa.Column('told', sa.JSON(), nullable=False),
    sa.Column('look_on', sa.Date(), nullable=True),
    sa.Column('ended_at', Moment(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_deadline_record_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_deadline')),
    sa.UniqueConstraint('kind', 'subject_id', name=op.f('uq_deadline_kind_subject_id'))
    )
    op.create_index('ix_deadline_look_on_id', 'deadline', ['look_on', 'id'], unique=False, sqlite_where=sa.text('look_on IS NOT NULL'), postgresql_where=sa.text('look_on IS NOT NULL'))
    op.create_index('ix_deadline_record_id', 'deadline', ['record_id'], unique=False)
    op.create_index('ix_deadline_state_due_id', 'deadline', ['state', 'due', 'id'], unique=False)
    op.create_table('message',
    sa.Column('id', Id(), nullable=False),
    sa.Column('person_id', Id(), nullable=False),
    sa.Column('topic', sa.String(length=64), nullable=False),
    sa.Column('stage', sa.String(length=32), nullable=False),
    sa.Column('late', sa.Boolean(), nullable=False),
    sa.Column('due', sa.Date(), nullable=True),
    sa.Column('record_id', Id(), nullable=True),
    sa.Column('subject_id', Id(), nullable=True),
    sa.Column('once', sa.String(length=120), nullable=False),
    sa.Column('made_at', Moment(), nullable=False),
    sa.Column('read_at', Moment(), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_message_person_id')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_message_record_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_message')),
    sa.UniqueConstraint('person_id', 'once', name=op.f('uq_message_person_id_once'))
    )
    op.create_index('ix_message_person_id_id', 'message', ['person_id', 'id'], unique=False)
    op.create_index('ix_message_record_id', 'message', ['record_id'], unique=False)
    op.create_index('ix_message_unread', 'message', ['person_id'], unique=False, sqlite_where=sa.text('read_at IS NULL'), postgresql_where=sa.text('read_at IS NULL'))
    op.create_table('delivery',
    sa.Column('id', Id(), nullable=False),
    sa.Column('message_id', Id(), nullable=False),
    sa.Column('person_id', Id(), nullable=False),
    sa.Column('channel', sa.Enum('email', 'sms', 'wecom', 'dingtalk', 'feishu', name='channel', native_enum=False, length=32), nullable=False),
    sa.Column('state', sa.Enum('waiting', 'sending', 'sent', 'dropped', 'unclear', 'failed', name='deliverystate', native_enum=False, length=32), nullable=False),
    sa.Column('room_once', sa.String(length=120), nullable=True),
    sa.Column('reason', sa.String(length=100), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('made_at', Moment(), nullable=False),
    sa.Column('changed_at', Moment(), nullable=True),
    sa.ForeignKeyConstraint(['message_id'], ['message.id'], name=op.f('fk_delivery_message_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_delivery_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery')),
    sa.UniqueConstraint('channel', 'room_once', name=op.f('uq_delivery_channel_room_once')),
    sa.UniqueConstraint('message_id', 'channel', name=op.f('uq_delivery_message_id_channel'))
    )
    op.create_index('ix_delivery_person_id_channel_state', 'delivery', ['person_id', 'channel', 'state'], unique=False)
    op.create_index('ix_delivery_state_id', 'delivery', ['state', 'id'], unique=False)

    _take_over(on_postgres=op.get_bind().dialect.name == 'postgresql')


def _take_over(*, on_postgres):
    empty = "CAST('[]' AS JSON)" if on_postgres else "'[]'"
    asked = "CAST(asked_at + INTERVAL '14 days' AS DATE)" if on_postgres else "date(asked_at, '+14 days')"
    look_on = "DATE '2000-01-01'" if on_postgres else "'2000-01-01'"
    asked_for = ('correction', 'record_id', asked, 'approval', "kind = 'correction' AND state = 'asked'")
    for kind, record, due, table, which in (*STANDING, asked_for):
        op.execute(
            'INSERT INTO deadline (id, kind, subject_id, record_id, due, state, told, look_on, version)'
            f" SELECT id, '{kind}', id, {record}, {due}, 'open', {empty}, {look_on}, 1 FROM {table} WHERE {which}"
        )
