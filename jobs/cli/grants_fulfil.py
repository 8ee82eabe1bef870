"""兑现命令: huiqi fulfil … · readiness · schedule."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.cli.common import ExcelOption, clock_of, day_of, library_path, telling, workbook
from jobs.cli.tables import lines

if TYPE_CHECKING:
    from jobs.fulfil import Late

HomeOption = Annotated[Path | None, typer.Option("--home", help="数据文件夹；默认 HUIQI_HOME 或 var")]
AsOfOption = Annotated[str | None, typer.Option("--as-of", help="日期，例如 2026-06-16；默认今天")]
JsonOption = Annotated[bool, typer.Option("--json", help="写成 JSON")]

fulfil = typer.Typer(
    no_args_is_help=True,
    help="兑现：时钟、到期与逾期、对账、额度、拖欠、考核、台账、工作日历。\n\n例：huiqi fulfil due --within 5 --for 财政",
)


def register(app: typer.Typer) -> None:
    """登记命令."""
    app.add_typer(fulfil, name="fulfil")
    app.command("readiness")(readiness)
    app.command("schedule")(schedule)


def open_store(home: Path | None) -> tuple[Any, Path]:
    """打开数据: the upgraded database and the data folder."""
    from jobs.cli.nightly import open_home
    from store.database import upgrade

    engine, folder = open_home(home)
    upgrade(engine)
    return engine, folder


@fulfil.command("clocks")
def clocks(home: HomeOption = None, as_of: AsOfOption = None) -> None:
    """走时钟：公示期满、逾期未确认、归档、递补。

    例：huiqi fulfil clocks --as-of 2026-06-16
    """
    from jobs.fulfil import advance

    with telling():
        engine, _ = open_store(home)
        report = advance(engine, day_of(engine, as_of), clock_of(engine)())
    typer.echo("，".join(f"{k} {v}" for k, v in report.moved.items()) or "没有到时间的事")
    for line in report.unknown:
        typer.echo(line, err=True)
    if report.unknown:
        raise typer.Exit(1)


@fulfil.command("due")
def due(
    home: HomeOption = None,
    as_of: AsOfOption = None,
    within: Annotated[int, typer.Option(help="几个工作日内到期的也列")] = 3,
    tell: Annotated[
        str, typer.Option("--for", help="只列该告诉谁的：经办 复核 财政 专员 企业 管理员（含催办到他的）")
    ] = "",
    department: Annotated[str, typer.Option("--department", help="只列一个部门的")] = "",
    who: Annotated[str, typer.Option("--who", help="只列该一个人办或管的，写登录名")] = "",
    as_json: JsonOption = False,
) -> None:
    """到期与逾期清单：谁办、晚几天、要催到谁。轮到专员和企业的，列这家企业的两位专员。

    例：huiqi fulfil due --within 5 --for 财政
    """
    from jobs.fulfil import deadlines

    with telling():
        engine, _ = open_store(home)
        rows = deadlines(engine, day_of(engine, as_of), within, tell=tell, department=department, who=who)
    if as_json:
        found = [{"id": r.case.id, "firm": r.case.code, "item": r.case.item, "state": r.case.state, "late": r.late,
                  "due": str(r.case.due or ""), "promised": str(r.case.promised or ""), "past_promise": r.broken, "holder": r.case.holder, "tell": list(r.tell),
                  "people": sorted(r.turn.logins)} for r in rows]  # fmt: skip
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    lines(
        ("编号", "期限", "企业", "事项", "状态", "告诉谁", "轮到谁"),
        ((r.case.id, _late_words(r), r.case.firm or r.case.code, r.case.title, r.case.state, "、".join(r.tell), r.turn.words())
         for r in rows),
        right=("编号",),
    )  # fmt: skip
    if not rows:
        typer.echo("没有到期的，也没有逾期的")


def _late_words(row: Late) -> str:
    """还剩几天、逾期几天, and by how much the item's own promise is passed."""
    left = row.case.due_note if row.late is None else ""
    if row.late is not None:
        left = f"逾期 {row.late} 天" if row.late > 0 else f"还剩 {-row.late} 天"
    return left + (f"，超承诺 {row.broken} 天" if row.broken is not None and row.broken > 0 else "")


