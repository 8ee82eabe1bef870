"""体检: the faults an office with one server runs into most, looked for one by one; nothing is changed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from jobs.inbox import IGNORED, sources_for
from policies.library import REFUSING, load_library
from profiles.dictionary import builtin_dictionary
from store import accounts, leases, outbox, sealed, second_factor, webhooks
from store.audit import verify
from store.batches import batches, source_of
from store.calendars import office_calendar
from store.database import DatabaseFault, Engine, is_later, newest_revision, revision_of
from store.imports import SourceBatch
from store.ledger import verify_ledger
from store.nights import HELD, latest_night

GOOD, WARN, BAD = "好", "提醒", "有问题"
LEAST_FREE = 2 << 30
LATE_NIGHT, LATE_JOB = timedelta(hours=36), timedelta(days=2)
SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Check:
    """一项检查: what was looked at, how it is, in words, and the cure."""

    name: str
    state: str
    words: str
    cure: str = ""


@dataclass(frozen=True)
class Patient:
    """体检的对象."""

    engine: Engine
    home: Path
    library: Path
    now: datetime
    env: Mapping[str, str]


def examine(patient: Patient) -> list[Check]:
    """体检: every check, in a fixed order; one that can't be made says so and the rest goes on."""
    found: list[Check] = []
    stored = True
    for name, look in CHECKS.items():
        if not stored and look not in STORELESS:
            continue
        try:
            found += [Check(name, *told) for told in look(patient)]
        except Exception as error:  # a check must not hide the next one; what stopped it is told
            line = str(error).splitlines()[0]
            found.append(Check(name, BAD, f"查不了：{line}", "先治好上面的问题，再查一次"))
        if look is _database:
            stored = found[-1].state == GOOD
    return found


Told = Iterator[tuple[str, str, str]]


def _folder(p: Patient) -> Told:
    p.home.mkdir(parents=True, exist_ok=True)
    if not os.access(p.home, os.W_OK | os.X_OK):
        yield BAD, f"{p.home} 不能写", "把它的主人改成运行 huiqi 的用户（chown -R）"
        return
    free = shutil.disk_usage(p.home).free
    if free < LEAST_FREE:
        yield (
            BAD,
            f"{p.home} 所在的盘只剩 {free / (1 << 30):.1f} GiB",
            "清理旧的 nights/，或换大盘；huiqi backup 之后再删",
        )
    else:
        yield GOOD, f"能写，剩 {free / (1 << 30):.0f} GiB", ""


def _database(p: Patient) -> Told:
    try:
        own, head = revision_of(p.engine), newest_revision()
    except DatabaseFault as fault:
        what, _, cure = str(fault).partition("；")
        yield BAD, what, cure
        return
    if own is None:
        yield WARN, "数据库还是空的", "先运行 huiqi nightly（或 huiqi demo）"
    elif is_later(own):
        yield BAD, f"库表是 {own}，比这一版软件（{head}）新", "换用升级过它的那一版软件，或那以后的"
    elif own != head:
        yield (
            BAD,
            f"库表是 {own}，这一版软件要 {head}",
            "先 huiqi backup，再运行任何一个写库的命令，它会自己升级",
        )
    else:
        yield GOOD, f"{p.engine.dialect.name}，库表 {own}", ""


def _library(p: Patient) -> Told:
    library = load_library(p.library, builtin_dictionary())
    broken = [x for x in library.problems if x.level == "error" and x.code in REFUSING]
    if broken:
        yield (
            BAD,
            f"政策库有 {len(broken)} 处错，{len(library.refused)} 个事项不能比对",
            f"huiqi check {p.library}",
        )
    else:
        yield GOOD, f"{len(library.documents)} 件文件，{len(library.programs)} 个事项", ""


def _night(p: Patient) -> Told:
    night = latest_night(p.engine, p.home)
    if night is None:
        yield WARN, "还没有比对过", "huiqi nightly"
        return
    age = p.now - night.run.finished
    if night.state == HELD:
        yield BAD, f"第 {night.no} 次比对被把关扣住，名单和推送都停着", "工作台“比对”页看原因，核对后放行"
    elif age > LATE_NIGHT:
        yield (
            BAD,
            f"最近一次比对是 {age.days} 天前（第 {night.no} 次）",
            "看 huiqi schedule 是不是在跑；补一次：huiqi nightly",
        )
    else:
        yield GOOD, f"第 {night.no} 次，比对日 {night.as_of}", ""
    if not (night.folder / "hits").is_dir():
        yield BAD, f"{night.folder} 不见了，名单打不开", "从备份恢复，或重跑 huiqi nightly"


def _schedule(p: Patient) -> Told:
    done = leases.runs(p.engine, limit=200)
    if not done:
        yield WARN, "定时进程还没有跑过一次", "装成服务：huiqi schedule（见 docs/operations.md）"
        return
    latest = {run.job: run for run in reversed(done)}
    failed = sorted(job for job, run in latest.items() if run.outcome == "失败")
    if failed:
        yield (
            BAD,
            f"最近一次没做成的作业：{'、'.join(failed)}",
            "工作台“比对”页看它的日志；huiqi schedule 会再试",
        )
    last = max(run.started for run in done)
    if p.now - last > LATE_JOB:
        yield BAD, f"定时进程 {(p.now - last).days} 天没有动静", "systemctl status huiqi-schedule"
    elif not failed:
        yield GOOD, f"{len(latest)} 种作业最近都做成了", ""


