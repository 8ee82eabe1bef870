"""分析台: the analysts' public face; everything here is a pure reading of a night, nothing is written or sent."""

from analysis.backtesting import Backtest, backtest, read_paid_list
from analysis.classifiers import ClassifierReport, disagreeing, role_report, tag_report
from analysis.effects import Impact, Impacts, Limits, compare, compare_all
from analysis.missing import missing_value
from analysis.night import View, open_night
from analysis.sweeping import Sweep, sweep, sweep_two, threshold_for

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
    "sweep",
    "sweep_two",
    "tag_report",
    "threshold_for",
]
