"""命令行: Chinese help and misuse, --version, the desk's port, --home, amounts, suggestions for an item."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

import jobs.cli
import policies
from jobs.cli import PANELS, app, main
from jobs.cli.common import local, yuan
from jobs.cli.desk import answer, listen
from policies.library import load_library
from profiles.dictionary import builtin_dictionary
from profiles.source import source_title

ENGLISH = (
    "Usage",
    "Options",
    "Commands",
    "Arguments",
    "Show this",
    "required",
    "default:",
    "Error",
    "Missing",
    "Try ",
    "<bool>",
    "<str>",
    "<path>",
    "<int",
)


@pytest.fixture(scope="module", autouse=True)
def commands() -> None:
    if not app.registered_commands:
        jobs.cli._register()


def told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *args: str
) -> tuple[object, str, str]:
    monkeypatch.setattr(sys, "argv", ["huiqi", *args])
    monkeypatch.setattr(jobs.cli, "_register", lambda: None)
    with pytest.raises(SystemExit) as end:
        main()
    out, err = capsys.readouterr()
    return end.value.code, out, err


@pytest.mark.parametrize("args", [[], ["match"], ["batch"], ["desk"], ["identity", "answer"]])
def test_help_pages_are_chinese_and_cut_nothing(args: list[str]) -> None:
    shown = CliRunner().invoke(app, [*args, "--help"], env={"COLUMNS": "80"}).stdout
    assert "用法：" in shown and "看这份说明" in shown and not any(word in shown for word in ENGLISH)
    group = get_command(app)
    for name in args:
        group = group.commands[name]  # type: ignore[attr-defined]
    flat = re.sub(r"[\s│]+", "", shown)
    for command in getattr(group, "commands", {}).values():
        first = (command.help or "").strip().split("\n\n")[0]
        assert re.sub(r"\s+", "", first) in flat, command.name


def _pages(group: object, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        yield (*above, name)
        if hasattr(command, "commands"):
            yield from _pages(command, (*above, name))


@pytest.mark.parametrize("page", list(_pages(get_command(app))), ids=" ".join)
def test_every_help_page_has_an_example_and_no_python(page: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*page, "--help"], env={"COLUMNS": "160"}).stdout
    assert f"例：huiqi {page[0]}" in shown or ("=" in shown and "例：HUIQI" in shown)
    assert not any(word in shown for word in ("<list", "True]", "False]", "示例"))


def test_the_front_page_lists_every_command_under_what_one_wants_to_do() -> None:
    listed = [name for names in PANELS.values() for name in names]
    assert sorted(listed) == sorted(get_command(app).commands)  # type: ignore[attr-defined]
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "100"}).stdout
    assert [shown.index(title) for title in PANELS] == sorted(shown.index(title) for title in PANELS)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["match"], "错误：缺少选项 --profiles；用法：huiqi match --help"),
        (["explain"], "错误：缺少参数 code；用法：huiqi explain --help"),
        (["mach"], "没有“mach”这个命令；相近的：match"),
        (["match", "--profile", "x"], "没有 --profile 这个选项；相近的：--profiles"),
        (["desk", "--port", "x"], "--port 的值不对：要写整数"),
        (["desk", "--port", "0"], "--port 的值不对：不能小于 1"),
        (["fmt"], "缺少参数 files"),
        (["explain", "a", "b", "c"], "多写了：c"),
        (["match", "--profiles", "a", "--out", "b", "--as-of", "昨天"], "日期“昨天”要写成 2026-03-01"),
    ],
)
def test_a_wrong_use_is_one_chinese_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], args: list[str], says: str
) -> None:
    code, out, err = told(monkeypatch, capsys, *args)
    assert code == 2 and not out and err.count("\n") == 1 and says in err
    assert not any(word in err for word in ENGLISH)


def test_the_version_is_the_projects(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text("utf-8"))
    code, out, _ = told(monkeypatch, capsys, "--version")
    assert code == 0 and out == f"huiqi {project['project']['version']}\n"


def test_a_taken_port_is_told_and_no_address_is_promised() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = CliRunner().invoke(app, ["desk", "--port", str(port)])
    assert found.exit_code == 2 and not found.stdout
    assert found.stderr.startswith(f"错误：端口 {port} 已有别的程序在用；换一个")


def test_an_answer_of_two_parts_waits_for_no_acknowledgement() -> None:
    """asyncio turns Nagle's waiting off only for sockets that say they are TCP: each page took 40 ms longer."""

    async def told() -> int:
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def come(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            own = writer.get_extra_info("socket")
            found.set_result(own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(come, sock=listen("127.0.0.1", 0)) as server:
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.close()
            return await asyncio.wait_for(found, 10)

    assert asyncio.run(told())


def test_a_port_that_two_bind_is_served_by_the_first_that_listens() -> None:
    first = listen("127.0.0.1", 0)
    port = first.getsockname()[1]
    with first, listen("127.0.0.1", port) as second:
        answer(first, port)
        with pytest.raises(ValueError, match=f"端口 {port} 已有别的程序在用"):
            answer(second, port)


def test_files_and_batches_live_in_the_home_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HUIQI_DB", raising=False)
    monkeypatch.setenv("HUIQI_HOME", str(tmp_path / "elsewhere"))
    table = tmp_path / "登记.csv"
    head = "企业名称,统一社会信用代码,注册日期,企业类型,注册资金,经营范围,所在省份,地区,注册地址\n"
    table.write_text(
        head + "甲示范有限公司,91120116MA05ABCA4M,2016-05-20,N/A,10万元(人民币),软件,天津,滨海,某路1号\n",
        "utf-8",
    )
    home = ["--home", str(tmp_path / "home")]
    done = CliRunner().invoke(app, ["import", str(table), "--source", "registration", *home])
    assert done.exit_code in (0, 1) and "（第1批）" in done.stdout, done.stderr
    head, batch = CliRunner().invoke(app, ["batch", "list", *home]).stdout.splitlines()
    assert head.startswith("批号\t到达\t") and batch.startswith("1\t") and "\t登记.csv\t落库\t1\t" in batch
    assert CliRunner().invoke(app, ["batch", "list"]).stdout == "还没有导入过\n"
    unknown = CliRunner().invoke(app, ["batch", "show", "9", *home])
    assert unknown.exit_code == 2 and "没有第9批" in unknown.stderr


@pytest.mark.parametrize(
    ("text", "value"),
    [("2000万元", 2e7), ("1.2亿元", 1.2e8), ("3,000万元", 3e7), ("20000000", 2e7), ("20,000.50", 20000.5)],
)
def test_an_amount_on_the_command_line_reads_as_in_a_rule(text: str, value: float) -> None:
    assert yuan(text) == value


def test_an_amount_that_is_none_is_a_wrong_use() -> None:
    with pytest.raises(typer.BadParameter, match="2000万元"):
        yuan("很多")


def test_a_moment_is_shown_as_clocks_here_show_it() -> None:
    assert f"{local(datetime(2026, 1, 1, 20, 30, tzinfo=UTC)):%Y-%m-%d %H:%M}" == "2026-01-02 04:30"


@pytest.mark.parametrize(
    ("written", "meant"),
    [("rd-intensity", "bs-2025-06/rd-intensity"), ("bs-2025-07/rd-intensity", "bs-2025-06/rd-intensity"),
     ("研发投入强度", "bs-2025-06/rd-intensity"), ("bs-2025-06/rd-intensty", "bs-2025-06/rd-intensity")],
)  # fmt: skip
def test_an_item_that_is_not_there_names_the_one_that_was_meant(written: str, meant: str) -> None:
    library = load_library(Path(policies.__file__).with_name("library"), builtin_dictionary())
    with pytest.raises(ValueError, match=re.escape("您是不是想写") + ".*" + re.escape(meant)):
        library.wanted(written)


def test_sources_have_their_chinese_names() -> None:
    assert source_title("tax_annual", "税务局") == "税务·年度申报"
    assert source_title("own_one", "商务局") == "商务局"
