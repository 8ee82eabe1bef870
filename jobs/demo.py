"""样例的兑现: grants of the months before the sample's day, moved along the chain by the commands that people use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq

from engine.columns import Columns
from engine.fulfilment import Refused
from engine.grantmoves import AUTOMATIC, FINANCE, FIRM, OFFICE, SECOND, SYSTEM, variant_of
from engine.matching import FITS, live, match
from engine.program import BoundItem
from engine.workdays import Calendar
from jobs.fulfil import advance
from policies.library import Library
from profiles import sample
from profiles.inputs import from_table
from store import budgets, grants
from store.calendars import office_calendar
from store.database import Engine, session, to_fen

SHANGHAI = ZoneInfo("Asia/Shanghai")
CODE, NAME = "统一社会信用代码", "企业名称"
MOST_ITEM = 8  # grants an item
ITEMS = 9
FIRST = timedelta(days=63)  # before the sample's day
ACTORS = {
    OFFICE: "林知遥",
    SECOND: "沈既白",
    FINANCE: "财政乙",
    FIRM: "企业",
    SYSTEM: "系统",
}
# What happens, by whom, and how many working days after the step before; every so many-th grant takes another way.
WAYS: tuple[tuple[tuple[str, str, int], ...], ...] = (
    (("通过名单", OFFICE, 2), ("信用通过", OFFICE, 1), ("公示期满", SYSTEM, 6), ("确认", FIRM, 2), ("财政通过", FINANCE, 2), ("下达", FINANCE, 1), ("到账", FINANCE, 1), ("评价", FIRM, 4)),
    (("通过名单", OFFICE, 1), ("信用通过", OFFICE, 1), ("公示期满", SYSTEM, 6), ("确认", FIRM, 6), ("财政通过", FINANCE, 1), ("下达", FINANCE, 2), ("到账", FINANCE, 1)),
    (("通过名单", OFFICE, 3), ("信用暂缓", OFFICE, 1)),
    (("退回补正", OFFICE, 2),),
    (("通过名单", OFFICE, 2), ("信用通过", OFFICE, 2), ("异议", OFFICE, 2)),
    (("通过名单", OFFICE, 1), ("信用通过", OFFICE, 1), ("公示期满", SYSTEM, 6), ("放弃", FIRM, 1)),
    (("通过名单", OFFICE, 2), ("信用通过", OFFICE, 1), ("公示期满", SYSTEM, 6), ("确认", FIRM, 1), ("财政通过", FINANCE, 1), ("下达", FINANCE, 1)),
)  # fmt: skip
ORDER = (0, 1, 0, 2, 1, 0, 3, 1, 0, 4, 1, 0, 6, 1, 0, 5, 1, 0, 1, 0)


@dataclass(frozen=True)
class Step:
    """一步: which grant, on what day, what, by whom."""

    day: date
    grant: int
    no: int
    action: str
    role: str


def earlier_grants(engine: Engine, library: Library, firms: int, seed: int, day: date) -> int:
    """以前的兑现: opens grants on the days before `day` and moves them as far as their days reach; how many.

    Whom and how much the rules say, matched against the sample's clean values. Nothing is done where there are grants.
    """
    if grants.find(engine, limit=1):
        return 0
    found = _fitting(library, firms, seed, day)
    calendar = office_calendar(engine)
    begun = [_begin(calendar, day, i, len(found)) for i in range(len(found))]
    steps = sorted(_steps(found, begun, calendar, day), key=lambda s: (s.day, s.no, s.grant))
    if steps:
        first = datetime.combine(steps[0].day, time(8), SHANGHAI)
        budgets.take_over(engine, budgets.ruled_budgets(library, steps[0].day), on=steps[0].day, at=first)
    numbers: dict[int, int] = {}
    for n, step in enumerate(steps):
        at = datetime.combine(step.day, time(9), SHANGHAI) + timedelta(seconds=n)
        if step.action == "立项":
            grants.open_grants(engine, [found[step.grant]], step.day, at, calendar)
            (case,) = grants.find(engine, code=found[step.grant].code, item=found[step.grant].item)
            numbers[step.grant] = case.id or 0
        elif step.grant in numbers and not _act(engine, numbers[step.grant], step, at, calendar):
            del numbers[step.grant]  # its rule took it elsewhere, such as into the pool of a shared budget
    eve = day - timedelta(days=1)
    advance(engine, eve, datetime.combine(eve, time(23), SHANGHAI))  # what only time moves: filing, silence
    return len(found)


def _fitting(library: Library, firms: int, seed: int, day: date) -> list[grants.NewGrant]:
    """谁符合: of some items that come without applying and have been open for a while, pairs with an exact sum."""
    columns = _columns(library, firms, seed)
    since = day - FIRST
    items = [
        b
        for b in live(library.programs, day)
        if variant_of(b.program.item.delivery) == AUTOMATIC
        and b.program.item.category == "奖补"
        and b.program.item.subject == "企业"
        and b.batch.opens <= since
    ]
    names = columns.category(NAME, None)
    out: list[list[grants.NewGrant]] = []
    for bound, hits in zip(items, match(items, columns, day), strict=True):
        sure = (hits.verdict == FITS) & (hits.low == hits.high) & (hits.high > 0)
        rows = hits.rows[sure][:MOST_ITEM]
        found = [
            _grant(bound, columns, names, int(row), float(fen))
            for row, fen in zip(rows, hits.high[sure][:MOST_ITEM], strict=True)
        ]
        if found:
            out.append(found)
    # Item by item in turn, so that every item has grants at every stage.
    return [part[i] for i in range(MOST_ITEM) for part in out[:ITEMS] if i < len(part)]


def _columns(library: Library, firms: int, seed: int) -> Columns:
    with TemporaryDirectory(prefix="huiqi-demo-") as folder:
        path = Path(folder) / "profiles.parquet"
        sample.write_profiles(sample.generate(firms, seed), path)
        return from_table(pq.read_table(path), library.dictionary, lambda problem: None, path)


def _grant(bound: BoundItem, columns: Columns, names, row: int, yuan: float) -> grants.NewGrant:
    item, fen = bound.program.item, to_fen(yuan)
    name = names.names[names.codes[row]] if names.codes[row] >= 0 else ""
    return grants.NewGrant(
        columns.codes[row],
        name,
        item.id,
        bound.batch.name,
        item.title,
        item.department,
        AUTOMATIC,
        fen,
        fen,
        deadline=item.deadline,
    )


def _begin(calendar: Calendar, day: date, number: int, count: int) -> date:
    """立项的日子: spread over the weeks before the sample's day, the first the earliest."""
    days = FIRST.days * (count - number) // max(count, 1)
    return calendar.next_workday(day - timedelta(days=max(days, 1)))


