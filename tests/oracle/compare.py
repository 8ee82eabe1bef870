"""The engine's answers beside the oracle's, for many seeds: `python -m tests.oracle.compare FIRST LAST [FIRMS] [common|rare]`."""

from __future__ import annotations

import csv
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from tests.oracle.generate import Sample, sample
from tests.oracle.interpreter import FIRM, refused, run
from tests.oracle.rare import EVERY, rare_sample

Key = tuple[str, str]
FIELDS = ("batch", "verdict", "amount_low", "amount_high", "fails", "unknown", "score")


def write_lines(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def by_pair(rows: list[dict[str, Any]]) -> dict[Key, dict[str, Any]]:
    return {(row[FIRM], row["item"]): {field: row[field] for field in FIELDS} for row in rows}


def flat(firms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Firms as one row each, a yearly indicator a column a year; what a table cannot say is left out."""
    table = []
    for firm in firms:
        row: dict[str, Any] = {}
        for name, value in firm.items():
            if isinstance(value, dict):
                row |= {f"{name}@{year}": one for year, one in value.items()}
            else:
                row[name] = value
        table.append({name: one for name, one in row.items() if one is not None and one != []})
    return table


def write_csv(path: Path, firms: list[dict[str, Any]]) -> Path:
    table = flat(firms)
    columns = list(dict.fromkeys(name for row in table for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for row in table:
            writer.writerow({n: ";".join(v) if isinstance(v, list) else v for n, v in row.items()})
    return path


def write_parquet(path: Path, firms: list[dict[str, Any]]) -> Path:
    """Typed columns: doubles, dates, booleans, lists of strings."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = flat(firms)
    types = {"金额": pa.float64(), "比例": pa.float64(), "数量": pa.float64(), "日期": pa.date32()}
    types |= {"是否": pa.bool_(), "列表": pa.list_(pa.string())}
    columns = {}
    for name in dict.fromkeys(name for row in table for name in row):
        kind = EVERY.get(name.split("@")[0], {"kind": "文本"})["kind"]
        values = [row.get(name) for row in table]
        if kind == "日期":
            values = [value and date.fromisoformat(value) for value in values]
        columns[name] = pa.array(values, types.get(kind, pa.string()))
    pq.write_table(pa.table(columns), path)
    return path


FORMS: dict[str, Callable[[int, Path, int], Sample]] = {"common": sample, "rare": rare_sample}
WRITERS = {"jsonl": write_lines, "csv": write_csv, "parquet": write_parquet}


def engine_rows(
    given: Sample, folder: Path, form: str = "jsonl"
) -> tuple[dict[Key, dict[str, Any]], list[str]]:
    """What `huiqi match --all` writes, and the items it refused (the function behind the command)."""
    from jobs.rules import match_files

    profiles = WRITERS[form](folder / f"profiles.{form}", given.firms)
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


def differences(
    seed: int, folder: Path, firms: int = 60, made: Callable[[int, Path, int], Sample] = sample
) -> Iterator[str]:
    """Every difference of one seed, in words."""
    given = made(seed, folder / "library", firms)
    got, not_read = engine_rows(given, folder)
    expected, unreadable = oracle_rows(given), refused(given.library, given.as_of, given.sets)
    if set(not_read) != set(unreadable):
        yield f"seed {seed}: refused by the oracle {sorted(unreadable)}, by the engine {sorted(not_read)}"
    for key in sorted(expected.keys() | got.keys()):
        ours, theirs = expected.get(key), got.get(key)
        if ours != theirs and not (ours and theirs and same_but_noise(ours, theirs)):
            yield f"seed {seed} {key}: oracle {ours} engine {theirs}"


def main(first: int, last: int, firms: int = 60, forms: str = "common") -> int:
    """Print the differences of a range of seeds; the number of seeds that differ."""
    differing = 0
    for seed in range(first, last):
        with tempfile.TemporaryDirectory() as folder:
            found = list(differences(seed, Path(folder), firms, FORMS[forms]))
        differing += bool(found)
        for line in found[:3]:
            print(line, flush=True)
    print(f"{last - first} seeds, {differing} differ")
    return differing


if __name__ == "__main__":
    *numbers, forms = sys.argv[1:] if sys.argv[-1] in FORMS else [*sys.argv[1:], "common"]
    sys.exit(bool(main(*map(int, numbers), forms=forms)))
