"""规则任务: matching files without a database, checking a library; what the commands of jobs/cli/rules.py call."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from engine import kinds
from engine.columns import Columns
from engine.errors import Place, Problem
from engine.indicators import SELF_REPORTED
from engine.matching import AnswerBook, ItemHits, live, match, resting
from engine.program import BoundItem
from engine.yamltext import decode
from jobs.memory import keep_freed, without_extras
from policies.check import CheckReport, check_library
from policies.format import format_file
from policies.library import REFUSING, Library, load_library, own_dictionary, without_collector
from policies.library_cache import load_compiled
from profiles.dictionary import builtin_dictionary
from profiles.inputs import CODE, read_profiles
from profiles.tables import full_code, industry_names
from store.hits import write_hit_lots, write_hits

T = TypeVar("T")


def parse_sets(pairs: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """地域词: `本区=120116*,120110*` as set overrides. Raises ValueError."""
    out = {}
    for pair in pairs:
        name, eq, members = pair.partition("=")
        parts = tuple(m.strip() for m in members.replace("，", ",").split(",") if m.strip())
        if not eq or not name.strip() or not parts:
            raise ValueError(f"--set 要写成 本区=120116*,120110*，这里是“{pair}”")
        out[name.strip()] = parts
    return out


def open_library(path: Path, sets: Sequence[str] = ()) -> Library:
    """读政策库 with the built-in dictionary. Raises LibraryError or ValueError."""
    return load_library(path, builtin_dictionary(), parse_sets(sets))


FAST_FROM = 20_000_000  # pairs from which loading the compiled kernel pays
LOT = 8_000_000  # pairs listed at once, while those before are written


def match_any_size(
    items: Sequence[BoundItem], columns: Columns, as_of: date, answers: AnswerBook, every: bool = False
) -> list[ItemHits]:
    """匹配: by the readable form, or by the compiled kernel where there is enough to do; the answers are the same."""
    if len(items) * len(columns) < FAST_FROM:
        return match(items, columns, as_of, answers, every)
    from engine.kernel import match_fast

    return list(match_fast(items, columns, as_of, answers, every))


@dataclass
class MatchReport:
    """匹配小结: counts, and the problems of library, profiles and answers."""

    firms: int = 0
    items: int = 0
    pairs: int = 0
    problems: list[Problem] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    resting: dict[str, int] = field(default_factory=dict)


def match_files(
    library: Path,
    profiles: Path,
    as_of: date,
    out: Path,
    every: bool = False,
    answers: Path | None = None,
    sets: Sequence[str] = (),
    upcoming: int = 0,
) -> MatchReport:
    """匹配: library and profiles from files, pairs to a file. Raises LibraryError, ProfilesError, ValueError."""
    with without_collector():
        return _match_files(library, profiles, as_of, out, every, answers, sets, upcoming)


def _match_files(
    library: Path, profiles: Path, as_of: date, out: Path, every: bool, answers: Path | None, sets: Sequence[str],
    upcoming: int,
) -> MatchReport:  # fmt: skip
    dictionary, wanted = builtin_dictionary(), Future[set[str]]()
    troubles: list[Problem] = []
    kernel = Thread(target=_load_kernel, daemon=True)
    keeping: list[Callable[[], None]] = []
    with ThreadPoolExecutor(1) as beside:
        reading = None
        much = _is_much(library, profiles)
        if much:
            keep_freed()
            kernel.start()
            own = own_dictionary(
                library, dictionary, lambda _: None
            )  # what is wrong with it is said by the library
            reading = beside.submit(read_profiles, profiles, own, troubles.append, wanted)
        try:
            loaded = load_compiled(library, dictionary, parse_sets(sets), keep=keeping.append)
            report = MatchReport(refused=loaded.refused)
            report.problems += [p for p in loaded.problems if p.level == "error" and p.code in REFUSING]
            book = read_answers(answers, report.problems) if answers else {}
            items = live(loaded.programs, as_of, upcoming)
            report.resting = resting(loaded.programs, as_of, upcoming)
            wanted.set_result(set[str]().union(*(item.reads for item in items)))
        except BaseException:
            wanted.cancel()  # who reads beside ends
            raise
        if reading is not None:
            columns = replace(reading.result(), dictionary=loaded.dictionary)
        else:
            columns = read_profiles(profiles, loaded.dictionary, troubles.append, wanted)
    report.problems += troubles
    if much:
        kernel.join()
    report.firms, report.items = len(columns), len(items)
    with ThreadPoolExecutor(1) as beside:

        def keep() -> None:
            while keeping:
                beside.submit(keeping.pop())

        report.pairs = _write_pairs(items, columns, as_of, out, every, book, keep)
        keep()
    return report


def _write_pairs(
    items: Sequence[BoundItem], columns: Columns, as_of: date, out: Path, every: bool, book: AnswerBook,
    matched: Callable[[], None],
) -> int:  # fmt: skip
    """Matches and writes; how many pairs. `matched` is called where all is matched: what holds the interpreter's lock for a
    while, as packing the rules does, is no loss while the last pairs are written."""
    much = len(items) * len(columns) >= FAST_FROM
    if much and out.suffix.lower() == ".parquet" and not every and _compiled():
        from engine.kernel import Matcher

        lots = Matcher(items).lots(columns, as_of, book, LOT)
        return write_hit_lots(_and_then(lots, matched), columns.codes, out)
    return write_hits(match_any_size(items, columns, as_of, book, every), columns.codes, out)


def _and_then(lots: Iterator[T], done: Callable[[], None]) -> Iterator[T]:
    yield from lots
    done()


def _compiled() -> bool:
    from engine.kernel import available

    return available()


def _is_much(library: Path, profiles: Path) -> bool:
    """Whether firms are worth reading while the rules are, and the compiled loops worth loading; for a guess, an item a
    file."""
    if profiles.suffix.lower() != ".parquet" or not profiles.is_file() or not library.is_dir():
        return False
    try:
        firms = pq.read_metadata(profiles).num_rows
    except (pa.ArrowInvalid, OSError):  # told where the file is read
        return False
    return firms * sum(1 for _ in library.rglob("*.yaml")) >= FAST_FROM


def _load_kernel() -> None:
    """The compiled loops take most of a second to load: meanwhile rules and firms are read."""
    with without_extras():
        from engine.kernel import warm_up

        warm_up()


def read_answers(path: Path, problems: list[Problem]) -> AnswerBook:
    """答复: reviewers' answers of an .jsonl file; a faulty line is reported and left out."""
    book: dict[tuple[str, str, str], dict[str, bool | dict[str, bool]]] = {}
    for number, raw in enumerate(path.read_bytes().splitlines(), 1):
        if not raw.strip():
            continue
        try:
            record = json.loads(raw.decode("utf-8-sig"))
            key = (str(record["item"]), str(record["batch"]), str(record["id"]))
            code, answer = str(record[CODE]), record["answer"]
        except UnicodeDecodeError:
            problems.append(Problem(0, "这一行不是 UTF-8 编码，没有读入", Place(path.name, number)))
            continue
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            message = f"答复这一行读不懂（要有 {CODE} item batch id answer）：{error}"
            problems.append(Problem(1, message, Place(path.name, number)))
            continue
        if not isinstance(answer, bool):
            problems.append(Problem(2, "answer 应当是 true 或 false", Place(path.name, number)))
            continue
        _put_answer(book.setdefault(key, {}), code, record.get("row"), answer)
    return book


