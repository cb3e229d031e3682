"""papers that dossiers must have, and edits of many records"""

import sqlalchemy as sa
from alembic import op

from archive.database import Id, Moment

revision = '0026'
down_revision = '0025'


def upgrade():
    op.create_table('dossier_template',
    sa.Column('code', sa.String(length=64), nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('body', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('kept_at', Moment(), nullable=False),
    sa.Column('kept_by', Id(), nullable=True),
    sa.ForeignKeyConstraint(['kept_by'], ['person.id'], name=op.f('fk_dossier_template_kept_by_person')),
    sa.PrimaryKeyConstraint('code', 'version', name=op.f('pk_dossier_template'))
    )
    op.create_table('required_papers',
    sa.Column('dossier_id', Id(), nullable=False),
    sa.Column('template', sa.String(length=64), nullable=False),
    sa.Column('template_version', sa.Integer(), nullable=False),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.Column('linked_id', Id(), nullable=True),
    sa.Column('next_due', sa.Date(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['dossier_id'], ['record.id'], name=op.f('fk_required_papers_dossier_id_record')),
    sa.ForeignKeyConstraint(['linked_id'], ['record.id'], name=op.f('fk_required_papers_linked_id_record')),
    sa.PrimaryKeyConstraint('dossier_id', name=op.f('pk_required_papers'))
    )
    op.create_index(op.f('ix_required_papers_linked_id'), 'required_papers', ['linked_id'], unique=False)
    op.create_index('ix_required_papers_next_due_dossier_id', 'required_papers', ['next_due', 'dossier_id'], unique=False)
    op.create_index('ix_required_papers_template', 'required_papers', ['template'], unique=False)
    op.create_table('paper_met',
    sa.Column('id', Id(), nullable=False),
    sa.Column('dossier_id', Id(), nullable=False),
    sa.Column('paper', sa.String(length=64), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('copy_sealed', sa.Boolean(), nullable=False),
    sa.Column('seen_on', sa.Date(), nullable=True),
    sa.Column('seen_by', Id(), nullable=True),
    sa.Column('returned_on', sa.Date(), nullable=True),
    sa.Column('returned_by', Id(), nullable=True),
    sa.ForeignKeyConstraint(['dossier_id'], ['record.id'], name=op.f('fk_paper_met_dossier_id_record')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_paper_met_record_id_record')),
    sa.ForeignKeyConstraint(['returned_by'], ['person.id'], name=op.f('fk_paper_met_returned_by_person')),
    sa.ForeignKeyConstraint(['seen_by'], ['person.id'], name=op.f('fk_paper_met_seen_by_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_paper_met')),
    sa.UniqueConstraint('dossier_id', 'paper', 'record_id', name=op.f('uq_paper_met_dossier_id_paper_record_id'))
    )
    op.create_index(op.f('ix_paper_met_record_id'), 'paper_met', ['record_id'], unique=False)
    op.create_table('dossier_person',
    sa.Column('dossier_id', Id(), nullable=False),
    sa.Column('part', sa.String(length=64), nullable=False),
    sa.Column('subject_id', Id(), nullable=False),
    sa.Column('exclusive', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['dossier_id'], ['record.id'], name=op.f('fk_dossier_person_dossier_id_record')),
    sa.ForeignKeyConstraint(['subject_id'], ['subject.id'], name=op.f('fk_dossier_person_subject_id_subject')),
    sa.PrimaryKeyConstraint('dossier_id', 'part', name=op.f('pk_dossier_person'))
    )
    op.create_index(op.f('ix_dossier_person_subject_id'), 'dossier_person', ['subject_id'], unique=False)
    op.create_table('dossier_clock',
    sa.Column('dossier_id', Id(), nullable=False),
    sa.Column('clock', sa.String(length=64), nullable=False),
    sa.Column('since', sa.Date(), nullable=False),
    sa.Column('due', sa.Date(), nullable=False),
    sa.Column('met_on', sa.Date(), nullable=True),
    sa.ForeignKeyConstraint(['dossier_id'], ['record.id'], name=op.f('fk_dossier_clock_dossier_id_record')),
    sa.PrimaryKeyConstraint('dossier_id', 'clock', name=op.f('pk_dossier_clock'))
    )
    op.create_index('ix_dossier_clock_due', 'dossier_clock', ['due'], unique=False)
    op.create_table('bulk_edit',
    sa.Column('id', Id(), nullable=False),
    sa.Column('person_id', Id(), nullable=False),
    sa.Column('state', sa.Enum('prepared', 'running', 'stopped', 'done', 'undoing', 'undone', name='bulkstate', native_enum=False, length=32), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', Moment(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_bulk_edit_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bulk_edit'))
    )
    op.create_index(op.f('ix_bulk_edit_created_at'), 'bulk_edit', ['created_at'], unique=False)
    op.create_index(op.f('ix_bulk_edit_person_id'), 'bulk_edit', ['person_id'], unique=False)
    op.create_table('bulk_edit_row',
    sa.Column('edit_id', Id(), nullable=False),
    sa.Column('record_id', Id(), nullable=False),
    sa.Column('at', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('waiting', 'changed', 'same', 'refused', 'undone', 'kept', name='rowstate', native_enum=False, length=32), nullable=False),
    sa.Column('reason', sa.String(length=64), nullable=True),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.ForeignKeyConstraint(['edit_id'], ['bulk_edit.id'], name=op.f('fk_bulk_edit_row_edit_id_bulk_edit')),
    sa.ForeignKeyConstraint(['record_id'], ['record.id'], name=op.f('fk_bulk_edit_row_record_id_record')),
    sa.PrimaryKeyConstraint('edit_id', 'record_id', name=op.f('pk_bulk_edit_row'))
    )
    op.create_index(op.f('ix_bulk_edit_row_record_id'), 'bulk_edit_row', ['record_id'], unique=False)
    op.create_index('ix_bulk_edit_row_edit_id_state_at', 'bulk_edit_row', ['edit_id', 'state', 'at'], unique=False)
