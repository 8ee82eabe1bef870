"""内存: what is freed stays with the process, for commands that end when their work is done.

New memory costs as much as the work that fills it: the system clears each page, and a virtual machine may first have to ask
its host for it. Arrow's own allocator gives freed pages back within milliseconds and takes them anew for the next column.
"""

from __future__ import annotations

import ctypes

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
