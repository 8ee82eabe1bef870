"""命令行: the front door `huiqi`; it alone may import every room."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from jobs.cli.chinese import say_misuse, speak_chinese

app = typer.Typer(
    name="huiqi",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="惠企直达：政策找企业。规则、一企一档、比对、名单、免申即享、兑现。",
)

SIGPIPE_CODE = 128 + 13  # what a shell says of `git log | head`; neither 0 "done" nor 1 "found problems"

# One module a subject; a module registers its commands and imports the rooms only inside them,
# so that `huiqi --help` answers at once.
SUBJECTS = (
    "rules",
    "documents",
    "imports",
    "firms",
    "identity",
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


# The front page by what one wants to do; a command that stands nowhere is listed under 命令.
PANELS = {
    "规则与政策": ("check", "fmt", "schema", "indicators", "match", "decompose", "items"),
    "数据与一企一档": ("import", "sources", "batch", "file", "identity", "correction", "portrait", "portrait-confirm",
                 "portrait-review", "sample"),
    "每夜比对": ("demo", "nightly", "explain", "replay", "schedule"),
    "推送与兑现": ("readiness", "push", "pushes", "reach", "contacts", "fulfil"),
    "分析": ("impact", "sweep", "missing", "backtest", "classifiers", "scores"),
    "工作台与运维": ("desk", "admin", "settings", "doctor", "backup", "restore", "verify-audit", "bench"),
}  # fmt: skip


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"huiqi {own_version()}")
        raise typer.Exit


@app.callback()
def _front(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="版本号")
    ] = False,
) -> None:
    """惠企直达：政策找企业。规则、一企一档、比对、名单、免申即享、兑现。"""


def own_version() -> str:
    """版本号: of the installed package, else of the pyproject.toml beside the rooms."""
    import tomllib
    from importlib.metadata import PackageNotFoundError, version

    project = Path(__file__).resolve().parents[2] / "pyproject.toml"
    if project.is_file():
        return str(tomllib.loads(project.read_text("utf-8"))["project"]["version"])
    try:
        return version("huiqi")
    except PackageNotFoundError:
        return "未安装"


def _register() -> None:
    speak_chinese()
    for subject in SUBJECTS:
        name = f"{__name__}.{subject}"
        if importlib.util.find_spec(name) is not None:
            importlib.import_module(name).register(app)
    panel: dict[str | None, str] = {name: title for title, names in PANELS.items() for name in names}
    for command in app.registered_commands:
        if command.name in panel:
            command.rich_help_panel = panel[command.name]
    for group in app.registered_groups:
        if group.name in panel:
            group.rich_help_panel = panel[group.name]


def main() -> None:
    """命令行入口: run `huiqi`; exit 0 done, 1 found problems, 2 used wrongly."""
    os.environ.setdefault("PYTHONUTF8", "1")
    _register()
    if os.environ.get(
        "HUIQI_LOG"
    ):  # one-shot commands speak to a person; from cron they may be told to log too
        from jobs import logs

        try:
            logs.configure(os.environ)
        except ValueError as error:
            typer.echo(f"错误：{error}", err=True)
            sys.exit(2)
    try:
        code = app(prog_name="huiqi", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        sys.exit(_reader_gone())
    except SystemExit as stop:
        if isinstance(stop.__context__, BrokenPipeError):  # which typer tells as 1, our "found problems"
            sys.exit(_reader_gone())
        raise
    except Exception as error:
        sys.exit(_misused(error))
    sys.exit(code if isinstance(code, int) else 0)


def _reader_gone() -> int:
    """读的人走了: whoever read our output has seen enough (`| head`): quietly, with the code Unix tools end with then."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still buffered goes nowhere
    return SIGPIPE_CODE


def _misused(error: Exception) -> int:
    """The exit code of a wrong use, told in one line; any other error is a fault of ours and goes on."""
    kind = type(error).__name__
    if kind == "Abort":
        typer.echo("已取消", err=True)
        return 1
    if not hasattr(error, "format_message"):
        raise error
    if kind != "NoArgsIsHelpError":  # which has shown the help itself
        typer.echo(say_misuse(error), err=True)
    return int(getattr(error, "exit_code", 2))