def _steps(
    found: Sequence[grants.NewGrant], begun: Sequence[date], calendar: Calendar, day: date
) -> Iterator[Step]:
    for i, first in enumerate(begun):
        if first >= day:
            continue
        yield Step(first, i, 0, "立项", SYSTEM)
        on = first
        for no, (action, role, days) in enumerate(WAYS[ORDER[i % len(ORDER)]], 1):
            on = calendar.add(on, days)
            if on >= day:
                break
            yield Step(on, i, no, action, role)


def _act(engine: Engine, number: int, step: Step, at: datetime, calendar: Calendar) -> bool:
    """办一步: False where the state the grant is in does not allow it."""
    with session(engine) as opened:
        case = opened.get_one(grants.GrantCase, number)
    facts = _facts(case, step)
    actor = grants.Actor(case.code if step.role == FIRM else ACTORS[step.role], step.role)
    try:
        grants.act(engine, number, step.action, actor, step.day, at, calendar, facts)
    except Refused:
        return False
    return True


def _facts(case: grants.GrantCase, step: Step) -> dict[str, object]:
    """所需的值 of a step, invented."""
    number = 100_000 + (case.id or 0)
    given: dict[str, dict[str, object]] = {
        "通过名单": {"核定金额": case.high},
        "信用通过": {"信用查询日期": step.day.isoformat(), "公示地址": f"样例公示〔{step.day.year}〕{step.grant + 1} 号"},
        "信用暂缓": {"理由": "有一条行政处罚在公示期内，等企业办理信用修复"},
        "退回补正": {"缺项": ["与研发项目对应的支出明细"]},
        "异议": {"异议内容": "对企业的纳统年份有疑问，请核对", "异议人": "样例异议人"},
        "放弃": {"理由": "企业另有安排"},
        "确认": {"户名": case.firm, "账号": f"62{number:014d}", "开户行": "样例银行", "确认人": "样例经办人"},
        "下达": {"支付金额": case.amount, "流水号": f"YB{step.day:%Y%m%d}{number}"},
        "到账": {"支付金额": case.amount, "流水号": f"YB{step.day:%Y%m%d}{number}D"},
        "评价": {"满意度": "5"},
    }  # fmt: skip
    return given.get(step.action, {})
