"""评分的图: how near frequencies lie to probabilities, and how estimates get better with answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from analysis.charts import BLUE, GREY, RED, _dress, _figure

WORDS = {"conditions": "单条", "pairs": "整对"}


def reliability_chart(populations: Mapping[str, Mapping[str, Any]]) -> Figure:
    """可靠性图: of each population's conditions and pairs; the diagonal is perfect."""
    figure, axes = _figure("估计的概率与实际的比例", 6.4, 5.0)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8)
    for style, (name, found) in zip(("-", "--", ":"), populations.items(), strict=False):
        for colour, (part, points) in zip((BLUE, RED), found["reliability"].items(), strict=True):
            x, y, _ = zip(*points, strict=True) if points else ((), (), ())
            label = f"{name} {WORDS[part]}（ECE {found['condition_ece' if part == 'conditions' else 'pair_ece']:.3f}）"
            axes.plot(x, y, style, marker="o", markersize=3, color=colour, label=label)
    axes.set_xlabel("估计的概率")
    axes.set_ylabel("实际符合的比例")
    axes.legend(frameon=False)
    return _dress(figure)


def curve_chart(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """学习曲线图: Brier score and calibration error by the number of answers."""
    figure, axes = _figure("人答得越多，估计得越准（没答过的企业）")
    x = range(len(rows))
    axes.plot(x, [r["brier"] for r in rows], marker="o", color=BLUE, label="布里尔分")
    axes.plot(x, [r["ece"] for r in rows], marker="o", color=RED, label="校准误差")
    axes.set_xticks(list(x), [f"{r['decisions']:,}" for r in rows])
    axes.set_xlabel("答复条数")
    axes.set_ylim(0, 0.3)
    axes.legend(frameon=False)
    return _dress(figure)
