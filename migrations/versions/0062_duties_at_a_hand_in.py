"""who has acted for which side of a batch that is handed in, over all its rounds"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id

revision = '0062'
down_revision = '0061'


def upgrade():
    op.create_table('hand_in_duty',
    sa.Column('batch_id', Id(), nullable=False),
    sa.Column('side', sa.Enum('handed', 'received', name='signedby', native_enum=False, length=32), nullable=False),
    sa.Column('person_id', Id(), nullable=False),
    sa.ForeignKeyConstraint(['batch_id'], ['hand_in.id'], name=op.f('fk_hand_in_duty_batch_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_hand_in_duty_person_id')),
    sa.PrimaryKeyConstraint('batch_id', 'side', 'person_id', name=op.f('pk_hand_in_duty'))
    )
    # of earlier rounds only the checks say who acted; UNION leaves each person once
    op.execute("""INSERT INTO hand_in_duty (batch_id, side, person_id)
        SELECT id, 'handed', handed_by FROM hand_in WHERE handed_by IS NOT NULL
        UNION SELECT id, 'received', checked_by FROM hand_in WHERE checked_by IS NOT NULL
        UNION SELECT batch_id, 'received', checked_by FROM hand_in_check""")
