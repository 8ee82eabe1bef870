"""指标字典: the built-in dictionary of indicators, read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from engine.errors import Problem
from engine.indicators import Dictionary, read_indicators

FILE = Path(__file__).with_name("indicators.yaml")


@cache
def builtin_dictionary() -> Dictionary:
    """内置指标字典. Raises ValueError when the bundled file has a fault."""
    problems: list[Problem] = []
    entries = read_indicators(FILE.read_text(encoding="utf-8"), "profiles/indicators.yaml", problems.append)
    if problems:
        raise ValueError("\n".join(p.render() for p in problems))
    return Dictionary(entries)


def library_dictionary(root: Path) -> Dictionary:
    """政策库的指标字典: the built-in one with the library's own indicators.yaml. Raises ValueError when that has a fault."""
    own = root / "indicators.yaml"
    if not own.is_file():
        return builtin_dictionary()
    problems: list[Problem] = []
    entries = read_indicators(own.read_text(encoding="utf-8"), "indicators.yaml", problems.append)
    if problems:
        raise ValueError("政策库的指标字典有错，先改好再起草：\n" + "\n".join(p.render() for p in problems))
    return builtin_dictionary().with_entries(entries)
