"""快照: columns typed by the dictionary; brought up to date or made anew, the same values."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from files import DICTIONARY, REGISTER, TAX, code, put, source

from engine.columns import Columns
from profiles.inputs import from_table
from profiles.snapshot import CODE, read_snapshot
from store import snapshots
from store.batches import take_back
from store.snapshots import build_snapshot

HEAD = "代码,名称,资本,状态\n"
DAY = date(2026, 3, 10)
LATER = datetime(2026, 3, 5, 2, tzinfo=UTC)
LISTS = source(
    "项目库",
    "投资: {indicator: 项目投资额, unit: 万元}, 备案: {indicator: 项目备案日期}",
    "members: {indicator: 项目, key: 编号}",
)
MARKS = source(
    "标记", "失信: {indicator: 严重违法失信名单}, 曾用: {indicator: 曾用名}, 成立: {indicator: 成立日期}"
)


def register(engine, folder, firms, capital=1, **more):
    lines = "".join(f"{code(n)},企业{n},{capital},存续\n" for n in firms)
    return put(engine, folder, REGISTER, HEAD + lines, **more)


def records(snapshot) -> list[dict]:
    return sorted(snapshot.table().to_pylist(), key=lambda row: row["统一社会信用代码"])


def known(rows) -> list[dict]:
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def test_columns_have_the_kinds_of_the_dictionary(engine, tmp_path):
    register(engine, tmp_path, [1, 2], day="2026-03-01")
    put(engine, tmp_path, TAX, f"代码,名称,年度,营收,人数\n{code(1)},甲,2024,1.5,3\n", day="2026-03-01")
    put(
        engine,
        tmp_path,
        LISTS,
        f"代码,名称,编号,投资,备案\n{code(1)},甲,P1,3,2024-05-06\n{code(1)},甲,P2,,\n",
    )
    put(engine, tmp_path, MARKS, f"代码,名称,失信,曾用,成立\n{code(2)},乙,否,旧一；旧二,2016-05-20\n")
    table = build_snapshot(engine, tmp_path / "snap", DAY).table()
    kinds = {name: table.schema.field(name).type for name in table.column_names}
    assert kinds["注册资本"] == kinds["营业收入@2024"] == kinds["从业人数@2024"] == pa.float64()
    assert kinds["成立日期"] == pa.date32()
    assert kinds["严重违法失信名单"] == pa.bool_()
    assert kinds["曾用名"] == pa.list_(pa.string())
    first, second = known(table.to_pylist())
    assert first["营业收入@2024"] == 15_000.0
    assert first["项目"] == [
        {"项目编号": "P1", "项目备案日期": date(2024, 5, 6), "项目投资额": 30_000.0},
        {"项目编号": "P2", "项目备案日期": None, "项目投资额": None},
    ]
    assert (second["曾用名"], second["成立日期"], second["严重违法失信名单"]) == (
        ["旧一", "旧二"],
        date(2016, 5, 20),
        False,
    )
    problems: list = []
    columns = from_table(table, DICTIONARY, problems.append, tmp_path)
    assert isinstance(columns, Columns)
    assert problems == []
    assert columns.number("项目投资额", None).shape == (2,)


@pytest.mark.parametrize("most", [4_000, 0])
def test_an_updated_snapshot_is_what_a_new_one_would_be(engine, tmp_path, monkeypatch, most):
    monkeypatch.setattr(snapshots, "BLOCK", 4)
    monkeypatch.setattr(snapshots, "NEWER_MOST", most)
    folder = tmp_path / "snap"
    register(engine, tmp_path, range(1, 7), day="2026-01-01", arrived=LATER)
    steps = [
        lambda: register(engine, tmp_path, [2, 5], 9, day="2026-01-02", accept=True),
        lambda: register(engine, tmp_path, range(6, 12), 3, day="2026-01-03", accept=True),
        lambda: take_back(engine, 2, by="", at=LATER),
        lambda: take_back(engine, 1, by="", at=LATER),
        lambda: register(engine, tmp_path, [1], 4, day="2026-01-05", accept=True),
    ]
    build_snapshot(engine, folder, DAY)
    for number, step in enumerate(steps):
        step()
        updated = build_snapshot(engine, folder, DAY)
        anew = build_snapshot(engine, tmp_path / f"new-{number}", DAY)
        assert known(records(updated)) == known(records(anew))
        assert updated.rows == anew.rows == len(records(anew))
        only = updated.table(only={"注册资本"})
        assert only.column_names == ["统一社会信用代码", "注册资本"]
        assert len(only) == updated.rows


@pytest.mark.parametrize("seed", range(4))
def test_snapshots_of_one_footing_differ_in_their_newer_rows_alone(engine, tmp_path, monkeypatch, seed):
    monkeypatch.setattr(snapshots, "BLOCK", 4)
    monkeypatch.setattr(snapshots, "NEWER_MOST", 6)
    rng = random.Random(seed)
    register(engine, tmp_path, range(1, 14), day="2026-01-01")
    seen, compared = [], 0
    for number in range(9):
        found = build_snapshot(engine, tmp_path / "snap", DAY + timedelta(days=60 * (number // 4)))
        rows = found.table().to_pylist()
        newer = set(found.newer_rows().tolist())
        assert not newer or max(newer) < len(rows)
        for standing, others, then in seen:
            if standing != found.standing or [r[CODE] for r in rows] != [r[CODE] for r in then]:
                continue
            differing = {i for i, (a, b) in enumerate(zip(known(rows), known(then), strict=True)) if a != b}
            assert differing <= newer | others
            compared += bool(differing)
        seen.append((found.standing, newer, rows))
        firms = rng.sample(range(1, 14), 2) + ([14] if rng.random() < 0.2 else [])
        register(engine, tmp_path, firms, rng.randrange(99), accept=True, day=f"2026-01-{2 + number:02d}")
        if rng.random() < 0.2:
            take_back(engine, 2 + number, by="", at=LATER)
    assert compared > 2


def test_time_alone_makes_a_value_stale_in_an_updated_snapshot(engine, tmp_path):
    register(engine, tmp_path, [1], day="2026-01-01")
    register(engine, tmp_path, [2], day="2026-02-01", accept=True)
    folder = tmp_path / "snap"

    def states(day):
        return [row.get("登记状态") for row in known(records(build_snapshot(engine, folder, day)))]

    assert states(date(2026, 1, 15)) in (["存续"], ["存续", None])
    assert states(date(2026, 6, 1)) == ["存续", "存续"]
    assert states(date(2027, 2, 6)) == [None, "存续"]
    assert states(date(2026, 6, 1)) == ["存续", "存续"]
    assert states(date(2030, 1, 1)) == [None, None]


def test_an_unchanged_store_gives_the_same_digest(engine, tmp_path):
    register(engine, tmp_path, [1, 2])
    first = build_snapshot(engine, tmp_path / "a", DAY)
    assert build_snapshot(engine, tmp_path / "a", DAY).digest == first.digest
    assert build_snapshot(engine, tmp_path / "b", DAY).digest == first.digest
    assert read_snapshot(tmp_path / "a") == build_snapshot(engine, tmp_path / "a", DAY)
    register(engine, tmp_path, [2], 7, accept=True, day="2026-03-02")
    assert build_snapshot(engine, tmp_path / "a", DAY).digest != first.digest


def test_an_empty_store_has_an_empty_snapshot(engine, tmp_path):
    snapshot = build_snapshot(engine, tmp_path / "a", DAY)
    assert (snapshot.rows, len(snapshot.table()), snapshot.loaded) == (0, 0, frozenset())


def test_a_past_day_is_rebuilt_from_what_was_known(engine, tmp_path):
    register(engine, tmp_path, [1], 1, day="2026-01-01")
    register(engine, tmp_path, [1], 2, day="2026-02-01", arrived=LATER)
    past = build_snapshot(engine, tmp_path / "past", date(2026, 3, 2), known_on=date(2026, 3, 2))
    assert records(past)[0]["注册资本"] == 10_000.0
    assert records(build_snapshot(engine, tmp_path / "now", date(2026, 3, 2)))[0]["注册资本"] == 20_000.0
