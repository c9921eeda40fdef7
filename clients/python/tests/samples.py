"""What the service answers in these tests, and how they await it."""

from __future__ import annotations

import asyncio
from typing import Any

from .scripted import PATIENCE_SEC

HEALED: dict[str, Any] = {"id": "flt_1", "state": "healed", "heal": {"verdict": "clean", "residue": []}, "metadata": {"fault_id": "flt_1"}}
FAULT: dict[str, Any] = {"id": "flt_1", "state": "active", "heal": None, "metadata": {"fault_id": "flt_1", "chaos_type": "node_kill"}}


def run(coroutine: Any) -> Any:
    return asyncio.run(asyncio.wait_for(coroutine, PATIENCE_SEC))
