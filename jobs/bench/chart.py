"""测速图: bars on a logarithmic scale, one a contender."""

from __future__ import annotations

from pathlib import Path

from jobs.bench.match import Report


def draw(report: Report, path: Path) -> None:
    """画图: median seconds of each contender, to a .png or .svg."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import font_manager, pyplot

    family = _chinese_font(font_manager)
    with pyplot.rc_context({"font.family": family} if family else {}):
        names = [row.name for row in report.rows]
        seconds = [row.median for row in report.rows]
        figure, axes = pyplot.subplots(figsize=(9, 0.6 * len(names) + 1.2))
        axes.barh(names[::-1], seconds[::-1], color="#8a3b2a")
        axes.set_xscale("log")
        for at, value in enumerate(seconds[::-1]):
            axes.text(value, at, f" {value:.3g} s", va="center")
        axes.set_title(f"{report.firms:,} × {report.items:,}")
        axes.margins(x=0.2)
        figure.tight_layout()
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
        pyplot.close(figure)


def _chinese_font(manager) -> str | None:
    """A font with Chinese letters, from the package that carries one; None where it is absent."""
    import importlib.util

    spec = importlib.util.find_spec("pylopdf_fonts_zh_cn")
    if spec is None or spec.origin is None:
        return None
    for font in sorted(Path(spec.origin).parent.rglob("*.otf")):
        manager.fontManager.addfont(str(font))
        return manager.FontProperties(fname=str(font)).get_name()
    return None
