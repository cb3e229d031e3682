"""What reviews of secrecy, their ends and how periods stand are called."""

from collections.abc import Mapping

from archive.model import ApprovalState, SecrecyOutcome, SecrecyVerdict
from retention.secrecy.rules import Standing
from web.words import mark

STANDINGS: Mapping[str, str] = {
    Standing.LATE: mark("ended, not decided yet"),
    Standing.SOON: mark("ends within 90 days"),
    Standing.RUNS: mark("ends later"),
    Standing.CONDITION: mark("until a condition"),
}
VERDICTS: Mapping[str, str] = {
    SecrecyVerdict.LOWER: mark("Downgrade directly"),
    SecrecyVerdict.DERIVE: mark("Downgrade by a derived text; the original stays"),
    SecrecyVerdict.EXTEND: mark("Extend the period"),
    SecrecyVerdict.RAISE: mark("Raise"),
    SecrecyVerdict.DECLASSIFY: mark("Declassify"),
    SecrecyVerdict.OPEN: mark("Release after opening appraisal"),
    SecrecyVerdict.CONTROL: mark("Keep from release after opening appraisal"),
}
OUTCOMES: Mapping[str, str] = {
    SecrecyOutcome.WAITING: mark("waits"),
    SecrecyOutcome.DONE: mark("done"),
    SecrecyOutcome.CHANGED: mark("not done: it stood otherwise by then"),
    SecrecyOutcome.CONTENTS: mark("not done: the dossier holds something of a higher level"),
}
STATES: Mapping[str, str] = {
    ApprovalState.ASKED: mark("to be decided"),
    ApprovalState.QUESTIONED: mark("asked back"),
    ApprovalState.APPROVED: mark("approved"),
    ApprovalState.REFUSED: mark("refused"),
    ApprovalState.WITHDRAWN: mark("taken back"),
}
