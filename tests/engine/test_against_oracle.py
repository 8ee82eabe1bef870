"""The engine against a second reading of the rule language, pair by pair; not one difference is accepted.

`HUIQI_ORACLE_SEEDS=1000:5000 pytest tests/engine/test_against_oracle.py` compares that range of random libraries.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.rules import check_folder
from tests.oracle.allocation import write_allocation
from tests.oracle.broken import FAULTS, Fault, write_base, write_broken, write_twin
from tests.oracle.casework import write_cases
from tests.oracle.compare import FIELDS, by_pair, differences, engine_rows, oracle_rows, write_lines
from tests.oracle.generate import fuzzed, sample
from tests.oracle.interpreter import refused
from tests.oracle.rare import rare_sample

FIRST, LAST = map(int, os.environ.get("HUIQI_ORACLE_SEEDS", "0:60").split(":"))
CHUNK = 10


@pytest.mark.parametrize("start", range(FIRST, LAST, CHUNK))
def test_random_libraries(start: int, tmp_path: Path) -> None:
    found = []
    for seed in range(start, min(start + CHUNK, LAST)):
        found += differences(seed, tmp_path / str(seed))
    assert not found, "\n".join(found[:5])


@pytest.mark.parametrize("start", range(FIRST, min(LAST, FIRST + 60), CHUNK))
def test_random_libraries_of_rare_forms(start: int, tmp_path: Path) -> None:
    found = []
    for seed in range(start, start + CHUNK):
        found += differences(seed, tmp_path / str(seed), made=rare_sample)
    assert not found, "\n".join(found[:5])


def test_terms_that_cancel_do_not_push_a_sum_of_rows_to_the_next_fen(tmp_path: Path) -> None:
    assert not list(differences(71104, tmp_path))


@pytest.mark.parametrize("start", range(FIRST, min(LAST, FIRST + 40), CHUNK))
def test_random_allocations(start: int, tmp_path: Path) -> None:
    """就高不重复, 补差 and budgets: the oracle's answers as allocation cases that must hold."""
    for seed in range(start, start + CHUNK):
        write_allocation(seed, tmp_path / str(seed))
        assert refusing(tmp_path / str(seed)) == []


@pytest.mark.parametrize("seed", range(FIRST, min(LAST, FIRST + 8)))
def test_random_cases(seed: int, tmp_path: Path) -> None:
    """Cases beside the rule: the oracle's answers as case files that must hold, each frame and each case alone."""
    assert write_cases(seed, tmp_path) > 0
    assert refusing(tmp_path) == []


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_tables_say_what_lines_say(form: str, tmp_path: Path) -> None:
    for seed in range(3):
        given = sample(seed, tmp_path / str(seed), firms=30)
        for firm in given.firms:
            for name, value in [*firm.items()]:
                if name in ("项目", "产品", "人才") or value == []:
                    del firm[name]
                elif isinstance(value, dict):
                    firm[name] = {year: one for year, one in value.items() if one != []}
        assert engine_rows(given, tmp_path, form)[0] == oracle_rows(given)


@pytest.mark.parametrize("seed", range(FIRST, min(LAST, FIRST + 4)))
def test_the_same_rules_are_refused(seed: int, tmp_path: Path) -> None:
    """Grammatical expressions of any kinds: both readings refuse the same ones, and agree on the others."""
    given = fuzzed(seed, tmp_path / "library")
    rows, not_read = engine_rows(given, tmp_path)
    assert sorted(not_read) == sorted(refused(given.library, given.as_of))
    assert rows == oracle_rows(given)
    codes = {(p.place.file, p.code) for p in check_folder(given.library).problems if p.code in (0, 1, 2)}
    for item, code in refused(given.library, given.as_of).items():
        assert (item.replace("/", "/items/") + ".yaml", code) in codes


def refusing(library: Path) -> list[str]:
    """What check finds of unreadable rules and of cases whose answer differs."""
    return [p.render() for p in check_folder(library).problems if p.code in (0, 1, 2, 12)]


def huiqi(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from jobs.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_writes_what_the_oracle_says(tmp_path: Path) -> None:
    given = sample(7, tmp_path / "library", firms=20)
    profiles = write_lines(tmp_path / "P.jsonl", given.firms)
    answers = write_lines(tmp_path / "A.jsonl", given.answers)
    out = tmp_path / "O.jsonl"
    sets = [part for name, codes in given.sets.items() for part in ("--set", f"{name}={','.join(codes)}")]
    common = ["--library", given.library, "--profiles", profiles, "--as-of", given.as_of, "--out", out]
    done = huiqi("match", *common, "--all", "--answers", answers, *sets)
    assert done.returncode == 0, done.stderr
    written = by_pair([json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()])
    assert written == oracle_rows(given)
    assert all(set(FIELDS) == set(row) for row in written.values())
    huiqi("match", *common, "--answers", answers, *sets)
    fewer = by_pair([json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()])
    assert fewer == {key: row for key, row in written.items() if row["verdict"] != "不符合"}


def test_the_valid_library_has_no_problem(tmp_path: Path) -> None:
    report = check_folder(write_base(tmp_path))
    assert not report.problems
    assert (report.documents, report.items, report.cases) == (1, 3, 26)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_faults_get_their_code(fault: Fault, tmp_path: Path) -> None:
    problems = check_folder(write_broken(tmp_path, fault)).problems
    mine = [problem for problem in problems if problem.code == fault.code]
    assert mine, [problem.render() for problem in problems]
    assert {problem.level for problem in mine} == {"warning" if fault.code == 11 else "error"}
    if fault.code in (0, 1, 2):
        assert fault.file in {problem.place.file for problem in mine}


def test_twins_are_found(tmp_path: Path) -> None:
    assert {problem.code for problem in check_folder(write_twin(tmp_path)).problems} == {10}


@pytest.mark.parametrize("code", [0, 1, 2, 3, 5, 7, 9, 12])
def test_match_refuses_only_what_cannot_be_read(code: int, tmp_path: Path) -> None:
    fault = next(f for f in FAULTS if f.code == code and f.file.startswith("d1/items/"))
    library = write_broken(tmp_path / "library", fault)
    profiles = write_lines(tmp_path / "P.jsonl", sample(1, tmp_path / "other", firms=2).firms)
    out = tmp_path / "O.jsonl"
    done = huiqi(
        "match", "--library", library, "--profiles", profiles, "--as-of", "2025-04-01", "--out", out, "--all"
    )
    items = {json.loads(line)["item"] for line in out.read_text(encoding="utf-8").splitlines()}
    slug = Path(fault.file).name.split(".")[0]
    if code in (0, 1, 2):
        assert done.returncode == 1 and slug in done.stderr
        assert items == {"d1/increment", "d1/milestone", "d1/first"} - {f"d1/{slug}"}
    else:
        assert items == {"d1/increment", "d1/milestone", "d1/first"}


def test_check_prints_the_contract_as_json(tmp_path: Path) -> None:
    done = huiqi("check", write_broken(tmp_path, next(f for f in FAULTS if f.code == 2)), "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 1 and set(told) == {"documents", "items", "cases", "problems"}
    first = next(problem for problem in told["problems"] if problem["code"] == 2)
    assert set(first) == {"code", "level", "file", "line", "column", "message"}
    assert first["file"] == "d1/items/increment.yaml" and first["line"] > 1 and first["column"] >= 1
    warned = write_broken(tmp_path / "w", next(f for f in FAULTS if f.name == "以上 with >"))
    assert warned and huiqi("check", write_base(tmp_path / "clean")).returncode == 0
