"""命令行的中文: the words of help pages and of wrong usage, which typer has in English only.

Every seam is optional: where another version of typer has none of that name, its own words stay.
"""

from __future__ import annotations

import re
from typing import Any

PANELS = {
    "ARGUMENTS_PANEL_TITLE": "参数",
    "OPTIONS_PANEL_TITLE": "选项",
    "COMMANDS_PANEL_TITLE": "命令",
    "ERRORS_PANEL_TITLE": "用法不对",
    "DEFAULT_STRING": "[默认：{}]",
    "ENVVAR_STRING": "[环境变量：{}]",
    "REQUIRED_LONG_STRING": "[必填]",
    "ABORTED_TEXT": "已取消。",
    "RICH_HELP": "看用法：[blue]{command_path} {help_option}[/]",
}
USAGE = (("Usage: ", "用法："), ("[OPTIONS]", "[选项]"), ("COMMAND [ARGS]...", "命令 [参数]…"))
HELP = "看这份说明"
# What an option takes, in the column beside its name; one that takes nothing says nothing.
TYPES = {"bool": "", "str": "文字", "path": "文件或文件夹", "int": "整数", "int range": "整数", "float": "数", "float range": "数",
         "date": "日期", "datetime": "日期"}  # fmt: skip
# What typer says of a wrong use, and how it is said here; the groups are what the user wrote.
SAID = (
    (r"Missing option ((?:'[^']*'(?: / )?)+)\.?.*", r"缺少选项 \1"),
    (r"Missing argument '([^']*)'\.?.*", r"缺少参数 \1"),
    (r"Missing command\.?", "要写一个子命令"),
    (r"No such option: (\S+)(?: \(Possible options: ([^)]*)\))?(?: Did you mean (.*)\?)?", r"没有 \1 这个选项；相近的：\2\3"),
    (r"No such command '([^']*)'\.?(?: Did you mean (.*)\?)?", r"没有“\1”这个命令；相近的：\2"),
    (r"Option '([^']*)' requires .*", r"选项 \1 后面要写值"),
    (r"Option '([^']*)' does not take a value\.?", r"选项 \1 后面不写值"),
    (r"Got unexpected extra argument\S* \((.*)\)", r"多写了：\1"),
    (r"Invalid value for '?([^:]*?)'?: (.*)", r"\1 的值不对：\2"),
    (r"Invalid value: (.*)", r"值不对：\1"),
)  # fmt: skip
INSIDE = (
    (r"Input should be a valid integer.*", "要写整数"),
    (r"Input should be a valid number.*", "要写数"),
    (r"Input should be greater than or equal to (\S+)", r"不能小于 \1"),
    (r"Input should be less than or equal to (\S+)", r"不能大于 \1"),
    (r"Input should be (.*)", r"只能是 \1"),
    (r"(?:Value )?'([^']*)' is not a valid (?:integer|int)(?: range)?\.?", r"“\1”不是整数"),
    (r"(?:Value )?'([^']*)' is not a valid (?:float|number)(?: range)?\.?", r"“\1”不是数"),
    (r"(?:Value )?'([^']*)' is not a valid (\S+)\.?", r"“\1”不合要求（\2）"),
    (r"(\S+) is not in the range (.*?)\.?", r"\1 不在范围 \2 里"),
    (r"'([^']*)' is not one of (.*?)\.?", r"“\1”不在可选的里面：\2"),
    (r"(?:Path|File|Directory) '([^']*)' does not exist\.?", r"没有 \1"),
)


def speak_chinese() -> None:
    """说中文: the usage line, the help of --help, and the panels of a help page once one is asked for."""
    from typer import core

    for kind in (core.TyperCommand, core.TyperGroup):
        if not hasattr(kind, "huiqi_chinese"):
            _translate(kind)
    for parameter in (core.TyperOption, core.TyperArgument):
        if hasattr(parameter, "display_type_rich") and not hasattr(parameter, "huiqi_chinese"):
            _name_types(parameter)


def _name_types(kind: Any) -> None:
    """选项的类型, not by the names that they have in Python."""
    shown = kind.display_type_rich

    def display_type_rich(self: Any, ctx: Any) -> Any:
        said = shown(self, ctx)
        bare = str(said).strip("<>") if said is not None and str(said).startswith("<") else None
        many = bare is not None and re.fullmatch(r"list\[(\w+)\]", bare)
        if many:
            return f"{TYPES.get(many[1].lower(), many[1])}…"
        return TYPES.get(bare, said) if bare is not None else said

    kind.display_type_rich = display_type_rich
    kind.huiqi_chinese = True


def _draw_in_chinese() -> None:
    """Names of panels; and cells that go on in the next line: Chinese has no blanks to break at, and was cut off."""
    from rich.table import Table
    from typer import rich_utils

    class Folded(Table):
        def add_row(self, *cells: Any, **more: Any) -> None:
            super().add_row(*cells, **more)
            for column in self.columns:
                column.overflow = "fold"

    for name, words in PANELS.items():
        if hasattr(rich_utils, name):
            setattr(rich_utils, name, words)
    if getattr(rich_utils, "Table", None) is Table:
        rich_utils.Table = Folded  # type: ignore[misc]


def _translate(kind: Any) -> None:
    usage, option, help_page = kind.get_usage, kind.get_help_option, kind.format_help

    def get_usage(self: Any, ctx: Any) -> str:
        said = str(usage(self, ctx))
        for english, chinese in USAGE:
            said = said.replace(english, chinese, 1)
        return said

    def get_help_option(self: Any, ctx: Any) -> Any:
        found = option(self, ctx)
        if found is not None:
            found.help = HELP
        return found

    def format_help(self: Any, ctx: Any, formatter: Any) -> None:
        _draw_in_chinese()
        help_page(self, ctx, formatter)

    kind.get_usage, kind.get_help_option, kind.format_help = get_usage, get_help_option, format_help
    kind.huiqi_chinese = True


def say_misuse(error: Any) -> str:
    """用法错误的话: one line in Chinese with the command whose help has the cure; unknown words stay as they are."""
    said = str(error.format_message()).replace("\n", " ").strip()
    for pattern, words in SAID:
        found = re.fullmatch(pattern, said)
        if found is not None:
            said = _inside(found.expand(words)).removesuffix("；相近的：").replace("'", "")
            break
    context = getattr(error, "ctx", None)
    where = f"；用法：{context.command_path} --help" if context is not None else ""
    return f"错误：{said}{where}"


def _inside(said: str) -> str:
    for pattern, words in INSIDE:
        said, done = re.subn(f"{pattern}$", words, said)
        if done:
            break
    return said
