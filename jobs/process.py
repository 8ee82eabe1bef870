"""进程的名字: says where and which process holds something, so that what a dead one held is free at once."""

from __future__ import annotations

import hashlib
import os
import socket
import uuid
from contextlib import suppress
from functools import cache
from pathlib import Path

PROC = Path("/proc")


@cache
def place() -> str:
    """此处: names this machine since it was started and its table of processes; empty where that can't be told."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        space = os.stat(PROC / "self/ns/pid").st_ino
    except OSError:
        return ""
    return hashlib.sha256(f"{socket.gethostname()}|{boot}|{space}".encode()).hexdigest()[:10]


def process_name() -> str:
    """本进程的名字: place, number and start, never used again by another; at most 34 characters."""
    return f"{place() or 'elsewhere'}:{os.getpid()}:{_started(os.getpid()) or uuid.uuid4().hex[:12]}"


def worker_name() -> str:
    """办事者的名字: one of several in this process; at most 40 characters."""
    return f"{process_name()}-{uuid.uuid4().hex[:4]}"


def fate(name: str) -> bool | None:
    """还在吗: True for a process of this place that lives, False for one that is dead, None where nobody can tell."""
    parts = name.partition("-")[0].split(":")
    if len(parts) != 3 or not place() or parts[0] != place() or not parts[1].isdigit():
        return None
    return _started(int(parts[1])) == parts[2]


def is_dead(name: str) -> bool:
    """死了: surely so."""
    return fate(name) is False


def _started(pid: int) -> str:
    """When a process started, in the kernel's ticks; empty where there is none, or only its remains."""
    with suppress(OSError, IndexError):
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    return ""
