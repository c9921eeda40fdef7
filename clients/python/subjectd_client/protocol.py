"""The protocol that an evaluation harness is written for."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class EvalSubjectProtocol(Protocol):
    """A system under test, as a harness sees it."""

    async def reset(self) -> None:
        """Brings the system to a clean, proven-healthy state, or raises RuntimeError."""

    async def wait_healthy(self, timeout_sec: float = 60.0) -> bool:
        """True as soon as the system is healthy, False when it is not in time."""

    async def capture_state(self) -> dict[str, Any]:
        """The system's state in its own terms."""

    def get_chaos_types(self) -> list[str]:
        """The names of what ``inject_chaos`` takes."""

    async def inject_chaos(self, chaos_type: str, **params: Any) -> dict[str, Any]:
        """Disturbs the system; answers what ``cleanup_chaos`` needs."""

    async def cleanup_chaos(self, metadata: dict[str, Any]) -> None:
        """Undoes one disturbance."""
