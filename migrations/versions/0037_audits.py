"""audits: checklists, audits planned by period, answers, findings, follow-up"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0037'
down_revision = '0036'


def upgrade():
    op.create_table('audit',
    sa.Column('id', Id(), nullable=False),
    sa.Column('number', sa.String(length=20), nullable=False),
    sa.Column('kind', sa.Enum('destruction', 'rules', 'security', 'administrators', 'risk', name='auditkind', native_enum=False, length=32), nullable=False),
    sa.Column('names', sa.JSON(), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.Column('fonds', sa.String(length=64), nullable=True),
    sa.Column('since', sa.Date(), nullable=False),
    sa.Column('until', sa.Date(), nullable=False),
    sa.Column('due', sa.Date(), nullable=False),
    sa.Column('again_months', sa.Integer(), nullable=True),
    sa.Column('state', sa.Enum('planned', 'closed', 'withdrawn', name='auditstate', native_enum=False, length=32), nullable=False),
    sa.Column('planned_by', Id(), nullable=True),
    sa.Column('planned_at', Moment(), nullable=False),
    sa.Column('ended_by', Id(), nullable=True),
    sa.Column('ended_at', Moment(), nullable=True),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('facts', sa.JSON(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['ended_by'], ['person.id'], name=op.f('fk_audit_ended_by')),
    sa.ForeignKeyConstraint(['planned_by'], ['person.id'], name=op.f('fk_audit_planned_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit')),
    sa.UniqueConstraint('number', name=op.f('uq_audit_number'))
    )
    with op.batch_alter_table('audit', schema=None) as batch_op:
        batch_op.create_index('ix_audit_state_due_id', ['state', 'due', 'id'], unique=False)

    op.create_table('audit_checklist',
    sa.Column('code', sa.String(length=40), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('body', sa.JSON(), nullable=True),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('kept_at', Moment(), nullable=False),
    sa.Column('kept_by', Id(), nullable=True),
    sa.ForeignKeyConstraint(['kept_by'], ['person.id'], name=op.f('fk_audit_checklist_kept_by')),
    sa.PrimaryKeyConstraint('code', 'version', name=op.f('pk_audit_checklist'))
    )
    op.create_table('audit_finding',
    sa.Column('id', Id(), nullable=False),
    sa.Column('audit_id', Id(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('point', sa.String(length=40), nullable=True),
    sa.Column('likelihood', sa.Enum('low', 'medium', 'high', name='likelihood', native_enum=False, length=32), nullable=True),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('responsible_id', Id(), nullable=False),
    sa.Column('due', sa.Date(), nullable=False),
    sa.Column('state', sa.Enum('open', 'mended', 'closed', name='findingstate', native_enum=False, length=32), nullable=False),
    sa.Column('made_by', Id(), nullable=False),
    sa.Column('made_at', Moment(), nullable=False),
    sa.Column('mended_by', Id(), nullable=True),
    sa.Column('closed_by', Id(), nullable=True),
    sa.Column('closed_at', Moment(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['audit_id'], ['audit.id'], name=op.f('fk_audit_finding_audit_id')),
    sa.ForeignKeyConstraint(['closed_by'], ['person.id'], name=op.f('fk_audit_finding_closed_by')),
    sa.ForeignKeyConstraint(['made_by'], ['person.id'], name=op.f('fk_audit_finding_made_by')),
    sa.ForeignKeyConstraint(['mended_by'], ['person.id'], name=op.f('fk_audit_finding_mended_by')),
    sa.ForeignKeyConstraint(['responsible_id'], ['person.id'], name=op.f('fk_audit_finding_responsible_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_finding')),
    sa.UniqueConstraint('audit_id', 'number', name=op.f('uq_audit_finding_audit_id_number'))
    )
    with op.batch_alter_table('audit_finding', schema=None) as batch_op:
        batch_op.create_index('ix_audit_finding_responsible_id_state', ['responsible_id', 'state'], unique=False)

    op.create_table('audit_follow_up',
    sa.Column('id', Id(), nullable=False),
    sa.Column('finding_id', Id(), nullable=False),
    sa.Column('step', sa.String(length=20), nullable=False),
    sa.Column('person_id', Id(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('at', Moment(), nullable=False),
    sa.ForeignKeyConstraint(['finding_id'], ['audit_finding.id'], name=op.f('fk_audit_follow_up_finding_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_audit_follow_up_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_follow_up'))
    )
    with op.batch_alter_table('audit_follow_up', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_audit_follow_up_finding_id'), ['finding_id'], unique=False)

    op.create_table('audit_answer',
    sa.Column('audit_id', Id(), nullable=False),
    sa.Column('point', sa.String(length=40), nullable=False),
    sa.Column('said', sa.Enum('met', 'not_met', 'not_applicable', name='auditword', native_enum=False, length=32), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('destruction_id', Id(), nullable=True),
    sa.Column('said_by', Id(), nullable=False),
    sa.Column('said_at', Moment(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['audit_id'], ['audit.id'], name=op.f('fk_audit_answer_audit_id')),
    sa.ForeignKeyConstraint(['destruction_id'], ['destruction.id'], name=op.f('fk_audit_answer_destruction_id')),
    sa.ForeignKeyConstraint(['said_by'], ['person.id'], name=op.f('fk_audit_answer_said_by')),
    sa.PrimaryKeyConstraint('audit_id', 'point', name=op.f('pk_audit_answer'))
    )
