"""先行解析: chunks of a long file parsed in a second process while the first writes the ones before."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor

from profiles.ingest import Parsed, Plan
from profiles.reading import Chunk

DEPTH = 3  # chunks on their way: enough to keep both busy, few enough to keep memory flat
_plan: Plan | None = None


def parsed_chunks(plan: Plan, chunks: Iterable[Chunk], ahead: bool) -> Iterator[tuple[float, Parsed]]:
    """解析各批: (share of the file read, parsed rows) in the file's order; `ahead` uses a second process."""
    if not ahead:
        for chunk in chunks:
            yield chunk.done, plan.parse(chunk)
        return
    # Spawned, not forked: a copy of open database connections must not live in the other process.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, _get_ready, (plan,)) as pool:
        waiting: deque[tuple[float, Future[Parsed]]] = deque()
        for chunk in chunks:
            waiting.append((chunk.done, pool.submit(_parse, chunk)))
            if len(waiting) >= DEPTH:
                done, future = waiting.popleft()
                yield done, future.result()
        for done, future in waiting:
            yield done, future.result()


def _get_ready(plan: Plan) -> None:
    global _plan
    _plan = plan


def _parse(chunk: Chunk) -> Parsed:
    assert _plan is not None
    return _plan.parse(chunk)
