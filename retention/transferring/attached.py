"""Whom the files of a transfer concern: the receipt that the other archive signed."""

from uuid import UUID

from archive.database import Database
from archive.errors import Ended, NotAllowed, NotFound
from archive.files.attachments import Owner
from archive.identity import Identity
from archive.model import Approval, TransferState
from archive.policy.rules import Act
from retention.transferring.looks import Looks

TAKEN = (TransferState.RECEIVED, TransferState.CLOSED)


class ReceiptFiles:
    """Seen by who sees all of the transfer, added by who makes transfers, once a receipt is noted."""

    def __init__(self, db: Database, looks: Looks) -> None:
        self._db = db
        self._looks = looks

    def owner(self, identity: Identity, subject_id: UUID, *, adding: bool) -> Owner:
        """Return whose they are. Raises as ``Subject.owner``."""
        found = self._looks.show(identity, subject_id)
        if not found.whole:
            raise NotFound
        if adding and not found.manages:
            raise NotAllowed(act=Act.MANAGE_TRANSFERS.value)
        if adding and found.transfer.state not in TAKEN:
            raise Ended(state=found.transfer.state.value, act="attachment.add")
        with self._db.reading() as session:
            approval = session.get(Approval, found.transfer.approval_id)
        if approval is None or approval.owner_id is None:
            raise NotFound
        return Owner(approval.owner_id, None)
