"""立项: grants beside the night's own: pairs approved against the rule, and what firms apply for themselves (申报)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.engine import Engine

from engine.fulfilment import Refused
from engine.grantmoves import APPLIED, AUTOMATIC, OFFICER, variant_of
from profiles.codes import is_code
from store import grants
from store.approved import approved_against
from store.calendars import office_calendar
from store.grants import Actor, GrantCase
from store.night_grants import new_grant, open_wanted
from store.sheets import read_rows
from store.wanted import matched, works_as
from store.words import About, Wanted, about_item

if TYPE_CHECKING:
    from store.nights import Night

ACCOUNT = ("户名", "账号", "开户行", "确认人")
COLUMNS = ("事项", "统一社会信用代码", *ACCOUNT)


def open_approved(engine: Engine, night: Night, today: date, now: datetime) -> int:
    """改判的立项, at once and not only the next night; how many were new. Safe to repeat."""
    approved = approved_against(engine, today)
    items = {item for item, _ in approved}
    return open_wanted(engine, night, today, now, only=items) if items else 0


def apply_for(
    engine: Engine, night: Night, code: str, item: str, today: date, now: datetime, who: str,
    account: Mapping[str, str], role: str = OFFICER,
) -> GrantCase:  # fmt: skip
    """申报登记: a firm's application for one item opens its grant, and hands it in where the account is given; by an
    officer for it, or by the firm itself (`role` 企业).

    What the last night says stands on the grant: its sum, or that the pair does not fit, which the list has to answer
    for (变化说明). An application made before is handed in, not opened again. Raises ValueError with the reason.
    """
    about = _open_item(night, item, today)
    case = _standing(engine, code, about)
    if case is None:
        new = _application(night, about, code)
        grants.open_grants(engine, [new], today, now, office_calendar(engine))
        case = _standing(engine, code, about)
        assert case is not None
    given = {k: v for k, v in account.items() if v}
    if given and case.state == "待提交":
        request = f"apply:{case.id}:{case.since}"
        calendar = office_calendar(engine)
        case = grants.act(
            engine, case.id or 0, "提交", Actor(who, role), today, now, calendar, given, request
        )
    elif given:
        raise ValueError(f"第 {case.id} 号兑现事项已经办到“{case.state}”，不用再申报")
    return case


def _open_item(night: Night, item: str, today: date) -> About:
    program = night.library().program(item)
    if program is None:
        raise ValueError(f"政策库里没有 {item}")
    batch = program.item.live_batch(today)
    if batch is None:
        spans = "；".join(f"{b.name} {b.opens} 至 {b.closes}" for b in program.item.batches)
        raise ValueError(f"{program.item.title}今天不受理（{program.item.status}，批次：{spans or '没有'}）")
    if program.item.self_declared:
        raise ValueError(f"{program.item.title}由企业申报纳税时自行享受，没有钱要兑现，不用在这里申报")
    if not program.item.pays:
        raise ValueError(f"{program.item.title}是{program.item.category}类，没有钱要兑现")
    return about_item(program, batch.name, works_as(night, program, batch.name))


def _standing(engine: Engine, code: str, about: About) -> GrantCase | None:
    return next(iter(grants.find(engine, item=about.item.id, batch=about.batch, code=code)), None)


def _application(night: Night, about: About, code: str) -> grants.NewGrant:
    if not is_code(code):
        raise ValueError(f"“{code}”不是有效的统一社会信用代码")
    if code not in night.columns().codes:
        raise ValueError(f"没有 {code} 的企业档案：先导入登记数据，再登记申报")
    found = matched(night, about, code)
    variant = variant_of(about.delivery)
    if variant == AUTOMATIC and not found.gone and found.verdict == "符合":
        raise ValueError(f"{about.item.title}免申即享，这家企业已经在名单上，不用申报")
    wanted = Wanted(
        code, found.name, about.item.id, about.batch, "inform", found.verdict, found.low, found.high
    )
    new = new_grant(about, wanted, APPLIED if variant == AUTOMATIC else variant, night.no)
    return replace(new, mark=f"第 {night.no} 次比对{found.gone}" if found.gone else "")


@dataclass
class Applied:
    """登记小结."""

    opened: int = 0
    rejected: list[str] = field(default_factory=list)


def apply_from_file(
    engine: Engine, night: Night, path: Path, today: date, now: datetime, who: str
) -> Applied:
    """申报登记表: a row an application; what can't be taken is listed by line. Safe to kill and to repeat."""
    report = Applied()
    for line, cells in read_rows(path, COLUMNS, "申报登记"):
        account = {name: cells[name] for name in ACCOUNT}
        code = cells["统一社会信用代码"].upper()
        try:
            apply_for(engine, night, code, cells["事项"], today, now, who, account)
            report.opened += 1
        except (Refused, ValueError) as error:
            report.rejected.append(f"{path.name}:{line} {error}")
    return report
