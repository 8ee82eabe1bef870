"""内存: what is freed stays with the process, and what it needs not is not loaded, for commands that end when their work is
done.

New memory costs as much as the work that fills it: the system clears each page, and a virtual machine may first have to ask
its host for it. Arrow's own allocator gives freed pages back within milliseconds and takes them anew for the next column.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

# of glibc's malloc.h: from what size memory is a mapping of its own, and from what size free memory is given back
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_NEVER = 1 << 30


def keep_freed() -> None:
    """留着: Arrow takes its memory where Python and numpy take theirs, and what they free serves the next of them. A system
    with another allocator goes on as before."""
    try:
        adjust = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    if adjust(_MMAP_THRESHOLD, _NEVER) and adjust(_TRIM_THRESHOLD, _NEVER):
        pa.set_memory_pool(pa.system_memory_pool())


@contextmanager
def without_extras() -> Iterator[None]:
    """不装载: what numba looks for as it is loaded, and our loops have no use for, is not found meanwhile: scipy's linear
    algebra and C interfaces, a third of the time it takes. A process that goes on to use either is not to do this."""
    hidden = [name for name in ("scipy.linalg", "cffi") if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: an import of it fails at once
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
