"""分析台: the analysts' public face; everything here is a pure reading of a night, nothing is written or sent."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.backtesting import Backtest, backtest
    from analysis.classifiers import ClassifierReport, disagreeing, role_report, tag_report
    from analysis.effects import Impact, Limits, compare
    from analysis.missing import missing_value
    from analysis.night import View, open_night
    from analysis.paid_lists import read_paid_list
    from analysis.sweeping import Sweep, sweep, sweep_two, threshold_for
    from analysis.tables import show
    from analysis.whole import Impacts, compare_all

__all__ = [
    "Backtest",
    "ClassifierReport",
    "Impact",
    "Impacts",
    "Limits",
    "Sweep",
    "View",
    "backtest",
    "compare",
    "compare_all",
    "disagreeing",
    "missing_value",
    "open_night",
    "read_paid_list",
    "role_report",
    "show",
    "sweep",
    "sweep_two",
    "tag_report",
    "threshold_for",
]

# What is used is loaded when it is used: classifiers need a second of scikit-learn, and a single command's budget is two.
_WHERE = {
    "backtesting": ("Backtest", "backtest"),
    "classifiers": ("ClassifierReport", "disagreeing", "role_report", "tag_report"),
    "effects": ("Impact", "Limits", "compare"),
    "missing": ("missing_value",),
    "night": ("View", "open_night"),
    "paid_lists": ("read_paid_list",),
    "sweeping": ("Sweep", "sweep", "sweep_two", "threshold_for"),
    "tables": ("show",),
    "whole": ("Impacts", "compare_all"),
}
_MODULE_OF = {name: module for module, names in _WHERE.items() for name in names}


def __getattr__(name: str) -> Any:
    """A public name, from its module."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    found = getattr(importlib.import_module(f"analysis.{_MODULE_OF[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
