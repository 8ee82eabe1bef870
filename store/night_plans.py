"""夜里的编排: a matcher whose plan the process of an earlier night kept, where its items say the same still."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.kernel import Matcher
from engine.kernel_kept import pack, plan_key, unpack
from engine.kernel_plan import Plan, plan
from engine.program import BoundItem
from policies.cache_files import cache_folder, read_entry, write_entry
from policies.library_cache import software_key

WORTH_KEEPING = 200  # items from which planning takes longer than looking here
KEPT = 4  # plans; the oldest go


@contextmanager
def planned_matcher(items: Sequence[BoundItem], cache: Path | None = None) -> Iterator[Matcher]:
    """有编排的匹配器, which keeps what was planned for it, and what was traced while it was used."""
    folder = cache or cache_folder()
    names: list[str] = []
    traced = -1

    def planned(some: Sequence[BoundItem]) -> Plan:
        nonlocal traced
        if len(some) < WORTH_KEEPING:
            return plan(some)
        names.append(f"plan-{plan_key(some, software_key())}.pickle")
        found = _read(folder / names[0], some)
        if found is None:
            found = plan(some)
            found.traced = {}
        else:
            traced = len(found.traced or ())
        return found

    matcher = Matcher(items, planned=planned)
    yield matcher
    if names and len(matcher.plan.traced or ()) != traced:
        with suppress(OSError):  # a cache that can't be written is no reason to fail
            write_entry(folder, names[0], pack(matcher.plan), KEPT)


def _read(path: Path, items: Sequence[BoundItem]) -> Plan | None:
    data = read_entry(path)
    if data is None:
        return None
    with suppress(ValueError):
        return unpack(data, items)
    return None
