"""The engine's answers beside the oracle's: `python -m tests.oracle.compare FIRST LAST [FIRMS]` for many seeds."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.oracle.generate import Sample, sample
from tests.oracle.interpreter import FIRM, refused, run

Key = tuple[str, str]
FIELDS = ("batch", "verdict", "amount_low", "amount_high", "fails", "unknown", "score")


def write_lines(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def by_pair(rows: list[dict[str, Any]]) -> dict[Key, dict[str, Any]]:
    return {(row[FIRM], row["item"]): {field: row[field] for field in FIELDS} for row in rows}


def engine_rows(given: Sample, folder: Path) -> tuple[dict[Key, dict[str, Any]], list[str]]:
    """What `huiqi match --all` writes, and the items it refused (the function behind the command)."""
    from jobs.rules import match_files

    profiles = write_lines(folder / "profiles.jsonl", given.firms)
    answers = write_lines(folder / "answers.jsonl", given.answers)
    sets = [f"{name}={','.join(members)}" for name, members in given.sets.items()]
    out = folder / "out.jsonl"
    report = match_files(given.library, profiles, given.as_of, out, True, answers, sets)
    lines = out.read_text(encoding="utf-8").splitlines()
    return by_pair([json.loads(line) for line in lines]), report.refused


def oracle_rows(given: Sample) -> dict[Key, dict[str, Any]]:
    return by_pair(run(given.library, given.firms, given.as_of, given.sets, answers=given.answers))


def same_but_noise(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Whether only amounts beyond a trillion yuan differ, in their 15th digit: no double holds their fen."""
    ends = ("amount_low", "amount_high")
    if any(ours[field] != theirs[field] for field in FIELDS if field not in ends):
        return False
    pairs = [(ours[end], theirs[end]) for end in ends if ours[end] != theirs[end]]
    return all(a and b and min(a, b) > 1e12 and abs(a - b) <= 1e-14 * a for a, b in pairs)


def differences(seed: int, folder: Path, firms: int = 60) -> Iterator[str]:
    """Every difference of one seed, in words."""
    given = sample(seed, folder / "library", firms)
    got, not_read = engine_rows(given, folder)
    expected, unreadable = oracle_rows(given), refused(given.library, given.as_of, given.sets)
    if set(not_read) != set(unreadable):
        yield f"seed {seed}: refused by the oracle {sorted(unreadable)}, by the engine {sorted(not_read)}"
    for key in sorted(expected.keys() | got.keys()):
        ours, theirs = expected.get(key), got.get(key)
        if ours != theirs and not (ours and theirs and same_but_noise(ours, theirs)):
            yield f"seed {seed} {key}: oracle {ours} engine {theirs}"


def main(first: int, last: int, firms: int = 60) -> int:
    """Print the differences of a range of seeds; the number of seeds that differ."""
    differing = 0
    for seed in range(first, last):
        with tempfile.TemporaryDirectory() as folder:
            found = list(differences(seed, Path(folder), firms))
        differing += bool(found)
        for line in found[:3]:
            print(line, flush=True)
    print(f"{last - first} seeds, {differing} differ")
    return differing


if __name__ == "__main__":
    sys.exit(bool(main(*map(int, sys.argv[1:]))))
