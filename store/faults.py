"""故障点: named places at which a test may have the process killed; nothing is armed in service."""

from __future__ import annotations

import os
import signal

POINTS = (
    "grants.opened",
    "grants.before_commit",
    "grants.after_commit",
    "ledger.appended",
    "budgets.taken",
    "pushes.queued",
    "pushes.rechecked",
    "pushes.claimed",
    "pushes.delivered",
    "pushes.recorded",
    "claims.row",
    "payments.read",
    "payments.row",
    "payments.done",
    "nights.layer_written",
    "nights.layer_kept",
    "nights.block_shared",
    "nights.block_written",
    "nights.facts_written",
    "nights.index_kept",
    "nights.profiles_written",
    "nights.renamed",
    "nights.recorded",
    "nights.lists_written",
    "scores.written",
    "scores.kept",
    "leases.taken",
    "leases.run",
)
_armed: dict[str, int] = {}


def arm(name: str, nth: int = 1) -> None:
    """设故障: kill this process at the `nth` passing of a point. Raises ValueError for an unknown name."""
    if name not in POINTS:
        raise ValueError(f"没有“{name}”这个故障点")
    _armed[name] = nth


def point(name: str) -> None:
    """故障点: does nothing unless armed."""
    if name not in _armed:
        return
    _armed[name] -= 1
    if _armed[name] <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
