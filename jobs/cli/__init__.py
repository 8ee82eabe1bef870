"""命令行: the front door `huiqi`; it alone may import every room."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys

import typer

app = typer.Typer(
    name="huiqi",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="惠企直达：政策找企业。规则、一企一档、比对、名单、免申即享、兑现。",
)

# One module a subject; a module registers its commands and imports the rooms only inside them,
# so that `huiqi --help` answers at once.
SUBJECTS = (
    "rules",
    "documents",
    "firms",
    "sample",
    "portrait",
    "nightly",
    "grants",
    "analyst",
    "scores",
    "desk",
    "settings",
    "operations",
    "bench",
)


def _register() -> None:
    for subject in SUBJECTS:
        name = f"{__name__}.{subject}"
        if importlib.util.find_spec(name) is not None:
            importlib.import_module(name).register(app)


def main() -> None:
    """命令行入口: run `huiqi`; exit 0 done, 1 found problems, 2 used wrongly."""
    os.environ.setdefault("PYTHONUTF8", "1")
    _register()
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()