@fulfil.command("act")
def act(
    grant: Annotated[int, typer.Argument(help="兑现事项编号")],
    action: Annotated[str, typer.Argument(help="办什么，例如 通过名单")],
    who: Annotated[str, typer.Option("--who", help="办理人")],
    role: Annotated[str, typer.Option("--role", help="经办 复核 财政 专员 企业")],
    fact: Annotated[list[str], typer.Option("--fact", help="名称=值，可以多个；金额写元")] = [],  # noqa: B006
    home: HomeOption = None,
    as_of: AsOfOption = None,
) -> None:
    """办一步；缺什么一次说全。

    例：huiqi fulfil act 12 通过名单 --who 林 --role 经办 --fact 核定金额=200000
    """
    from store import grants
    from store.calendars import office_calendar

    with telling():
        facts = dict(read_fact(pair) for pair in fact)
        engine, _ = open_store(home)
        calendar = office_calendar(engine)
        actor = grants.Actor(who, role)
        case = grants.act(
            engine, grant, action, actor, day_of(engine, as_of), clock_of(engine)(), calendar, facts
        )
    typer.echo(
        f"{case.firm or case.code} {case.title}：{case.state}，轮到{case.holder or '没有人'}，期限 {case.due or case.due_note or '无'}"
    )


@fulfil.command("apply")
def apply(
    item: Annotated[str, typer.Argument(help="事项编号")] = "",
    code: Annotated[str, typer.Argument(help="统一社会信用代码")] = "",
    who: Annotated[str, typer.Option("--who", help="登记人")] = "",
    fact: Annotated[
        list[str], typer.Option("--fact", help="户名= 账号= 开户行= 确认人=；给全就直接提交")
    ] = [],  # noqa: B006
    file: Annotated[
        Path | None, typer.Option("--file", help="申报登记表：事项,统一社会信用代码,户名,账号,开户行,确认人")
    ] = None,
    home: HomeOption = None,
    as_of: AsOfOption = None,
) -> None:
    """登记企业的申报：申报兑现的事项由此立项；给全账户就提交到名单核查。

    例：huiqi fulfil apply bs-2025-04/steady-growth 91120116MA05ABCD1X --who 林 --fact 户名=甲公司 --fact 账号=62220200
    """
    from store.nights import latest_night
    from store.openings import ACCOUNT, apply_for, apply_from_file

    rejected: list[str] = []
    with telling():
        if not who or (file is None and not (item and code)):
            raise ValueError("要写 --who，以及 事项和统一社会信用代码，或者 --file")
        facts = {name: str(value) for name, value in (read_fact(pair) for pair in fact)}
        wrong = [n for n in facts if n not in (*ACCOUNT, "户名说明")]
        if wrong:
            raise ValueError(f"申报里不能写“{wrong[0]}”：可以是 {' '.join(ACCOUNT)} 户名说明")
        engine, folder = open_store(home)
        night = latest_night(engine, folder, released=True)
        if night is None:
            raise ValueError("还没有比对过：先运行 huiqi nightly")
        day = day_of(engine, as_of)
        if file is not None:
            report = apply_from_file(engine, night, file, day, clock_of(engine)(), who)
            rejected = report.rejected
            typer.echo(f"{file.name}：登记 {report.opened} 件，退回 {len(rejected)} 行")
        else:
            case = apply_for(engine, night, code.upper(), item, day, clock_of(engine)(), who, facts)
            mark = case.facts.get("比对变化")
            typer.echo(
                f"第 {case.id} 号：{case.firm or case.code} {case.title}，{case.state}，期限 {case.due or case.due_note or '无'}"
                + (f"；{mark}，名单核查时要写明为什么仍然办" if mark else "")
            )
    for line in rejected:
        typer.echo(line)
    if rejected:
        raise typer.Exit(1)


def read_fact(pair: str) -> tuple[str, object]:
    """一个事实: 名称=值; sums in yuan become fen, lists are parted by 、. Raises ValueError."""
    from store.sheets import read_fen

    name, mark, value = pair.partition("=")
    if not mark:
        raise ValueError(f"“{pair}”要写成 名称=值")
    if name.endswith("金额"):
        return name, read_fen(value)
    return name, value.split("、") if name in ("缺项", "已补") else value


@fulfil.command("reconcile")
def reconcile(
    file: Annotated[Path, typer.Argument(help="财政支付日志 .csv")],
    home: HomeOption = None,
) -> None:
    """与财政对账：导入支付日志，到账记台账；不见了、改早、对不上的列出来。

    例：huiqi fulfil reconcile 支付日志_20260615.csv
    """
    from store import payments
    from store.calendars import office_calendar

    with telling():
        engine, _ = open_store(home)
        report = payments.reconcile(engine, file, clock_of(engine)(), office_calendar(engine))
    typer.echo(f"{report.file}：" + ("，".join(f"{k} {v}" for k, v in report.counts.items()) or "没有新行"))
    for line in (*report.rejected, *report.differences, *report.unmatched):
        typer.echo(line)
    if not report.clean:
        raise typer.Exit(1)


