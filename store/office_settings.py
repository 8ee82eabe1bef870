"""本单位的设置: every value an office may set, under its group and name, with what it means and how it is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.engine import Engine

from store.accounts import ROLES
from store.night_doubts import EVERY_DAYS
from store.outbox import CHANNELS
from store.review import SECOND_LIMIT_YUAN, change_setting, setting

BLANKS = r"[、,，;；\s]+"


@dataclass(frozen=True)
class Option:
    """一项设置: `read` turns what a person wrote into the value kept, raising ValueError that says how to write it."""

    group: str
    name: str
    meaning: str
    usual: object
    read: Callable[[str], object]


def _share(text: str) -> float:
    number = _number(text.removesuffix("%"))
    share = number / 100 if text.endswith("%") else number
    if not 0 < share <= 10:
        raise ValueError(f"“{text}”要写成比例，例如 30% 或 0.3")
    return share


def _number(text: str) -> float:
    if not re.fullmatch(r"\d{1,12}(\.\d{1,6})?", text.replace(",", "")):
        raise ValueError(f"“{text}”不是数")
    return float(text.replace(",", ""))


def _whole(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text):
        raise ValueError(f"“{text}”要写成整数")
    return int(text)


def _days(text: str) -> int:
    days = _whole(text)
    if days > 365:
        raise ValueError(f"“{text}”要写成 0 到 365 天")
    return days


def _pace(text: str) -> int:
    days = _whole(text)
    if not 1 <= days <= 366:
        raise ValueError(f"“{text}”要写成 1 到 366 天，1 是每夜")
    return days


def _flag(text: str) -> bool:
    if text not in ("是", "否"):
        raise ValueError(f"“{text}”要写成 是 或 否")
    return text == "是"


def _channels(text: str) -> list[str]:
    chosen = [c for c in re.split(BLANKS, text) if c]
    known = [c for c in CHANNELS if c not in ("webhook", "inbox")]
    wrong = [c for c in chosen if c not in known]
    if wrong:
        raise ValueError(f"没有“{wrong[0]}”这个渠道：可以是 {' '.join(known)}（webhook 和 inbox 总是有）")
    return list(dict.fromkeys(chosen))


def _periods(text: str) -> list[list[str]]:
    found = []
    for word in filter(None, re.split(BLANKS, text)):
        first, mark, last = word.partition("~")
        try:
            pair = [date.fromisoformat(first), date.fromisoformat(last if mark else first)]
        except ValueError:
            raise ValueError(f"“{word}”要写成 2026-10-01~2026-10-07") from None
        if pair[1] < pair[0]:
            raise ValueError(f"“{word}”的止日在起日之前")
        found.append([d.isoformat() for d in pair])
    return found


def _clock(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError(f"“{text}”要写成 01:30")
    return text


def _words(text: str) -> list[str]:
    words = [w for w in text.split() if w]
    wrong = [w for w in words if not re.fullmatch(r"[^=\s]+=\S+", w)]
    if wrong:
        raise ValueError(f"“{wrong[0]}”要写成 本区=120116*")
    return words


def _roles(text: str) -> list[str]:
    chosen = [r for r in re.split(BLANKS, text) if r]
    known = [r for r in ROLES if r != "企业"]
    wrong = [r for r in chosen if r not in known]
    if wrong:
        raise ValueError(f"没有“{wrong[0]}”这个角色：可以是 {' '.join(known)}")
    return list(dict.fromkeys(chosen))


JOBS = {
    "facts": "兑现写回",
    "night": "夜间比对",
    "check": "核台账",
    "clocks": "走时钟",
    "push": "推送改为每天一次，这一次",
    "scores": "重学评分",
}
OPTIONS: tuple[Option, ...] = (
    Option("push", "channels", "除 webhook 和收件箱以外的推送渠道", [], _channels),
    Option("push", "quiet", "静默期，一段或几段：这几天不打扰企业", [], _periods),
    Option("push", "every_days", "同一渠道两次通知至少隔几天", 7, _days),
    Option("push", "ask_firms", "待核实只差企业自己知道的事时，问企业", True, _flag),
    Option("guard", "firms", "企业数变动超过这个比例，扣下这一夜", 0.05, _share),
    Option("guard", "fits", "一项的符合企业数变动超过这个比例", 0.30, _share),
    Option("guard", "least_fits", "并且至少变动这么多家", 20, _whole),
    Option("guard", "money", "符合的金额变动超过这个比例", 0.30, _share),
    Option("guard", "least_money", "并且至少变动这么多元", 1_000_000.0, _number),
    Option("guard", "unknown", "待核实占比变动超过这么多", 0.10, _share),
    Option("guard", "filled", "齐全率变动、或取值变了的企业占比超过这么多的指标算作原因", 0.10, _share),
    Option("impact", "lost", "改规则后不再符合的企业超过这么多家，要领导批", 0, _whole),
    Option("impact", "yuan", "应付的最高额多出超过这么多元", 1_000_000.0, _number),
    Option("impact", "over_budget", "应付的占批次额度超过这个比例", 1.0, _share),
    Option("impact", "promised", "已经告知或在办的企业失去的超过这么多家", 0, _whole),
    Option("doubts", "every_days", "文字与规则的不一致隔几天对照一次（按比对日数，1 是每夜）", EVERY_DAYS, _pace),
    *(Option("schedule", job, f"{words}的钟点", None, _clock) for job, words in JOBS.items()),
    Option("public", "mask_sole_traders", "公示时隐去个体工商户的名称（名称里常有经营者的姓名）", True, _flag),
    Option("public", "own_credit", "企业的“我的档案”列出信用、处罚一类数据", True, _flag),
    Option("login", "second_factor", "这些角色要用动态口令登录，例如 管理员 财政 复核", [], _roles),
    Option("sets", "", "夜间比对的地方词，例如 本区=120116*", [], _words),
    Option("second_limit", "", "达到这个金额（元）要第二个人复核", SECOND_LIMIT_YUAN, _number),
)  # fmt: skip
GROUPS = tuple(dict.fromkeys(o.group for o in OPTIONS))


def options_of(group: str) -> list[Option]:
    """一组设置. Raises ValueError for a group that is not there."""
    found = [o for o in OPTIONS if o.group == group]
    if not found:
        raise ValueError(f"没有“{group}”这组设置：可以是 {' '.join(GROUPS)}")
    return found


def value_of(engine: Engine, option: Option) -> tuple[object, bool]:
    """现在的值, and whether the office set it."""
    kept = setting(engine, option.group)
    if not option.name:
        return (option.usual, False) if kept is None else (kept, True)
    own = kept if isinstance(kept, Mapping) else {}
    return (own[option.name], True) if option.name in own else (option.usual, False)


def change(engine: Engine, group: str, given: Sequence[str], *, by: str, now: datetime) -> list[str]:
    """改一组设置: `given` are name=value (an empty value goes back to the usual); all or none; what changed, in words.

    A group of one value is given as the value. Raises ValueError that names what is wrong and how to write it.
    """
    options = {o.name: o for o in options_of(group)}
    if "" in options:
        value: Any = options[""].read(" ".join(given)) if any(given) else options[""].usual
        change_setting(engine, group, value, by=by, now=now)
        return [f"{group} = {show(value)}"]
    kept = dict(setting(engine, group) or {})
    told = []
    for pair in given:
        name, mark, text = pair.partition("=")
        option = options.get(name)
        if option is None or not mark:
            raise ValueError(f"“{pair}”要写成 名称=值，名称可以是 {' '.join(options)}")
        try:
            read = option.read(text.strip()) if text.strip() else None
        except ValueError as error:
            raise ValueError(f"{name}：{error}") from None
        if read is None:
            kept.pop(name, None)
        else:
            kept[name] = read
        told.append(f"{group}.{name} = {'按默认' if read is None else show(read)}")
    change_setting(engine, group, kept, by=by, now=now)
    return told


def show(value: object) -> str:
    """写给人看的值."""
    match value:
        case None:
            return "内置"
        case bool():
            return "是" if value else "否"
        case list():
            return " ".join("~".join(v) if isinstance(v, list) else str(v) for v in value) or "没有"
        case float() if value >= 1000:
            return f"{value:,.2f}"
    return str(value)
