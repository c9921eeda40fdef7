"""Client of subjectd, the service that owns a distributed system under test."""

from .client import Client
from .errors import DeadlineExceeded, HealNotClean, InvalidRequest, SubjectdError, Unreachable
from .protocol import EvalSubjectProtocol
from .subject import EvalSubject

__all__ = [
    "Client",
    "DeadlineExceeded",
    "EvalSubject",
    "EvalSubjectProtocol",
    "HealNotClean",
    "InvalidRequest",
    "SubjectdError",
    "Unreachable",
]
