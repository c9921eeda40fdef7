"""A subject as an evaluation harness sees it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Generator
from typing import Any, Callable, TypeVar

from .client import Client
from .errors import HealNotClean, SubjectdError
from .offload import offload
from .transport import Cancel

T = TypeVar("T")

_RESERVED = ("target", "seed", "ttl_ms", "require_effect", "on_target_restart")


class ChaosTypes(list[str]):
    """A list of names. The original protocol's method is no coroutine; a harness that awaits it is served too."""

    def __await__(self) -> Generator[Any, None, ChaosTypes]:
        return self
        yield  # makes it a generator


class EvalSubject:
    """One subject of a subjectd service, with the methods of the original protocol.

    Raises ValueError for what the service calls a bad request (unknown chaos type, target or parameter), RuntimeError for the rest. A
    cancelled await closes its connection and leaves the service to finish what it does. As a context manager it heals, at the end, the
    faults that were injected through it; without one, their time to live or the next reset does.
    """

    def __init__(
        self,
        base_url: str = "http://127.0.0.1:8080",
        subject: str = "tikv",
        token: str | None = None,
        *,
        reset_timeout_sec: float | None = None,
        timeout_sec: float = 30.0,
        retry_sec: float = 2.0,
        busy_sec: float = 60.0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.subject = subject
        self.client = Client(base_url, token, timeout_sec=timeout_sec, retry_sec=retry_sec, busy_sec=busy_sec, ssl_context=ssl_context)
        self._reset_timeout_sec = reset_timeout_sec
        self._chaos_types: list[str] | None = None
        self._open_faults: dict[str, None] = {}
        self._unsure = False

    async def reset(self) -> None:
        """Brings the subject to a clean, proven-healthy state. RuntimeError when that fails."""

        def work(client: Client) -> list[str]:
            client.reset(self.subject, self._reset_timeout_sec)
            return self._available(client)

        self._chaos_types = await self._run(work)
        self._open_faults.clear()
        self._unsure = False

    async def wait_healthy(self, timeout_sec: float = 60.0) -> bool:
        """True as soon as the subject is proven healthy, False when it is not within ``timeout_sec``."""
        health = await self._run(lambda client: client.wait_healthy(self.subject, timeout_sec))
        return health.get("healthy") is True

    async def capture_state(self) -> dict[str, Any]:
        """The state in the system's own terms. What could not be read is null in it; ``client.state`` names it."""
        answer = await self._run(lambda client: client.state(self.subject))
        state: dict[str, Any] = answer["state"]
        return state

    def get_chaos_types(self) -> list[str]:
        """The names of the chaos types that can be had here. As of the last reset; before the first one the service is asked, blocking."""
        if self._chaos_types is None:
            self._chaos_types = self._available(self.client)
        return ChaosTypes(self._chaos_types)

    async def inject_chaos(self, chaos_type: str, **params: Any) -> dict[str, Any]:
        """Injects a fault and answers its metadata, ``fault_id`` included, once its effect was seen.

        ``target`` (a node's name, or an object as the API has it), ``seed``, ``ttl_ms``, ``require_effect`` and ``on_target_restart`` are
        taken out of ``params``; everything else is a parameter of the chaos type.
        """
        options = {name: params.pop(name) for name in _RESERVED if name in params}
        try:
            fault = await self._run(lambda client: client.inject(self.subject, chaos_type, params, **options))
        except asyncio.CancelledError:
            self._unsure = True
            raise
        except SubjectdError as error:
            # Without an answer there may be a fault whose id is not known.
            self._unsure = self._unsure or error.status is None
            raise
        metadata: dict[str, Any] = fault["metadata"]
        self._open_faults[metadata["fault_id"]] = None
        return metadata

    async def cleanup_chaos(self, metadata: dict[str, Any]) -> None:
        """Heals the fault that ``metadata`` names. Again and again if need be; RuntimeError when it is not proven to be gone."""
        fault_id = metadata.get("fault_id") if isinstance(metadata, dict) else None
        if not isinstance(fault_id, str) or not fault_id:
            raise ValueError("metadata has no fault_id: it must be what inject_chaos answered")
        _clean(await self._run(lambda client: client.heal(self.subject, fault_id)))
        self._open_faults.pop(fault_id, None)

    async def __aenter__(self) -> EvalSubject:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._unsure:
            healed = await self._run(lambda client: client.heal_all(self.subject))
            self._unsure = False
            self._open_faults.clear()
            for fault in healed:
                _clean(fault)
        for fault_id in list(self._open_faults):
            await self.cleanup_chaos({"fault_id": fault_id})

    def _available(self, client: Client) -> list[str]:
        return [chaos["name"] for chaos in client.chaos_types(self.subject) if chaos["available"]]

    async def _run(self, call: Callable[[Client], T]) -> T:
        cancel = Cancel()
        return await offload(lambda: call(self.client.cancellable(cancel)), cancel)


def _clean(fault: dict[str, Any]) -> None:
    if fault.get("state") != "healed" and (fault.get("heal") or {}).get("verdict") != "clean":
        raise HealNotClean(fault)