def _put_answer(given: dict[str, bool | dict[str, bool]], code: str, row: object, answer: bool) -> None:
    if row is None:
        given[code] = answer
        return
    rows = given.get(code)
    if not isinstance(rows, dict):
        rows = given[code] = {}
    rows[str(row)] = answer


def list_indicators(library: Path, word: str = "") -> list[dict[str, Any]]:
    """指标清单: the dictionary of a library, one record an indicator; those with the word in any of its texts."""
    builtin = builtin_dictionary()
    problems: list[Problem] = []
    if not library.is_dir():
        raise ValueError(f"没有政策库文件夹：{library}。请用 --library 指明，或设 HUIQI_LIBRARY")
    dictionary = own_dictionary(library, builtin, problems.append)
    if problems:
        raise ValueError(problems[0].render().replace("\n", " "))
    rows = []
    for name, spec in dictionary.items():
        department = spec.department or spec.source or SELF_REPORTED
        texts = (name, *spec.synonyms, department, spec.source, spec.label, spec.note)
        if not word or any(word in text for text in texts):
            unit = "元" if spec.kind == kinds.MONEY else spec.unit
            rows.append(
                {
                    "name": name, "kind": spec.kind, "unit": unit, "yearly": spec.yearly,
                    "department": department, "source": spec.source, "synonyms": list(spec.synonyms),
                    "note": spec.note, "own": builtin.get(name) != spec,
                }
            )  # fmt: skip
    return rows


def check_folder(library: Path, sets: Sequence[str] = ()) -> CheckReport:
    """核对政策库, with the official industry codes. Raises LibraryError or ValueError."""
    codes = {c for code in industry_names() for c in (code, full_code(code))}
    return check_library(open_library(library, sets), codes)


@dataclass
class FormatReport:
    """整理小结."""

    read: int = 0
    changed: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def format_files(paths: Sequence[Path], write: bool) -> FormatReport:
    """整理规则文件: item, case and document files of the paths. Raises ValueError where a path is not there."""
    out = FormatReport()
    for path in paths:
        if not path.exists():
            raise ValueError(f"没有这个文件：{path}")
        for file in sorted(path.rglob("*.yaml")) if path.is_dir() else [path]:
            out.read += 1
            text = decode(file.read_bytes(), str(file), out.problems.append)
            new = format_file(text, str(file), out.problems.append) if text is not None else None
            if new is not None and new != text:
                out.changed.append(str(file))
                if write:
                    file.write_text(new, encoding="utf-8")
    return out
