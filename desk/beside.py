"""旁边做: work of some seconds that no visit waits for, one at a time by name."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable

_working: set[Hashable] = set()
_lock = threading.Lock()


def beside(name: Hashable, work: Callable[[], object]) -> bool:
    """在旁边做: True where it was begun, False where it is under way."""
    with _lock:
        if name in _working:
            return False
        _working.add(name)
    threading.Thread(target=_run, args=(name, work), daemon=True).start()
    return True


def _run(name: Hashable, work: Callable[[], object]) -> None:
    try:
        work()
    except Exception:  # nobody waits for it: the log is the only place that can tell
        logging.getLogger(__name__).exception("旁边的工作 %s 没有做完", name)
    finally:
        with _lock:
            _working.discard(name)
