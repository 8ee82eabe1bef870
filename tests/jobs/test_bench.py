"""测速: the benches do the work they say, on little of it, and their own checks hold. Nothing is timed here."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from jobs.bench import peers, whole
from jobs.bench.again import bench_again
from jobs.bench.decompose import LONGEST, bench_decompose
from jobs.bench.files import bench_files
from jobs.bench.imports import bench_import, write_file
from jobs.bench.match import PEERS, bench_match
from jobs.bench.names import alter_names, bench_names, make_names
from jobs.bench.nightly import bench_nightly
from jobs.bench.process import bench_process
from jobs.bench.text import bench_text, make_scopes, read_scopes
from jobs.bench.whole import bench_night
from jobs.replay import replay
from store import night_blocks


def test_names_are_found_again():
    report = bench_names(2_000, 3, 1)
    assert report.problems == []
    assert 0.98 <= report.facts["recall@1"] <= report.facts["recall@5"] <= 1
    known = make_names(2_000, 3)
    assert len(set(known)) == 2_000
    assert sum(a != b for a, b in zip(known, alter_names(known, 3), strict=True)) > 1_900


def test_words_are_the_same():
    report = bench_text(make_scopes(500, 2), 1)
    assert report.problems == []
    assert report.facts["分过词的段数"] < report.facts["词数"] / 5


def test_a_column_of_a_file(tmp_path):
    (tmp_path / "a.csv").write_text("名称,经营范围\n甲,技术服务\n乙,\n", "utf-8-sig")
    assert read_scopes(tmp_path / "a.csv", "经营范围") == ["技术服务", ""]
    with pytest.raises(ValueError, match="没有“主营”这一列，现有：名称、经营范围"):
        read_scopes(tmp_path / "a.csv", "主营")


def test_a_text_is_taken_apart(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("第一条 对首次认定的高新技术企业，给予10万元奖励。\n" * 900, "utf-8")
    report = bench_decompose(path)
    assert [row.name for row in report.rows] == ["启动（词典和模型）", "分解", "同一篇再分解"]
    assert report.facts["字数"] == LONGEST and report.facts["事项数"] > 0


def test_an_import_is_accounted_for(tmp_path):
    report = bench_import(4_000, 5, tmp_path)
    assert report.problems == []
    assert [row.name for row in report.rows] == ["huiqi 第一次", "huiqi 原样再来", "huiqi 百分之一变了"]
    assert write_file(tmp_path / "a.csv", 4_000, 5) == 2
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        assert sorted({len(row) for row in csv.reader(file)}) == [8, 9]


def test_files_of_seven_sources_become_columns(tmp_path):
    report = bench_files(60, 5, 3, tmp_path)
    assert report.problems == []
    assert [row.name for row in report.rows] == ["huiqi 快照全部重建", "一家变了，快照更新", "看一家的档案"]
    assert len(report.rows[1].seconds) == 3


def test_a_whole_night_is_written_listed_and_queued():
    report = bench_night(400, 40, 5)
    assert report.problems == []
    assert (
        0 < report.facts["推送条数"] <= 2 * report.facts["符合条数"]
    )  # nobody is told of nothing to be paid
    assert {"分配、比对、写结果块", "写名单", "排推送", "huiqi 一夜"} <= {row.name for row in report.rows}


def test_the_night_after_is_the_night_from_nothing(monkeypatch):
    monkeypatch.setattr(night_blocks, "WORTH_PATCHING", 0)
    monkeypatch.setattr(night_blocks, "WORTH_FIRMS", 0)
    replayed = []

    def also_replay(report, inputs, night):
        replayed.append(replay(night.engine, night.home, night.no))
        bench_again(report, inputs, night, 1)

    monkeypatch.setattr(whole, "bench_again", also_replay)
    report = bench_night(20_000, 40, 5, follow=False, again=True)
    assert report.problems == []
    assert replayed == [[]], "columns of a library's own indicators are opened as they were"
    assert report.facts["变了 1% 的企业，补的块"] > 0
    assert report.facts["变了一个事项（一个门槛），补的块"] > 0


def test_little_changes_are_matched_alike():
    report = bench_nightly(9_000, 20, 5, 1)
    assert report.problems == []
    assert any("一个门槛" in row.name for row in report.rows)


@pytest.mark.parametrize("name", PEERS)
def test_peers_answer_alike(name, monkeypatch):
    if not peers.installed(PEERS[name].module):
        pytest.skip(f"{name} is not installed here (pip install 'huiqi[bench]')")
    monkeypatch.setitem(PEERS, "zen", replace(PEERS["zen"], firms=300))
    report = bench_match(3_000, 40, 5, 1, peer_names=[name])
    assert report.problems == []
    row = report.rows[-1]
    assert name in row.name and row.share == (0.1 if name == "zen" else 1.0)


def test_a_peer_that_is_missing_is_said(monkeypatch):
    monkeypatch.setattr(peers, "installed", lambda module: False)
    assert bench_match(2_000, 5, 5, 1, peer_names=["zen"]).problems == [
        "没有装 zen，没有比（pip install 'huiqi[bench]'）"
    ]


def test_whole_processes_find_the_same(tmp_path):
    if not peers.installed("polars"):
        pytest.skip("没有装 polars（extra bench）")
    report = bench_process(300, 20, 5, 1, tmp_path)
    assert report.problems == []
    assert [row.name.split()[0] for row in report.rows] == ["huiqi", "polars"]
