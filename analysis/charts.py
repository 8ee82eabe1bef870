"""图: charts with Chinese labels drawn with a bundled font, for notebooks, the desk and exports."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pylopdf_fonts_zh_cn import sans_path

if TYPE_CHECKING:
    from analysis.classifiers import ClassifierReport
    from analysis.effects import Impact
    from analysis.sweeping import Sweep
    from analysis.whole import Impacts

BLUE, GREY, RED = "#1f5fa8", "#9aa5b1", "#b3372f"


@lru_cache(maxsize=1)
def font() -> font_manager.FontProperties:
    """中文字体: Noto Sans SC from its package, whatever the system has.

    >>> font().get_name()
    'Noto Sans SC'
    """
    path = str(sans_path())
    font_manager.fontManager.addfont(path)
    return font_manager.FontProperties(fname=path)


def _figure(title: str, width: float = 6.4, height: float = 3.2) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _dress(figure: Figure) -> Figure:
    """Every text of the figure in the bundled font, minus signs included."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        size = text.get_fontsize()
        text.set_fontproperties(font())
        text.set_fontsize(size)
    return figure


def svg(figure: Figure) -> str:
    """SVG 文本: glyphs as outlines, so that it looks the same everywhere.

    >>> svg(bars(["甲", "乙"], [1, 2], "例"))[:4]
    '<svg'
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def impact_chart(impact: Impact | Impacts) -> Figure:
    """影响图: firms 符合 before and after, by size.

    >>> from analysis import compare
    >>> svg(impact_chart(compare(view, view, "bs-2025-06/rd-intensity")))[:4]
    '<svg'
    """
    sizes = impact.groups[impact.groups["按"] == "企业规模"]
    figure, axes = _figure(f"{impact.title}：改前改后符合的企业")
    places = range(len(sizes))
    axes.bar([p - 0.2 for p in places], sizes["原符合"], 0.4, label="改前", color=GREY)
    axes.bar([p + 0.2 for p in places], sizes["新符合"], 0.4, label="改后", color=BLUE)
    axes.set_xticks(list(places), list(sizes["组"]))
    axes.set_ylabel("家")
    if len(sizes):
        axes.legend(frameon=False)
    return _dress(figure)


def sweep_chart(sweep: Sweep) -> Figure:
    """门槛图: money as the band from the sure sum to the sum with 待核实, with the budget's line.

    >>> from analysis import sweep
    >>> svg(sweep_chart(sweep(view, "bs-2025-06/rd-intensity", "rd_scale", ["100万元", "300万元"])))[:4]
    '<svg'
    """
    table = sweep.table
    figure, axes = _figure(f"门槛 {sweep.condition} 与金额")
    places = list(range(len(table)))
    axes.plot(places, table["应付高"] / 1e4, color=BLUE, marker="o", label="符合的应付")
    axes.fill_between(
        places, table["应付低"] / 1e4, table["含待核实最多"] / 1e4, color=BLUE, alpha=0.15, label="连同待核实"
    )
    if sweep.budget:
        axes.axhline(sweep.budget / 1e4, color=RED, linestyle="--", label="预算")
    axes.set_xticks(places, [str(v) for v in table["门槛"]], rotation=30)
    axes.set_ylabel("万元")
    axes.legend(frameon=False)
    return _dress(figure)


def heat_map(grid: pd.DataFrame, value: str = "应付高") -> Figure:
    """热图: a value of `sweep_two` over its two thresholds.

    >>> from analysis import sweep_two
    >>> two = ("rd_scale", ["100万元"]), ("intensity", ["3%", "5%"])
    >>> svg(heat_map(sweep_two(view, "bs-2025-06/rd-intensity", *two)))[:4]
    '<svg'
    """
    rows, columns = list(grid.columns[:2])
    cells = grid.pivot(index=rows, columns=columns, values=value)
    cells = cells.reindex(index=grid[rows].unique(), columns=grid[columns].unique())
    figure, axes = _figure(value, 6.4, 3.6)
    image = axes.imshow(cells.to_numpy(dtype=float), cmap="Blues", aspect="auto")
    axes.set_xticks(range(cells.shape[1]), [str(c) for c in cells.columns])
    axes.set_yticks(range(cells.shape[0]), [str(c) for c in cells.index])
    axes.set_xlabel(columns)
    axes.set_ylabel(rows)
    figure.colorbar(image, ax=axes)
    return _dress(figure)


def bars(labels: Any, values: Any, title: str, unit: str = "") -> Figure:
    """横条图: the first on top.

    >>> bars(["甲", "乙"], [1, 2], "例").axes[0].get_title()
    '例'
    """
    figure, axes = _figure(title, 6.4, 0.8 + 0.32 * len(labels))
    axes.barh(list(labels)[::-1], list(values)[::-1], color=BLUE)
    axes.set_xlabel(unit)
    return _dress(figure)


def funnel_chart(funnel: pd.DataFrame) -> Figure:
    """漏斗图: firms left after each condition.

    >>> svg(funnel_chart(view.funnel("bs-2025-06/rd-intensity")))[:4]
    '<svg'
    """
    return bars(funnel["条件"], funnel["剩下"], "逐条剩下的企业", "家")


def calibration_chart(report: ClassifierReport) -> Figure:
    """校准图: share right over the mean score of each step; on the diagonal the scores are to be believed.

    >>> from analysis.classifiers import ClassifierReport
    >>> made = pd.DataFrame([["大类", "A", "A", 0.9, True]], columns=["类型", "说", "应", "把握", "对"])
    >>> svg(calibration_chart(ClassifierReport("例", made)))[:4]
    '<svg'
    """
    table = report.calibration
    figure, axes = _figure(f"{report.name}：把握与答对", 4.2, 3.6)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--")
    axes.plot(table["平均把握"], table["答对"], color=BLUE, marker="o")
    axes.set_xlabel("把握")
    axes.set_ylabel("答对的份额")
    return _dress(figure)
