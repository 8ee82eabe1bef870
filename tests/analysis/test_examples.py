"""Every public function and class of the analysts' face shows an example in its docstring, and the example runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
from functools import cached_property
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

import analysis
from analysis import View, charts

MODULES = ("night", "effects", "sweeping", "backtesting", "missing", "charts", "classifiers", "naming", "groups",
           "tables", "whole", "paid_lists", "promises", "paid_tables", "changes")  # fmt: skip


def kept_ones(module: ModuleType, finder: doctest.DocTestFinder, names: dict) -> list[doctest.DocTest]:
    """Examples of cached properties, which doctest passes over."""
    found = []
    for owner in (c for c in vars(module).values() if inspect.isclass(c) and c.__module__ == module.__name__):
        for name, member in vars(owner).items():
            if isinstance(member, cached_property):
                found += finder.find(member.func, f"{owner.__name__}.{name}", globs=names)
    return found


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str, view: View, home: Path) -> None:
    module = importlib.import_module(f"analysis.{name}")
    names = {**vars(module), "view": view, "home": home}
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in [*finder.find(module, f"analysis.{name}", globs=names), *kept_ones(module, finder, names)]:
        runner.run(test)
    assert runner.failures == 0 and runner.tries > 0


def shown(owner: object) -> list[object]:
    """A public function or class, and of a class every public method and property that it defines."""
    members = vars(owner).items() if inspect.isclass(owner) else ()
    kinds = (property, cached_property, staticmethod, classmethod, FunctionType)
    return [owner, *(m for n, m in members if not n.startswith("_") and isinstance(m, kinds))]


PUBLIC = {f"analysis.{name}": getattr(analysis, name) for name in analysis.__all__} | {
    f"charts.{n}": f
    for n, f in vars(charts).items()
    if isinstance(f, FunctionType) and f.__module__ == charts.__name__ and not n.startswith("_")
}


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_an_example(name: str) -> None:
    bare = [m for m in shown(PUBLIC[name]) if ">>>" not in (inspect.getdoc(m) or "")]
    assert not bare
