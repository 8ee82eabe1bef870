"""人手: threads that stay between one use and the next: to start one costs as much as a changed item's new comparison."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

_pool: ThreadPoolExecutor | None = None
_turn = Lock()


def processors() -> int:
    """处理器: how many this process may use."""
    return len(os.sched_getaffinity(0))


def each(
    jobs: Sequence[Callable[[], None]], threads: int, meanwhile: Callable[[], object] | None = None
) -> None:
    """各做一遍: jobs in any order, the caller's own thread taking its part, and another one too, once it has done what is best
    done `meanwhile`: Python, while the caller's job needs none. That may be left undone. What a job raises is raised here,
    once no job is running any more."""
    left = iter(jobs)
    several = min(threads, len(jobs) + (meanwhile is not None)) - 1
    firsts = [meanwhile, *[None] * several][:several]
    helpers = [_threads().submit(_work, left, first) for first in firsts]
    try:
        _work(left)
    finally:
        # One that has not begun would find nothing left to do; waiting for it could be waiting for oneself.
        begun = [helper for helper in helpers if not helper.cancel()]
        errors = [helper.exception() for helper in begun]
    for error in errors:
        if error is not None:
            raise error


def _work(left: Iterator[Callable[[], None]], first: Callable[[], object] | None = None) -> None:
    if first is not None:
        first()
    for job in left:  # the interpreter gives each of a list's members to one thread
        job()


def _threads() -> ThreadPoolExecutor:
    global _pool
    with _turn:
        if _pool is None:
            _pool = ThreadPoolExecutor(max(processors(), 2), "huiqi-kernel")
        return _pool


def _forget() -> None:
    """A process that was forked off has none of its parent's threads."""
    global _pool, _turn
    _pool, _turn = None, Lock()


os.register_at_fork(after_in_child=_forget)