def _inbox(p: Patient) -> Told:
    sources = sources_for(p.home)
    folder = p.home / "inbox"
    files = [f for f in folder.iterdir() if f.is_file()] if folder.is_dir() else []
    told = [f.name for f in files if f.name not in IGNORED]
    strangers = sorted(name for name in told if source_of(name, sources.values()) is None)
    if strangers:
        yield (
            WARN,
            f"收件箱里有 {len(strangers)} 个认不出来源的文件，例如 {strangers[0]}",
            "改名，或加一份来源声明（docs/files.md）",
        )
    newest: dict[str, SourceBatch] = {}
    for batch in batches(p.engine):
        newest.setdefault(batch.source, batch)
    late = []
    for name, batch in newest.items():
        limit = sources[name].refresh_days if name in sources else None
        if limit and p.now - batch.arrived_at > timedelta(days=limit):
            late.append(f"{name}（{(p.now - batch.arrived_at).days} 天前）")
    if late:
        yield (
            WARN,
            f"{len(late)} 个来源过期没有更新：{'、'.join(sorted(late)[:5])}",
            "向数据所属部门要新的一批",
        )
    elif not strangers:
        yield GOOD, f"{len(newest)} 个来源都没有过期", ""


def _calendar(p: Patient) -> Told:
    day = p.now.astimezone(SHANGHAI).date()
    years = office_calendar(p.engine).years
    if day.year not in years:
        yield (
            BAD,
            f"没有 {day.year} 年的工作日历，时限算不出来",
            f"huiqi fulfil calendar --add {day.year}.csv",
        )
    elif day.month == 12 and day.year + 1 not in years:
        yield (
            WARN,
            f"还没有 {day.year + 1} 年的工作日历",
            "国务院办公厅发了放假通知就录入：huiqi fulfil calendar --add",
        )
    else:
        yield GOOD, f"到 {max(years)} 年", ""


def _pushes(p: Patient) -> Told:
    counted: dict[str, int] = {}
    for (_, state), n in outbox.counts(p.engine).items():
        counted[state] = counted.get(state, 0) + n
    dead = counted.get("dead", 0)
    if dead:
        yield BAD, f"{dead} 条推送送不出去", "huiqi pushes --json 看原因；治好后 huiqi push --resend"
    else:
        yield GOOD, f"待发 {counted.get('due', 0)}，已发 {counted.get('sent', 0)}", ""
    if p.env.get("HUIQI_WEBHOOK_URL") and not p.env.get("HUIQI_WEBHOOK_SECRET"):
        yield BAD, "设了 HUIQI_WEBHOOK_URL，没有 HUIQI_WEBHOOK_SECRET，消息没有签名", "给两边配同一个密钥"


def _people(p: Patient) -> Told:
    people = [x for x in accounts.people(p.engine) if x.active]
    roles = {role for x in people for role in x.roles}
    if "管理员" not in roles:
        yield WARN, "没有管理员", "huiqi admin create 登录名 --name 姓名 --role 管理员"
    elif "复核" not in roles:
        yield WARN, "没有复核，超过限额的意见没人能复核", "huiqi admin create 登录名 --name 姓名 --role 复核"
    else:
        yield GOOD, f"{len(people)} 人", ""


def _secrets(p: Patient) -> Told:
    """动态口令和回调的密钥: sealed, and by a key that is here."""
    reset, anew = "huiqi admin second-factor 登录名 --reset", "在设置页删掉这些回调，重新建"
    try:
        factors, hooks = second_factor.seals(p.engine, p.env), webhooks.seals(p.engine, p.env)
        key = sealed.keys(p.env)
    except sealed.SealError as error:
        yield BAD, str(error), f"把原来的密钥写回去；没有了就给每个人 {reset}，{anew}"
        return
    for found, what, lost, cure in (
        (factors, "动态口令", "这些人只能用恢复码登录", reset),
        (hooks, "回调", "这些系统一条也收不到", anew),
    ):
        if found.shut:
            yield (
                BAD,
                f"{found.shut} 个{what}的密钥打不开，{lost}",
                f"把原来的密钥写回 {sealed.KEY}；没有了就 {cure}",
            )
        elif found.plain:
            seal = "huiqi admin secret-key --reseal"
            first = "" if key else f"设 {sealed.KEY}（huiqi admin secret-key 生成），再 "
            yield WARN, f"{found.plain} 个{what}的密钥没有封存，看得到库就能冒用", first + seal
    whole = factors.whole + hooks.whole
    if not (factors.shut or factors.plain or hooks.shut or hooks.plain):
        yield GOOD, f"{whole} 个密钥都封存着" if whole else "没有要封存的密钥", ""


def _chains(p: Patient) -> Told:
    chain, ledger = verify(p.engine), verify_ledger(p.engine)
    broken = [*chain.broken, *(f.text for f in ledger)]
    if broken:
        yield (
            BAD,
            f"操作记录或台账有 {len(broken)} 处对不上：{broken[0]}",
            "别再写库；找出谁改了库，从备份恢复",
        )
    else:
        yield GOOD, f"操作记录 {chain.count} 笔，台账完整", ""


def _kernel(p: Patient) -> Told:
    from engine.kernel import available

    if available():
        yield GOOD, "编译内核可用", ""
    else:
        yield WARN, "编译内核装不上，大批比对会慢几十倍（结果相同）", "检查 numba 是否装好、缓存目录是否能写"


# The rest reads tables, which are not there, or not of this version, until the database itself is well.
STORELESS = (_folder, _database, _library, _kernel)
CHECKS: dict[str, Callable[[Patient], Told]] = {
    "数据文件夹": _folder, "数据库": _database, "政策库": _library, "比对": _night, "定时": _schedule, "收件箱": _inbox,
    "工作日历": _calendar, "推送": _pushes, "人员": _people, "密钥": _secrets, "记录与台账": _chains, "内核": _kernel,
}  # fmt: skip
