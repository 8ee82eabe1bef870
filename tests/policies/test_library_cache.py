"""The compiled library kept by content: the same answers from it, and never a stale one."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

import policies
from engine import matching
from engine.kernel import Matcher
from jobs.bench import work
from policies import library_cache
from policies.library import Library, LibraryError, load_library
from policies.library_cache import load_compiled, load_kept
from profiles.dictionary import builtin_dictionary
from tests.engine.test_kernel import assert_same


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(library_cache, "WORTH_KEEPING", 5)
    work.write_library(tmp_path / "library", 40, 6, 120)
    return tmp_path / "library"


def entries(cache: Path) -> list[Path]:
    return sorted(cache.glob("*.pickle")) if cache.is_dir() else []


def test_the_kept_library_answers_the_same(library: Path, tmp_path: Path) -> None:
    cache, words = tmp_path / "cache", builtin_dictionary()
    plain = load_library(library, words)
    columns = work.make_columns(3000, 2, plain.dictionary)
    wanted = matching.match(matching.live(plain.programs, work.AS_OF), columns, work.AS_OF)
    for _ in range(2):
        found = load_compiled(library, words, cache=cache)
        assert found.root == library and found.problems == plain.problems and found.refused == plain.refused
        items = matching.live(found.programs, work.AS_OF)
        assert_same(matching.match(items, columns, work.AS_OF), wanted)
        assert_same(Matcher(items).match(columns, work.AS_OF), wanted)
        assert len(entries(cache)) == 1


def test_whatever_differs_is_read_anew(library: Path, tmp_path: Path) -> None:
    cache, words = tmp_path / "cache", builtin_dictionary()
    first = load_compiled(library, words, cache=cache)
    path = library / "d0000" / "items" / "i00003.yaml"
    text = path.read_text(encoding="utf-8")
    stamp = path.stat()
    path.write_text(text.replace("title: 事项", "title: 新项", 1), encoding="utf-8")
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # same size, same time, other content
    second = load_compiled(library, words, cache=cache)
    assert second.program("d0000/i00003").item.title != first.program("d0000/i00003").item.title  # type: ignore[union-attr]
    path.rename(path.with_name("i99999.yaml"))
    assert [i.file for i in load_compiled(library, words, cache=cache).items] != [
        i.file for i in second.items
    ]
    (library / "sets").mkdir()
    (library / "sets" / "本区.yaml").write_text('- "12*"\n', encoding="utf-8")
    assert load_compiled(library, words, cache=cache).sets["本区"] == ("12*",)
    assert load_compiled(library, words, {"本区": ("13*",)}, cache=cache).sets["本区"] == ("13*",)
    assert len(entries(cache)) == 5


def test_a_spoiled_entry_or_one_others_may_write_is_not_taken(library: Path, tmp_path: Path) -> None:
    cache, words = tmp_path / "cache", builtin_dictionary()
    load_compiled(library, words, cache=cache)
    [entry] = entries(cache)
    good = entry.read_bytes()
    for bad in (good[: len(good) // 2], good[:-1] + bytes([good[-1] ^ 1]), b""):
        entry.write_bytes(bad)
        assert len(load_compiled(library, words, cache=cache).items) == 40
    entry.write_bytes(good)
    entry.chmod(0o666)
    assert library_cache._read(entry) is None
    entry.chmod(0o600)
    assert library_cache._read(entry) is not None


def test_what_was_read_may_be_kept_beside_what_comes_next(library: Path, tmp_path: Path) -> None:
    cache, words, jobs = tmp_path / "cache", builtin_dictionary(), list[Callable[[], None]]()
    found = load_compiled(library, words, cache=cache, keep=jobs.append)
    items = matching.live(found.programs, work.AS_OF)
    assert len(jobs) == 1 and entries(cache) == []
    jobs[0]()
    again = load_compiled(library, words, cache=cache, keep=jobs.append)
    assert len(jobs) == 1 and matching.live(again.programs, work.AS_OF) == items
    assert found.items[0].root.place.file and all(
        p.whole for p in found.programs
    )  # in use, and left as it was
    assert not again.shared.bound or again.shared.bound is again.programs[0].bound


def test_faults_and_missing_folders_are_told_as_ever(library: Path, tmp_path: Path) -> None:
    cache, words = tmp_path / "cache", builtin_dictionary()
    (library / "d0000" / "items" / "i00001.yaml").write_text(
        "item: d0000/i00001\n conditions: [", encoding="utf-8"
    )
    said = [[p.render() for p in load_compiled(library, words, cache=cache).problems] for _ in range(2)]
    assert said[0] == said[1] == [p.render() for p in load_library(library, words).problems] != []
    shutil.rmtree(library)
    with pytest.raises(LibraryError):
        load_compiled(library, words, cache=cache)


def test_few_items_are_not_worth_a_file(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_cache, "WORTH_KEEPING", 100)
    load_compiled(library, builtin_dictionary(), cache=tmp_path / "cache")
    assert entries(tmp_path / "cache") == []


def test_a_kept_library_is_read_once_a_content(tmp_path: Path) -> None:
    root, words = Path(policies.__file__).with_name("library"), builtin_dictionary()
    reads: list[int] = []

    def load() -> Library:
        reads.append(1)
        return load_library(root, words)

    first = load_kept("a", words, load, cache=tmp_path)
    again = load_kept("a", words, load, cache=tmp_path)
    load_kept("b", words, load, cache=tmp_path)
    assert len(reads) == 2 and [p.item for p in again.programs] == [p.item for p in first.programs]
    assert (
        again.refused == first.refused and first.items[0].root.place.file
    )  # the one that was read is left whole


def test_reading_a_library_again_puts_nothing_more_out_of_the_collectors_reach(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("policies.library._frozen", Event())  # as in a process that has read none yet
    load_library(library, builtin_dictionary())
    first = gc.get_freeze_count()
    cycle: list[object] = []
    cycle.append(cycle)
    load_library(library, builtin_dictionary())
    assert 0 < gc.get_freeze_count() <= first
    assert any(found is cycle for found in gc.get_objects())
