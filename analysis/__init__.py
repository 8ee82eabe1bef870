"""分析台: the analysts' public face; everything here is a pure reading of a night, nothing is written or sent."""

from analysis.backtesting import Backtest, backtest, read_paid_list
from analysis.effects import Impact, Impacts, Limits, compare, compare_all
from analysis.missing import missing_value
from analysis.night import View, open_night
from analysis.sweeping import Sweep, sweep, sweep_two

__all__ = [
    "Backtest",
    "Impact",
    "Impacts",
    "Limits",
    "Sweep",
    "View",
    "backtest",
    "compare",
    "compare_all",
    "missing_value",
    "open_night",
    "read_paid_list",
    "sweep",
    "sweep_two",
]
