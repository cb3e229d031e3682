"""how often records were used, counted from the use register as it stands"""

from alembic import op

revision = '0049'
down_revision = '0048'


def upgrade():
    op.execute(
        """UPDATE record SET uses =
        (SELECT count(*) FROM loan WHERE loan.record_id = record.id AND loan.issued_at IS NOT NULL)
        + (SELECT count(*) FROM outside_use_record WHERE outside_use_record.record_id = record.id)
        WHERE id IN (SELECT record_id FROM loan WHERE issued_at IS NOT NULL)
        OR id IN (SELECT record_id FROM outside_use_record)"""
    )
