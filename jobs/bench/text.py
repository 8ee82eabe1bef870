"""测速 text: 经营范围 of many firms cut into words with the clause cache, beside jieba text by text; same words."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from engine.text import ClauseWords, tokens
from jobs.bench.match import Report, Row, timed
from profiles.sample.registry import industries

LEAST_TIMES = 40
PEER_TEXTS = 5_000
OWN = 0.01  # share of clauses that a firm words for itself


def make_scopes(count: int, seed: int) -> list[str]:
    """造经营范围: `count` scopes of six to fourteen clauses, most of them the register's standard phrases."""
    rng = np.random.default_rng([seed, count])
    phrases = np.array(sorted({clause for row in industries().clauses for clause in row}))
    things = np.array(sorted({word for row in industries().words for word in row}))
    weight = 1 / (1 + rng.permutation(len(phrases))) ** 0.8
    size = rng.integers(6, 15, size=count)
    chosen = phrases[rng.choice(len(phrases), size=int(size.sum()), p=weight / weight.sum())].astype("U60")
    own = np.flatnonzero(rng.random(len(chosen)) < OWN)
    number = rng.integers(1, 3_000, size=len(own)).astype(str)
    first, second = (things[rng.integers(len(things), size=len(own))] for _ in range(2))
    chosen[own] = [f"{a}、{b}（年产{n}吨）的销售" for a, b, n in zip(first, second, number, strict=True)]
    ends = np.cumsum(size)
    return ["；".join(part) for part in np.split(chosen, ends[:-1])]


def read_scopes(path: Path, column: str) -> list[str]:
    """读一列文本: of a CSV file in UTF-8. Raises ValueError where the column is not there."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if column not in (reader.fieldnames or ()):
            raise ValueError(f"{path.name}  没有“{column}”这一列，现有：{'、'.join(reader.fieldnames or ())}")
        return [row[column] or "" for row in reader]


def bench_text(texts: list[str], repeat: int) -> Report:
    """测速: an empty cache each time, then a full one; jieba alone on a part of the texts. Words are compared there."""
    tokens("热身")
    report = Report(len(texts), 1)
    seconds, count = timed(repeat, lambda: _consume(ClauseWords().rows(texts)))
    report.rows.append(Row("huiqi 分句缓存（从空缓存起）", seconds))
    cache = ClauseWords()
    _consume(cache.rows(texts))
    warm, _ = timed(repeat, lambda: _consume(cache.rows(texts)))
    report.rows.append(Row("huiqi 分句缓存（缓存已有）", warm))
    chosen = [texts[i] for i in np.linspace(0, len(texts) - 1, min(PEER_TEXTS, len(texts))).astype(int)]
    slow, theirs = timed(1, lambda: [tokens(text) for text in chosen])
    report.rows.append(Row("jieba 逐篇", slow, share=len(chosen) / len(texts), note="抽样推算"))
    report.facts["字数"] = float(sum(map(len, texts)))
    report.facts["词数"] = float(count)  # type: ignore[arg-type]
    report.facts["分过词的段数"] = float(cache.segmented)
    report.facts["快几倍（从空缓存起）"] = report.rows[2].median / report.rows[0].median
    report.facts["快几倍（缓存已有）"] = report.rows[2].median / report.rows[1].median
    if list(ClauseWords().rows(chosen)) != theirs or list(cache.rows(chosen)) != theirs:
        report.problems.append("分出的词与 jieba 逐篇不同")
    return report


def _consume(rows: Iterable[list[str]]) -> int:
    return sum(map(len, rows))
