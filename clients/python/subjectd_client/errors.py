"""What can go wrong, in the terms of the original protocol: ValueError for a bad request, RuntimeError for the rest."""

from __future__ import annotations

from typing import Any

Problem = dict[str, Any]


class InvalidRequest(ValueError):
    """The service cannot take the request as it is (HTTP 400): an unknown chaos type, target or parameter.

    The text is the problem's ``detail``; ``errors`` of the problem, if there, names each wrong field.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem.get("detail", "The request is not valid.")))
        self.problem = problem
        self.code = str(problem.get("code", "invalid_request"))


class SubjectdError(RuntimeError):
    """The service could not do what it was asked for. ``problem`` is the whole RFC 9457 body, ``code`` its stable code."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.code = str(problem.get("code", "unknown"))
        self.detail = str(problem.get("detail", ""))
        super().__init__(f"{self.detail} [{self.code}]")

    @property
    def status(self) -> int | None:
        """The HTTP status; None when the error was found on this side."""
        status = self.problem.get("status")
        return status if isinstance(status, int) else None


class Unreachable(SubjectdError):
    """Nobody answered: refused, cut off, or no such host. Whether a request arrived is not known."""

    def __init__(self, detail: str) -> None:
        super().__init__({"code": "unreachable", "detail": detail})


class DeadlineExceeded(SubjectdError):
    """This side stopped waiting. The service goes on with what it was asked for; ``problem`` may name the ``operation``."""

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__({"code": "deadline_exceeded", "detail": detail, **extra})


class HealNotClean(SubjectdError):
    """A fault was undone, but not proven to be gone. ``problem['fault']`` is the fault, with the list of what is left."""

    def __init__(self, fault: dict[str, Any]) -> None:
        heal = fault.get("heal") or {}
        left = "; ".join(f"{entry.get('node')}: {entry.get('what')}" for entry in heal.get("residue") or [])
        verdict = heal.get("verdict", fault.get("state"))
        detail = f"The heal of {fault.get('id')} is {verdict}" + (f": {left}" if left else "")
        super().__init__({"code": "heal_not_clean", "detail": detail, "fault": fault})


class Cancelled(Exception):
    """The caller has given up; never seen outside this package."""


def error_of(problem: Problem) -> Exception:
    """The exception for a problem that the service answered."""
    return InvalidRequest(problem) if problem.get("status") == 400 else SubjectdError(problem)
