"""登录的步子: how many failed logins one address may make before it has to wait."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

MOST = 30  # an office often comes from one address: enough for its slips, far too few to guess
WINDOW = timedelta(minutes=15)
ADDRESSES = 10_000


class Failures:
    """失败次数: by address, within the last quarter of an hour; the addresses longest silent are forgotten first.

    Kept in the process: a restart forgives, and the lock of a single login (`store.accounts`) stands beside it.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[str, list[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def too_many(self, address: str, now: datetime) -> bool:
        """太多了: whether this address has to wait before its next try is looked at."""
        with self._lock:
            recent = [at for at in self._seen.get(address, []) if now - at < WINDOW]
            return len(recent) >= MOST

    def count(self, address: str, now: datetime) -> None:
        """记一次失败."""
        with self._lock:
            recent = [at for at in self._seen.pop(address, []) if now - at < WINDOW]
            self._seen[address] = [*recent[-MOST:], now]
            while len(self._seen) > ADDRESSES:
                self._seen.popitem(last=False)
