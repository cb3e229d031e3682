"""What appraisals and unsettled matters are called: states, verdicts, why a record may not go, kinds of matters."""

from collections.abc import Mapping

from archive.model import AppraisalState, AppraisalTask, MatterKind, Stop, Verdict
from web.words import mark

APPRAISALS: Mapping[str, str] = {
    AppraisalState.DRAFT: mark("being drawn up"),
    AppraisalState.OPEN: mark("the panel judges"),
    AppraisalState.CLOSED: mark("closed, fixed"),
    AppraisalState.WITHDRAWN: mark("withdrawn"),
    AppraisalTask.OPENING: mark("is being opened"),
    AppraisalTask.CLOSING: mark("is being closed"),
    AppraisalTask.WITHDRAWING: mark("is being withdrawn"),
}
VERDICTS: Mapping[str, str] = {
    Verdict.DESTROY: mark("destroy"),
    Verdict.KEEP: mark("keep on until a day"),
    Verdict.TRANSFER: mark("transfer to another archive"),
    Verdict.OPEN: mark("open to the public"),
    Verdict.DECLASSIFY: mark("declassify"),
}
STOPS: Mapping[str, str] = {
    Stop.UNFILED: mark("it is not filed"),
    Stop.UNDUE: mark("its term has not run out"),
    Stop.HELD: mark("a hold stands on it"),
    Stop.LENT: mark("it is lent"),
    Stop.MISSING: mark("its paper is missing"),
    Stop.UNSETTLED: mark("a matter is not settled"),
    Stop.OBJECTED: mark("someone objected"),
    Stop.ELSEWHERE: mark("an appraisal, a transfer or a destruction has it"),
    Stop.NOT_THERE: mark("it is not there any more"),
}
MATTERS: Mapping[str, str] = {
    MatterKind.CLAIM: mark("claim"),
    MatterKind.UNPAID: mark("unpaid account"),
    MatterKind.COMPLAINT: mark("complaint"),
    MatterKind.LAWSUIT: mark("lawsuit"),
    MatterKind.OTHER: mark("other matter"),
}
