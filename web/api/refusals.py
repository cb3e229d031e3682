"""What only the interface for programs refuses; the words stand in the one table of faults."""

from archive.errors import ArchiveError, Conflict


class VersionNeeded(ArchiveError):
    """A change must say in ``If-Match`` which version it is made on."""

    code = "version_needed"


class Stale(Conflict):
    """The thing is no longer at the version that ``If-Match`` names. Facts as of ``Conflict``."""

    code = "stale"


class WrongType(ArchiveError):
    """The body is not of the media type that this operation takes. Facts: ``wanted``."""

    code = "wrong_type"


class KeyReused(ArchiveError):
    """Another request came under this key before."""

    code = "idempotency_key_reused"


class StillRunning(ArchiveError):
    """The same request is being done at this moment. Facts: ``seconds`` until it is worth asking again."""

    code = "request_running"


class AnswerLost(ArchiveError):
    """The request was done, but its answer was not kept."""

    code = "answer_lost"


class TooMany(ArchiveError):
    """More requests than are taken. Facts: ``seconds`` until the next one is."""

    code = "too_many_requests"


class ReadsOnly(ArchiveError):
    """The token was made for reading alone."""

    code = "token_reads_only"
