"""先行解析: a long file read and parsed by a second process while the first writes the chunks before."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from profiles.ingest import Parsed, Plan
from profiles.reading import Table, open_table

FINISHED = None


def parsed_chunks(plan: Plan, table: Table, ahead: Path | None) -> Iterator[tuple[float, Parsed]]:
    """解析各批: (share of the file read, parsed rows) in the file's order; `ahead` names the file a second process reads.

    Raises what reading and parsing raise there, and RuntimeError where that process was ended.
    """
    if ahead is None:
        for chunk in table.chunks:
            yield chunk.done, plan.parse(chunk)
        return
    # Spawned, not forked: a copy of open database connections must not live in the other process.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    worker = context.Process(target=_work, args=(theirs, plan, ahead, table.size), daemon=True)
    worker.start()
    theirs.close()
    try:
        while (found := ours.recv()) is not FINISHED:
            if isinstance(found, Exception):
                raise found
            yield found
    except EOFError:
        raise RuntimeError("解析文件的进程中途没有了，这一批没有落库，请再导入一次") from None
    finally:
        ours.close()
        worker.join(5)
        if worker.is_alive():
            worker.kill()


def _work(theirs: Connection, plan: Plan, path: Path, size: int) -> None:
    """Sends as fast as the other side takes: it waits in `send`, so that memory stays flat."""
    try:
        with open_table(path, plan.source, size) as table:
            for chunk in table.chunks:
                theirs.send((chunk.done, plan.parse(chunk)))
        theirs.send(FINISHED)
    except BrokenPipeError:
        pass
    except Exception as error:
        theirs.send(error)
