"""夜里的比对: allocation, and the matching of the blocks of a night, in this process or on a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.claims import allocate, shares
from engine.matching import ItemHits, match
from jobs.rules import FAST_FROM, match_any_size
from store.night_blocks import Matching, Paid, Range
from store.night_plans import planned_matcher
from store.night_writing import NightInputs, keep_profiles


def allocation(inputs: NightInputs) -> Paid:
    """分配: what is payable where 就高不重复 or a budget changes it; only the items that share are matched for it."""
    sharing = [b for b in inputs.items if shares(b.program, b.batch.name)]
    found = match_any_size(sharing, inputs.columns, inputs.as_of, inputs.answers) if sharing else []
    return allocate(inputs.programs, found, inputs.columns.codes, inputs.received)


def matching(inputs: NightInputs, home: Path, cluster: str = "") -> Matching:
    """比对的办法 for a night's blocks: of this process, or of the cluster at an address (`local` starts one)."""
    if not cluster:
        return lambda ranges: match_ranges(inputs, ranges)

    def far(ranges: Sequence[Range]) -> Iterator[tuple[Range, list[ItemHits]]]:
        from jobs.cluster import connect, match_rows

        path = keep_profiles(inputs, home).resolve()
        with connect(cluster) as client:
            yield from match_rows(
                client, path, ranges, inputs.items, inputs.columns.dictionary, inputs.as_of, inputs.answers,
                inputs.columns.loaded,
            )  # fmt: skip

    return far


def match_ranges(inputs: NightInputs, ranges: Sequence[Range]) -> Iterator[tuple[Range, list[ItemHits]]]:
    """比对几段: one after the other, with one plan."""
    firms = sum(end - begin for begin, end in ranges)
    if firms * len(inputs.items) < FAST_FROM:
        for begin, end in ranges:
            part = inputs.columns.between(begin, end)
            yield (begin, end), match(inputs.items, part, inputs.as_of, inputs.answers)
        return
    with planned_matcher(inputs.items) as matcher:
        for begin, end in ranges:
            part = inputs.columns.between(begin, end)
            yield (begin, end), list(matcher.match(part, inputs.as_of, inputs.answers))
