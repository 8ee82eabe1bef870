"""名单另写: a large night's lists by a process of their own, while this one guards the night and queues its pushes."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

from jobs.list_keys import list_keys
from jobs.lists import keep_lists, lists_before, to_write
from store.database import open_database
from store.nights import Night, get_night

WORTH = 200_000  # pairs on lists that say something new from which another process is worth its start
_PR_SET_PDEATHSIG = 1


def begin_lists(night: Night) -> Callable[[], list[Path]]:
    """开始写名单; what is returned waits for them and gives their paths. Small nights, those whose lists say what
    the night before's did, and machines with one core, write them at once."""
    worth = night.counts.get("fits", 0) + night.counts.get("open", 0) >= WORTH
    keys = None
    if worth and not (night.folder / "lists").is_dir() and len(os.sched_getaffinity(0)) > 1:
        if lists_before(night)[1]:  # else all are to be made, and none waits for what their keys ask for
            keys = list_keys(night)
        worth = to_write(night, keys or {}) >= WORTH
    else:
        worth = False
    if not worth:
        paths = keep_lists(night, keys)
        return lambda: paths
    url = night.engine.url.render_as_string(hide_password=False)
    worker = get_context("spawn").Process(
        target=_write, args=(url, str(night.home), night.no, os.getpid(), keys), daemon=True
    )
    worker.start()

    def wait() -> list[Path]:
        worker.join()
        return keep_lists(night)  # there already; whatever went wrong there is told here

    return wait


def _write(url: str, home: str, no: int, parent: int, keys: dict[str, str] | None) -> None:
    """In the other process: ends with the one that began it, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            return
    engine = open_database(url)
    try:
        night = get_night(engine, no, Path(home))
        if night is not None:
            keep_lists(night, keys)
    finally:
        engine.dispose()
