"""Lists that say what the night before's did are that one's with another line: byte for byte what is written from nothing."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs import lists
from jobs.backup import back_up
from jobs.list_keys import KEYS, kept_keys
from store.database import open_database, upgrade
from store.nights import Night, latest_night, list_nights
from tests.databases import database_in
from tests.jobs.torture_layers import deliver, one_night

DAYS = (0, 1, 2, 4, 9, 10)  # 4 and 9: nothing arrives


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.glob("*.xlsx") if p.name != "总览.xlsx"}


def from_nothing(night: Night, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    with monkeypatch.context() as patched:
        patched.setattr(lists, "lists_before", lambda night: (Path("/nowhere"), {}))
        lists.write_lists(night, folder)
    return files(folder)


def test_a_list_is_what_it_would_be_from_nothing(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, url = tmp_path / "home", database_in(tmp_path)
    home.mkdir()
    engine = open_database(url)
    upgrade(engine)
    retold: list[str] = []
    plain = lists._form(3).retold
    monkeypatch.setattr(
        lists._form(3), "retold", lambda *given: retold.append(given[1].name) or plain(*given)
    )
    counts = []
    for number in DAYS:
        deliver(home, number, 3)
        retold.clear()
        one_night(url, home, number)
        night = latest_night(engine, home)
        assert night is not None
        written = files(night.folder / "lists")
        assert written == from_nothing(night, tmp_path / f"anew-{number}", monkeypatch)
        assert {name.removesuffix(".xlsx") for name in written} <= {
            item.replace("/", "__") for item in kept_keys(night.folder / "lists")
        }
        counts.append((len(retold), len(written)))
    assert counts[0][0] == 0, "there is no night before the first"
    assert all(told for told, _ in counts[1:])
    assert sum(told < whole for told, whole in counts[1:]) > 2, "some changed, some did not"
    assert counts[4][0] == counts[4][1] > 10, "on the second of two nights on which nothing arrived"
    held = [bool([*night.folder.rglob("*.facts")]) for night in list_nights(engine, home)]
    assert held == [True, True] + [False] * (len(DAYS) - 2), (
        "the next night asks the last one, the rest was let go"
    )
    packed = back_up(engine, home, tmp_path / "kept.zip", datetime(2026, 6, 30, tzinfo=UTC))
    assert not [n for n in zipfile.ZipFile(packed.file).namelist() if n.endswith(".facts")]
    engine.dispose()


def test_lists_kept_without_keys_are_written_anew(tmp_path: Path) -> None:
    (tmp_path / KEYS).write_text("{", "utf-8")
    assert kept_keys(tmp_path) == {} == kept_keys(tmp_path / "none")