@fulfil.command("verify")
def verify(home: HomeOption = None) -> None:
    """核台账：消失、改动、倒填、断链、不平。

    例：huiqi fulfil verify
    """
    from store.ledger import verify_ledger

    with telling():
        engine, _ = open_store(home)
        found = verify_ledger(engine)
    for one in found:
        typer.echo(f"{one.kind}：{one.text}")
    typer.echo("台账完整，账平" if not found else f"发现 {len(found)} 处")
    if found:
        raise typer.Exit(1)


@fulfil.command("arrears")
def arrears_command(
    home: HomeOption = None,
    as_of: AsOfOption = None,
    excel: ExcelOption = None,
    as_json: JsonOption = False,
) -> None:
    """拖欠报告：按账龄、部门、企业、种类。

    例：huiqi fulfil arrears --as-of 2026-06-30 --excel 拖欠.xlsx
    """
    from dataclasses import asdict

    from jobs.money_books import write_arrears
    from store.arrears import arrears, summary, undated

    with telling():
        engine, _ = open_store(home)
        day = day_of(engine, as_of)
        found = arrears(engine, day)
        unknown = undated(engine)
        if excel is not None:
            write_arrears(found, unknown, day, excel)
    if as_json:
        rows = [{**asdict(a), "due_on": a.due_on.isoformat(), "age": a.age} for a in found]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    told: list[tuple[str, str, str, str]] = []
    for by, title in (("age", "账龄"), ("department", "部门"), ("kind", "种类"), ("firm", "企业")):
        told += [
            (title, name, f"{count:,}", f"{fen / 100:,.2f}")
            for name, (count, fen) in summary(found, by).items()
        ]
    lines(("按", "", "笔数", "元"), told, right=("笔数", "元"))
    typer.echo(f"合计 {len(found)} 笔 {sum(a.fen for a in found) / 100:,.2f} 元")
    if unknown:
        typer.echo(f"另有 {len(unknown)} 笔在办的钱期限不明：{unknown[0].due_note}")


@fulfil.command("kpi")
def kpi_command(
    quarter: Annotated[str, typer.Argument(help="例如 2026Q2")],
    home: HomeOption = None,
    excel: ExcelOption = None,
    as_json: JsonOption = False,
) -> None:
    """季度考核：兑现率、按时率、免申即享占比、平均天数、应享未享。

    例：huiqi fulfil kpi 2026Q2 --excel 考核.xlsx
    """
    from dataclasses import asdict

    from jobs.money_books import kpi_rows, write_kpi
    from store.calendars import office_calendar
    from store.kpi import figures, quarter_sheet

    with telling():
        engine, folder = open_store(home)
        found = quarter_sheet(engine, quarter, office_calendar(engine), folder)
        sheet = figures(found)
        if excel is not None:
            write_kpi(found, excel)
    if as_json:
        typer.echo(json.dumps(asdict(sheet), ensure_ascii=False))
        return
    lines(("指标", "数值", "怎么算"), kpi_rows(sheet))


@fulfil.command("paylist")
def paylist(
    path: Annotated[
        Path, typer.Argument(parser=workbook, metavar="文件.xlsx", help="写成表格 .xlsx；文件夹要先有")
    ],
    home: HomeOption = None,
    as_of: AsOfOption = None,
) -> None:
    """付款清单：财政已通过、到这一天可以付的，每笔多少、付到哪个账户；含账号，注意保管。

    例：huiqi fulfil paylist 付款清单.xlsx
    """
    from jobs.money_books import payable, write_paylist

    with telling():
        engine, _ = open_store(home)
        day = day_of(engine, as_of)
        found = payable(engine, day)
        write_paylist(found, day, path)
    typer.echo(f"{path}：{len(found)} 笔，{sum(f for _, f in found) / 100:,.2f} 元")


@fulfil.command("facts")
def facts_command(home: HomeOption = None, as_of: AsOfOption = None) -> None:
    """已兑现写回收件箱，明晚的规则就能看到。

    例：huiqi fulfil facts
    """
    from jobs.fulfil import write_facts

    with telling():
        engine, folder = open_store(home)
        path, count = write_facts(engine, folder / "inbox", day_of(engine, as_of))
    typer.echo(f"{path}：{count} 行")


@fulfil.command("calendar")
def calendar_command(
    add: Annotated[
        Path | None, typer.Option("--add", help="一年的放假安排 .csv：日期,安排（休/班）,节日")
    ] = None,
    who: Annotated[str, typer.Option("--who", help="录入人")] = "管理员",
    home: HomeOption = None,
) -> None:
    """工作日历：看有哪些年；录入新的一年。

    例：huiqi fulfil calendar --add 2027.csv
    """
    from policies.calendar import read_year
    from store import grants
    from store.calendars import enter_year, office_calendar

    with telling():
        engine, _ = open_store(home)
        if add is not None:
            year, rest, work = read_year(add)
            enter_year(engine, year, rest, work, who, clock_of(engine)())
            moved = grants.redate(engine, office_calendar(engine), clock_of(engine)())
            typer.echo(
                f"{year} 年：平日放假 {len(rest)} 天，调休上班 {len(work)} 天；重算了 {moved} 件的期限"
            )
        years = sorted(office_calendar(engine).years)
    typer.echo(f"有工作日历的年份：{years[0]}–{years[-1]}（{len(years)} 年）")


