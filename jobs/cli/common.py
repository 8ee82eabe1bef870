"""公用: what the command modules share: options, dates and the way errors are told."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

HomeOption = Annotated[Path | None, typer.Option("--home", help="数据文件夹；默认 HUIQI_HOME 或 var/")]
SHANGHAI = ZoneInfo("Asia/Shanghai")


def today() -> date:
    """今天: the date at Asia/Shanghai; the only place the commands ask the clock for a day."""
    return datetime.now(SHANGHAI).date()


def now() -> datetime:
    """此刻: an aware UTC time."""
    return datetime.now(ZoneInfo("UTC"))


def local(moment: datetime) -> datetime:
    """当地时间: a moment as clocks at Asia/Shanghai show it; for every time that people read."""
    return moment.astimezone(SHANGHAI)


def clock_of(engine: Any) -> Callable[[], datetime]:
    """数据文件夹的钟: the clock, or in a folder of invented firms the clock on the folder's own day."""
    from store.showing import showing

    shift = showing(engine)
    return now if shift is None else lambda: now() + shift


@contextmanager
def steps(first: str) -> Iterator[Callable[[str], None]]:
    """一步步说: on a terminal a line that changes, elsewhere a plain line a step; on stderr, so that results stay alone."""
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal:
        with console.status(first) as status:
            yield lambda text: status.update(text)
    else:
        yield lambda text: typer.echo(f"… {text}", err=True)


def day_of(engine: Any, text: str | None) -> date:
    """办事的日子: the date written, else today by the data folder's clock. Raises typer.BadParameter."""
    return parse_as_of(text) if text else clock_of(engine)().astimezone(SHANGHAI).date()


def parse_as_of(text: str | None) -> date:
    """日期参数: an ISO date, or today's. Raises typer.BadParameter."""
    if not text:
        return today()
    from engine.days import why_no_day

    try:
        return date.fromisoformat(text)
    except ValueError:
        wrong = why_no_day(text)
        raise typer.BadParameter(f"日期“{text}”要写成 2026-03-01{wrong and f'（{wrong}）'}") from None


def library_path(given: Path | None) -> Path:
    """政策库路径: the option, HUIQI_LIBRARY, or the bundled sample."""
    if given is not None:
        return given
    if os.environ.get("HUIQI_LIBRARY"):
        return Path(os.environ["HUIQI_LIBRARY"])
    import policies

    return Path(policies.__file__).with_name("library")


def resting_words(left_out: Mapping[str, int]) -> str:
    """没有参加的事项 in words, with the cure where they are drafts; "" where there are none."""
    if not left_out:
        return ""
    kinds = "，".join(f"{why} {n}" for why, n in sorted(left_out.items()))
    cure = "；草稿改好、核对以后，删掉规则文件里 status: 草稿 那一行才比对" if "草稿" in left_out else ""
    return f"库里另有 {sum(left_out.values())} 个事项这一天不比对：{kinds}{cure}"


def yuan(text: str | float) -> float:
    """金额参数: as `read_money` reads it (a default is a number); in yuan. Raises typer.BadParameter.

    A small number without a unit is read in yuan as any other, and that is said: 万元 was likely meant.
    """
    from engine.words import read_money

    try:
        value = read_money(str(text))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if isinstance(text, str) and 0 < value < LIKELY_WAN and not text.rstrip().endswith(("元", "万", "亿")):
        typer.echo(f"按元读：{value:,.10g} 元；要 {text.strip()} 万元请写 {text.strip()}万", err=True)
    return value


LIKELY_WAN = 100_000  # yuan: no budget is that small


def workbook(text: str | Path) -> Path:
    """表格参数: where an .xlsx is to be written, in a folder that is there. Raises typer.BadParameter."""
    path = Path(text)
    if path.suffix.lower() != ".xlsx":
        raise typer.BadParameter(f"{path.name} 要以 .xlsx 结尾")
    if not path.absolute().parent.is_dir():
        raise typer.BadParameter(f"没有文件夹 {path.parent}，请先建好再导出")
    return path


ExcelOption = Annotated[
    Path | None, typer.Option("--excel", parser=workbook, metavar="文件.xlsx", help="写成表格 .xlsx")
]


@contextmanager
def telling() -> Iterator[None]:
    """报错: a fault of use ends with one line on stderr and exit code 2."""
    try:
        yield
    except BrokenPipeError:  # whoever read our output has seen enough (`| head`)
        raise
    except (ValueError, OSError) as error:
        typer.echo(f"错误：{say_error(error)}", err=True)
        raise typer.Exit(2) from None


FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
MISTAKES = {errno.ENOENT: "没有这个文件", errno.EISDIR: "这是文件夹，要给文件", errno.ENOTDIR: "这不是文件夹",
            errno.EACCES: "没有权限读写这个文件", errno.EEXIST: "这个文件已经有了"}  # fmt: skip


def say_error(error: Exception) -> str:
    """错误的话: a full disk and a wrong path in plain words, with the place; everything else as it says itself."""
    if not isinstance(error, OSError):
        return str(error)
    if error.errno in MISTAKES and error.filename:
        return f"{MISTAKES[error.errno]}：{error.filename}"
    if error.errno not in FULL and "No space left" not in str(error):
        return str(error)
    if error.filename and error.strerror and "磁盘" in error.strerror:
        return f"{error.filename}：{error.strerror}"
    where = f"{error.filename}：" if error.filename else ""
    return f"{where}文件写不下了，磁盘已满；腾出空间后重跑，办完的不会重做"
