"""Every public function and class of the analysts' face shows an example in its docstring, and the example runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
from pathlib import Path

import pytest

import analysis
from analysis import View

MODULES = ("night", "effects", "sweeping", "backtesting", "missing", "charts", "classifiers", "naming", "groups",
           "tables", "whole", "paid_lists", "promises", "paid_tables", "changes")  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str, view: View, home: Path) -> None:
    module = importlib.import_module(f"analysis.{name}")
    names = {**vars(module), "view": view, "home": home}
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in finder.find(module, f"analysis.{name}", globs=names):
        runner.run(test)
    assert runner.failures == 0 and runner.tries > 0


@pytest.mark.parametrize("name", analysis.__all__)
def test_every_public_name_has_an_example(name: str) -> None:
    public = getattr(analysis, name)
    own = [public, *(m for n, m in inspect.getmembers(public, inspect.isfunction) if not n.startswith("_"))]
    bare = [m.__qualname__ for m in own if ">>>" not in (inspect.getdoc(m) or "")]
    assert not bare