@fulfil.command("release")
def release(
    run: Annotated[int, typer.Argument(help="第几次比对")],
    who: Annotated[str, typer.Option("--who", help="放行人")],
    why: Annotated[str, typer.Option("--why", help="理由")],
    home: HomeOption = None,
) -> None:
    """放行被扣下的一夜，随后排推送。

    例：huiqi fulfil release 412 --who 沈 --why 人社数据晚到，已核对
    """
    from store.guard import release_night
    from store.nights import get_night
    from store.pushes import queue_pushes

    with telling():
        engine, folder = open_store(home)
        release_night(engine, run, who, why, clock_of(engine)())
        night = get_night(engine, run, folder)
        assert night is not None
        counts = queue_pushes(engine, night, night.as_of, clock_of(engine)())
    typer.echo(f"第 {run} 次比对已放行：" + "，".join(f"{k} {v}" for k, v in counts.items()))


def readiness(
    home: HomeOption = None,
    excel: ExcelOption = None,
    as_json: JsonOption = False,
) -> None:
    """免申即享就绪度：三项测试逐项算，卡在哪条、哪个部门能放开。

    例：huiqi readiness --excel 就绪度.xlsx
    """
    from jobs.readiness import as_dict, as_short_row, of_night, write_excel
    from store.nights import latest_night

    with telling():
        engine, folder = open_store(home)
        night = latest_night(engine, folder)
        if night is None:
            raise ValueError("还没有比对过：先运行 huiqi nightly 或 huiqi demo")
        found = of_night(night)
        if excel is not None:
            write_excel(found, f"第 {night.no} 次比对，{night.as_of}", excel)
    if as_json:
        typer.echo(json.dumps([as_dict(r) for r in found], ensure_ascii=False))
        return
    lines(
        ("事项编号", "事项", "兑现方式", "三项测试", "卡在哪里", "归口部门", "升降"), map(as_short_row, found)
    )
    falling = [r.title for r in found if r.falls]
    typer.echo(
        f"事项 {len(found)}：三项都过 {sum(r.ready for r in found)}，要降级 {len(falling)}{'：' + '、'.join(falling) if falling else ''}"
    )


AGAIN = (
    "facts",
    "night",
    "check",
    "clocks",
    "push",
)  # the jobs of jobs.schedule, which is not loaded for a help page


def schedule(
    home: HomeOption = None,
    library: Annotated[
        Path | None, typer.Option("--library", help="政策库；默认 HUIQI_LIBRARY 或内置样例")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="只补办过了点的，然后结束")] = False,
    again: Annotated[str, typer.Option("--again", help=f"把最近一次失败的作业重办：{' '.join(AGAIN)}")] = "",
    host: Annotated[str, typer.Option("--host", help="监测口地址")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="监测口 /healthz /metrics；0 不开")] = 0,
) -> None:
    """定时办事：每夜比对、推送、时钟、核账；起两个也只有一个主班，错过的补办一次。

    例：huiqi schedule --port 9108
    """
    from jobs import logs, metrics
    from jobs.process import process_name
    from jobs.schedule import Context, catch_up, leading, serve_forever
    from store import leases

    with telling():
        logs.configure(os.environ)
        engine, folder = open_store(home)
        rules = library_path(library)
        if port:
            metrics.serve(engine, clock_of(engine), host, port)
        if again and again not in AGAIN:
            raise ValueError(f"没有“{again}”这个作业，可以是 {' '.join(AGAIN)}")
        if again and not leases.again(engine, again):
            raise ValueError(f"最近一次“{again}”没有失败，不用重办")
        if once or again:
            context, holder = Context(engine, folder, rules, clock_of(engine)), process_name()
            with leading(context, holder):
                done = catch_up(context, holder)
            typer.echo("，".join(f"{job} {outcome}" for job, outcome in done.items()))
            raise typer.Exit(1 if "失败" in done.values() else 0)
        serve_forever(engine.url.render_as_string(hide_password=False), folder, rules, clock_of(engine))
    typer.echo("停了；没有办完的作业由下一个 huiqi schedule 接着办")
    sys.stdout.flush()
    os._exit(0)  # a job under way ends here; its threads would be waited for
