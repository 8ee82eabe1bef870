"""兑现: the state machine of one grant: who may move it, what a step needs, what it writes; pure.

The whole machine is the table `MOVES` of engine/grantmoves.py; everything here reads it. Money is in fen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Any

from engine.grantmoves import (
    AHEAD,
    ASKED_FOR,
    AUTOMATIC,
    BACK,
    CLOCKS,
    ESCALATION,
    MOVES,
    NEEDS,
    VARIANTS,
    Move,
    State,
)
from engine.instalments import HOW, PlanUnknown, kept_plan, next_of, open_by, plan, written_plan
from engine.workdays import Calendar, UnknownYear


@dataclass(frozen=True)
class Grant:
    """兑现事项: one grant as the machine sees it; money in fen, `high` the most the match allows (None: unknown)."""

    variant: str
    state: State
    since: date
    amount: int | None = None
    high: int | None = None
    reserved: int = 0
    ordered: int = 0
    arrived: int = 0
    claimed: int = 0
    recovered: int = 0
    returned_from: State | None = None
    asked: tuple[str, ...] = ()
    notice_days: int = 5
    facts: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Step:
    """结果: the grant after a move, what the ledger is to do and for how much."""

    grant: Grant
    move: Move
    money: str = ""
    fen: int = 0


class Refused(ValueError):
    """不能这样办: one line that says why and what to do; `missing` names every need at once (一次性告知)."""

    def __init__(self, message: str, missing: tuple[str, ...] = ()):
        self.missing = missing
        super().__init__(message)


def start(variant: str, on: date, amount: int | None, high: int | None, notice_days: int = 5) -> Grant:
    """立项: a new grant; the matched amount is what the night found. Raises ValueError for an unknown variant."""
    if variant not in VARIANTS:
        raise ValueError(f"没有“{variant}”这种兑现方式")
    first = State.MATCHED if variant == AUTOMATIC else State.INVITED
    return Grant(variant, first, on, amount, high, notice_days=notice_days)


def moves_from(grant: Grant, role: str | None = None) -> Iterator[Move]:
    """可办的事: the moves of the present state, for one role or all."""
    for move in MOVES:
        fits = grant.state in move.sources and grant.variant in move.variants
        if fits and (role is None or role in move.roles):
            yield move


def can_be_asked(grant: Grant, move: Move) -> bool:
    """该不该列出: a request can only be turned down, or seconded, where one waits; all other moves may be offered."""
    return bool(grant.facts.get("提请")) or not (move.second or move.action == "退回提请")


def arrows() -> set[tuple[str, State, str, State]]:
    """全部箭头: (variant, from, action, to); the drawing of the machine."""
    returnable = next(m for m in MOVES if m.action == "退回补正").sources
    ahead = tuple(State(m.target) for m in MOVES if State.QUEUED in m.branch)
    drawn = set()
    for move in MOVES:
        back = () if move.branch else returnable
        targets = (
            {BACK: back, AHEAD: ahead}[move.target] if move.target in (BACK, AHEAD) else (State(move.target),)
        )
        for variant in move.variants:
            for source in move.sources:
                drawn |= {(variant, source, move.action, to) for to in (*targets, *move.branch)}
    return drawn


ENOUGH, TOO_LITTLE, LATER = "够", "不够", "待分配"


def step(
    grant: Grant, action: str, role: str, facts: Mapping[str, object], on: date, calendar: Calendar,
    budget: str = ENOUGH,
) -> Step:  # fmt: skip
    """办一步. `budget` says whether the batch has what `wants` asks for: 够, 不够 (候补), 待分配. Raises Refused."""
    move = _allowed(grant, action, role)
    facts = with_request(grant, action, facts)
    _check_needs(move, facts)
    _check_rules(grant, move, facts, on, calendar)
    fen = 0 if move.money == "占用" and budget == LATER and action != "分配" else _fen_of(grant, move, facts)
    bent = _bent(move, budget, fen)
    target = bent or _target(grant, move)
    after = _planned(_written(grant, move, facts, target, on), move, facts, on, calendar)
    if bent is not None:
        ahead = State(move.target) if bent == State.QUEUED else None
        return Step(replace(after, returned_from=ahead), move)
    after = _moved_money(after, move.money, fen)
    return Step(_settled(after, move, on), move, move.money if fen else "", fen)


def wants(grant: Grant, action: str, role: str, facts: Mapping[str, object]) -> int:
    """要占用的额度: the fen a move would reserve in its batch's budget. Raises Refused where it may not be made."""
    move = _allowed(grant, action, role)
    _check_needs(move, with_request(grant, action, facts))
    return _fen_of(grant, move, facts) if move.money == "占用" else 0


def with_request(grant: Grant, action: str, facts: Mapping[str, object]) -> Mapping[str, object]:
    """所提请的: the facts of a step that carries out a request are the request's own; other steps' stay as they are."""
    asked = grant.facts.get("提请")
    if action not in ASKED_FOR or not isinstance(asked, Mapping):
        return facts
    return {
        **facts,
        **{k: asked[k] for k in ("依据", "理由", "追回金额", "提请人") if asked.get(k) is not None},
    }


def _bent(move: Move, budget: str, fen: int) -> State | None:
    """The branch that a lack of budget takes. Raises Refused where there is none."""
    if budget == LATER:
        return State.POOLED if State.POOLED in move.branch else None
    if budget == ENOUGH or move.money != "占用" or not fen:
        return None
    if State.QUEUED in move.branch:
        return State.QUEUED
    raise Refused(f"批次额度不够 {_yuan(fen)} 元，不能“{move.action}”")


def _target(grant: Grant, move: Move) -> State:
    if move.target not in (BACK, AHEAD):
        return State(move.target)
    if grant.returned_from is None:
        raise Refused(f"不知道从哪里转到“{grant.state}”，不能“{move.action}”")
    return grant.returned_from


def _allowed(grant: Grant, action: str, role: str) -> Move:
    fitting = [m for m in moves_from(grant) if m.action == action]
    if not fitting:
        can = "、".join(dict.fromkeys(m.action for m in moves_from(grant))) or "没有可办的事"
        raise Refused(f"现在是“{grant.state}”，不能“{action}”；可以：{can}")
    if role not in fitting[0].roles:
        raise Refused(f"“{action}”由{'、'.join(fitting[0].roles)}办理，{role}不能办")
    return fitting[0]


def _check_needs(move: Move, facts: Mapping[str, object]) -> None:
    missing = tuple(n for n in move.needs if facts.get(n) in (None, "", (), []))
    if missing:
        cures = "；".join(f"{n}（{NEEDS[n].cure}）" for n in missing)
        raise Refused(f"“{move.action}”还缺 {len(missing)} 项：{cures}", missing)


def _check_rules(grant: Grant, move: Move, facts: Mapping[str, object], on: date, calendar: Calendar) -> None:
    if on < grant.since:
        raise Refused(f"日期 {on} 早于进入“{grant.state}”的 {grant.since}，不能倒填")
    if move.second:
        _check_second(grant, move, facts)
    rule = _RULES.get(move.action)
    if rule is None:
        return
    try:
        rule(grant, facts, on, calendar)
    except UnknownYear as error:  # whether its day has come can't be told: said, and nothing is done
        raise Refused(f"不能“{move.action}”：{error}") from None


def _check_second(grant: Grant, move: Move, facts: Mapping[str, object]) -> None:
    asked = grant.facts.get("提请")
    if not isinstance(asked, Mapping) or asked.get("事项") != move.action:
        raise Refused(
            f"“{move.action}”要两个人办：先由一个人“提请”（提请事项={move.action}），再由另一个人复核"
        )
    if asked.get("提请人") == facts.get("经办人"):
        raise Refused(f"“{move.action}”是 {asked.get('提请人')} 自己提请的：请另一个人复核")


def _rule_ask(grant: Grant, facts: Mapping[str, object], on: date, calendar: Calendar) -> None:
    """A request that could not be carried out is not taken."""
    wanted = facts["提请事项"]
    move = next((m for m in moves_from(grant) if m.action == wanted and m.second), None)
    if move is None:
        raise Refused(
            f"现在是“{grant.state}”，不能提请“{wanted}”：可以是 {'、'.join(ASKED_FOR)} 里现在能办的"
        )
    if wanted == "追回" and facts.get("追回金额") is None:
        raise Refused(f"提请追回还缺 1 项：追回金额（{NEEDS['追回金额'].cure}）", ("追回金额",))
    rule = _RULES.get(move.action)
    if rule is not None:
        rule(grant, facts, on, calendar)


def _rule_turn_down(grant: Grant, _facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    if not grant.facts.get("提请"):
        raise Refused("没有等着复核的提请")


def _rule_still_fits(grant: Grant, facts: Mapping[str, object]) -> None:
    change = grant.facts.get("比对变化")
    if change and not facts.get("变化说明"):
        raise Refused(f"{change}：{NEEDS['变化说明'].cure}", ("变化说明",))


def _rule_list(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    _rule_still_fits(grant, facts)
    amount = _whole(facts, "核定金额")
    if grant.high is not None and amount > grant.high:
        raise Refused(f"核定金额 {_yuan(amount)} 元超过比对的上限 {_yuan(grant.high)} 元")
    if 0 < grant.reserved < amount:
        raise Refused(f"核定金额 {_yuan(amount)} 元超过已占用的额度 {_yuan(grant.reserved)} 元")


def _rule_notice_over(grant: Grant, _facts: Mapping[str, object], on: date, calendar: Calendar) -> None:
    begun = grant.facts.get("公示开始")
    start_day = date.fromisoformat(str(begun)) if begun else grant.since
    last = calendar.add(start_day, grant.notice_days)
    if on <= last:
        raise Refused(f"公示到 {last} 满 {grant.notice_days} 个工作日，次日起才能办")


def _rule_silent(grant: Grant, _facts: Mapping[str, object], on: date, calendar: Calendar) -> None:
    last = calendar.add(grant.since, CLOCKS[State.CONFIRM].days)
    if on <= last:
        raise Refused(f"企业确认的期限是 {last}，还没有过")


def _rule_take_back(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    if grant.facts.get("名单意见") != facts["名单意见"] or grant.returned_from not in TAKEN_FROM:
        raise Refused(f"“{grant.state}”不是这条名单意见办到的，不能撤回")


TAKEN_FROM = (State.INVITED, State.LISTED, State.CREDIT, State.HELD)


def _rule_return(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    """一次性告知: a second return may only name what the first one named."""
    told = _names(grant.facts, f"告知·{grant.state}")
    new = [n for n in _names(facts, "缺项") if n not in told]
    if told and new:
        raise Refused(f"已经一次性告知过，不能再要新的：{'、'.join(new)}（上次告知：{'、'.join(told)}）")


def _rule_correct(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    given = set(_names(facts, "已补"))
    short = tuple(n for n in grant.asked if n not in given)
    if short:
        raise Refused(f"还有 {len(short)} 项没有补：{'、'.join(short)}", short)


def _rule_order(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    left = grant.reserved
    if _whole(facts, "支付金额") > left:
        raise Refused(f"支付金额超过还没有下达的 {_yuan(left)} 元")


def _rule_early(grant: Grant, facts: Mapping[str, object], on: date, _calendar: Calendar) -> None:
    """Where the money is paid in parts, no part goes out before its day without a word why."""
    _rule_order(grant, facts, on, _calendar)
    parts = kept_plan(grant.facts.get("分期"))
    gone = grant.ordered + grant.arrived + _whole(facts, "支付金额")
    if parts and gone > open_by(parts, on) and not facts.get("提前支付说明"):
        ahead = next_of(parts, open_by(parts, on), sum(p.fen for p in parts))
        why = (
            f"从 {ahead.begins} 起"
            if ahead and ahead.begins
            else f"等“{ahead.condition if ahead else ''}”成立"
        )
        raise Refused(
            f"到 {on} 可以付的只有 {_yuan(open_by(parts, on))} 元；第{ahead.no if ahead else '?'}期{why}才付：要提前付，写“提前支付说明”",
            ("提前支付说明",),
        )


def _rule_event(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    waiting = {str(p.no): p.condition for p in kept_plan(grant.facts.get("分期")) if p.begins is None}
    if str(facts["期次"]) not in waiting:
        words = "、".join(f"第{no}期（{c}）" for no, c in waiting.items()) or "没有"
        raise Refused(f"第{facts['期次']}期不在等条件；在等的：{words}")


def _rule_in_transit(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    if _whole(facts, "支付金额") > grant.ordered:
        raise Refused(f"在途只有 {_yuan(grant.ordered)} 元")


def _rule_back(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    if _whole(facts, "支付金额") > grant.arrived - grant.claimed:
        raise Refused(f"已到账、没有追回的只有 {_yuan(grant.arrived - grant.claimed)} 元")


def _rule_revoke(grant: Grant, _facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    if grant.ordered or grant.arrived:
        raise Refused("已经下达或到账，不能撤销：请办“追回”")


def _rule_stop(grant: Grant, _facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    if not (grant.ordered or grant.arrived):
        raise Refused("一分钱也没有下达：请办“撤销”")
    if not grant.reserved:
        raise Refused("已经没有要停付的钱")


def _rule_renewed(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    if grant.reserved:
        raise Refused("已经占用了额度，金额由经办核定，不再随比对变")
    for name in ("比对金额", "比对上限"):
        if facts.get(name) is not None:
            _whole(facts, name, zero=True)


def _rule_finance(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    _rule_still_fits(grant, facts)
    if not grant.reserved:
        raise Refused("没有占用额度，没有钱可拨：请办“不予兑现”")


def _rule_claw(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    if grant.ordered or (grant.state == State.PAYING and grant.reserved):
        raise Refused("还有在途或未下达的钱：先办完到账或退票，再追回")
    left = grant.arrived - grant.claimed
    if _whole(facts, "追回金额") > left:
        raise Refused(f"追回金额超过可追回的 {_yuan(left)} 元")


def _rule_refund(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    left = grant.claimed - grant.recovered
    if _whole(facts, "退款金额") > left:
        raise Refused(f"退款金额超过还没有退回的 {_yuan(left)} 元")


def _rule_share(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    share = _whole(facts, "分配金额", zero=True)
    if grant.amount is not None and share > grant.amount:
        raise Refused(f"分配金额超过核定的 {_yuan(grant.amount)} 元")


def _rule_confirm(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    firm = grant.facts.get("企业名称")
    if firm and facts.get("户名") != firm and not facts.get("户名说明"):
        raise Refused(
            f"户名“{facts.get('户名')}”和企业名称“{firm}”不一致：请改正，或写“户名说明”", ("户名说明",)
        )


def _rule_submit(grant: Grant, facts: Mapping[str, object], on: date, calendar: Calendar) -> None:
    last = last_day(grant)
    if last is not None and on > last:
        raise Refused(f"批次已于 {last} 截止，不再受理；批次延期以后才能提交")
    _rule_confirm(grant, facts, on, calendar)


def last_day(grant: Grant) -> date | None:
    """批次截止: the last day on which a firm may hand in; None where nobody said."""
    said = grant.facts.get("批次截止")
    return date.fromisoformat(str(said)) if said else None


def _rule_rating(_grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    if str(facts["满意度"]) not in "12345":
        raise Refused("满意度是 1 到 5 分")


def _rule_archive(grant: Grant, _facts: Mapping[str, object], on: date, calendar: Calendar) -> None:
    last = calendar.add(grant.since, CLOCKS[State.ARRIVED].days)
    if on <= last:
        raise Refused(f"到账后等企业评价到 {last}")


_RULES = {
    "通过名单": _rule_list,
    "公示期满": _rule_notice_over,
    "逾期未确认": _rule_silent,
    "撤回意见": _rule_take_back,
    "比对更新": _rule_renewed,
    "退回补正": _rule_return,
    "补正": _rule_correct,
    "提交": _rule_submit,
    "确认": _rule_confirm,
    "改账户": _rule_confirm,
    "下达": _rule_early,
    "条件成立": _rule_event,
    "提请": _rule_ask,
    "退回提请": _rule_turn_down,
    "到账": _rule_in_transit,
    "退票": _rule_in_transit,
    "冲回": _rule_back,
    "财政通过": _rule_finance,
    "撤销": _rule_revoke,
    "停付": _rule_stop,
    "追回": _rule_claw,
    "退款": _rule_refund,
    "分配": _rule_share,
    "评价": _rule_rating,
    "归档": _rule_archive,
}


def _fen_of(grant: Grant, move: Move, facts: Mapping[str, object]) -> int:
    """The fen a move's ledger entry is for."""
    if move.money in ("拨付", "到账", "退票", "冲回"):
        return _whole(facts, "支付金额")
    if move.money == "追回":
        return _whole(facts, "追回金额")
    if move.money == "退款":
        return _whole(facts, "退款金额")
    if move.money == "释放":
        return grant.reserved
    if move.action == "分配":
        return _whole(facts, "分配金额", zero=True)
    if move.money == "占用":
        worth = grant.amount if grant.amount is not None else grant.high or 0
        return max(0, worth - grant.reserved)
    if move.money == "减占":
        return max(0, grant.reserved - _whole(facts, "核定金额"))
    return 0


def _written(grant: Grant, move: Move, facts: Mapping[str, object], target: State, on: date) -> Grant:
    """What a move writes besides money: state, day, facts, the list of what was asked."""
    kept = {
        **grant.facts,
        **{k: v for k, v in facts.items() if v is not None and k not in ("提请事项", "提请人")},
    }
    if move.action == "提请":
        kept = {**grant.facts, "提请": _request(facts, on)}
    elif move.second or move.action == "退回提请":
        kept.pop("提请", None)
    since = on if target != grant.state else grant.since
    after = replace(grant, state=target, since=since, facts=MappingProxyType(kept))
    if move.action == "通过名单":
        return replace(after, amount=_whole(facts, "核定金额"), returned_from=grant.state)
    if move.action == "比对更新":
        high = facts.get("比对上限")
        exact = facts.get("比对金额")
        kept = {k: v for k, v in kept.items() if k not in ("比对金额", "比对上限")}
        return replace(after, amount=_or_none(exact), high=_or_none(high), facts=MappingProxyType(kept))
    if move.action in ("比对不符", "比对恢复"):
        changed = {**kept, "比对变化": str(facts.get("比对说明") or "") if move.action == "比对不符" else ""}
        return replace(after, facts=MappingProxyType(changed))
    if move.action == "不予兑现":
        return replace(after, returned_from=grant.state)
    if move.action == "信用通过":
        return replace(after, facts=MappingProxyType({**kept, "公示开始": on.isoformat()}))
    if move.action == "退回补正":
        asked = _names(facts, "缺项")
        told = {**kept, f"告知·{grant.state}": asked}
        return replace(after, returned_from=grant.state, asked=asked, facts=MappingProxyType(told))
    if move.action in ("补正", "递补", "撤回意见"):
        return replace(after, returned_from=None)
    if move.action == "分配":
        return replace(after, amount=_whole(facts, "分配金额", zero=True))
    return after


def _request(facts: Mapping[str, object], on: date) -> dict[str, object]:
    names = ("依据", "理由", "追回金额")
    said = {"事项": facts["提请事项"], "提请人": facts.get("经办人"), "日": on.isoformat()}
    return said | {n: facts[n] for n in names if facts.get(n) is not None}


def _planned(grant: Grant, move: Move, facts: Mapping[str, object], on: date, calendar: Calendar) -> Grant:
    """排分期: when finance passes a grant that is paid in parts, and when the event comes that a part waits for."""
    rows: Any = grant.facts.get("分期规则")
    own = facts.get("分期计划")
    if move.action == "财政通过" and (rows or own):
        try:
            parts = (
                written_plan(str(own), grant.reserved) if own else plan(rows, grant.reserved, on, calendar)
            )
        except (PlanUnknown, UnknownYear) as error:
            raise Refused(f"分期排不出：{error}；请{HOW}", () if own else ("分期计划",)) from None
    elif move.action == "条件成立":
        parts = tuple(
            replace(p, begins=on) if p.begins is None and str(p.no) == str(facts["期次"]) else p
            for p in kept_plan(grant.facts.get("分期"))
        )
    else:
        return grant
    return replace(grant, facts=MappingProxyType({**grant.facts, "分期": [p.kept() for p in parts]}))


def _or_none(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _moved_money(grant: Grant, money: str, fen: int) -> Grant:
    """The grant's own sums after a ledger move."""
    match money:
        case "占用":
            return replace(grant, reserved=grant.reserved + fen)
        case "减占" | "释放":
            return replace(grant, reserved=grant.reserved - fen)
        case "拨付":
            return replace(grant, reserved=grant.reserved - fen, ordered=grant.ordered + fen)
        case "到账":
            return replace(grant, ordered=grant.ordered - fen, arrived=grant.arrived + fen)
        case "退票":
            return replace(grant, ordered=grant.ordered - fen, reserved=grant.reserved + fen)
        case "冲回":
            return replace(grant, arrived=grant.arrived - fen, reserved=grant.reserved + fen)
        case "追回":
            return replace(grant, claimed=grant.claimed + fen)
        case "退款":
            return replace(grant, recovered=grant.recovered + fen)
    return grant


def _settled(grant: Grant, move: Move, on: date) -> Grant:
    """Where the last instalment or refund has come, the state goes on."""
    if move.action in ("到账", "停付") and not grant.reserved and not grant.ordered and grant.arrived:
        return replace(grant, state=State.ARRIVED, since=on)
    if move.action == "退款" and grant.recovered == grant.claimed:
        return replace(grant, state=State.RECOVERED, since=on)
    return grant


def _whole(facts: Mapping[str, object], name: str, *, zero: bool = False) -> int:
    """A fact in fen. Raises Refused."""
    value = facts[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < 0 or (value == 0 and not zero):
        raise Refused(f"{name}要是正的整数分")
    return value


def _names(facts: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = facts.get(name) or ()
    return (value,) if isinstance(value, str) else tuple(str(v) for v in value)  # type: ignore[attr-defined]


def _yuan(fen: int) -> str:
    return f"{fen // 100:,}.{fen % 100:02d}"


@dataclass(frozen=True)
class Due:
    """期限: the last day (None: the calendar does not know it), who must act, on what ground, or why there is none."""

    day: date | None
    holder: str
    basis: str
    note: str = ""


def due(grant: Grant, calendar: Calendar, days: Mapping[str, int] | None = None) -> Due | None:
    """期限: when the present step is to be done and by whom; None in a state without a clock.

    `days` are an office's own working days by state name.
    """
    clock = CLOCKS.get(grant.state)
    if clock is None:
        return None
    length = (days or {}).get(grant.state.value, clock.days)
    if grant.state == State.NOTICE:
        length = grant.notice_days
    begun = grant.since
    if grant.state == State.NOTICE and grant.facts.get("公示开始"):
        begun = date.fromisoformat(str(grant.facts["公示开始"]))
    basis = clock.basis
    if grant.state == State.PAYING and (parts := kept_plan(grant.facts.get("分期"))):
        whole = grant.arrived + grant.ordered + grant.reserved
        part = next_of(parts, grant.arrived, whole)
        if part is not None:
            if part.begins is None:
                waits = f"第{part.no}期等“{part.condition}”成立"
                return Due(None, clock.holder, basis, waits)
            begun, basis = part.begins, f"第{part.no}期从 {part.begins} 起{length}个工作日内拨付"
    try:
        day = calendar.add(begun, length)
        last = last_day(grant) if grant.state == State.INVITED else None
        return Due(min(day, last) if last else day, clock.holder, basis)
    except UnknownYear as error:
        last = last_day(grant) if grant.state == State.INVITED else None
        if last is not None and _reached(calendar, begun, last, length):
            return Due(last, clock.holder, basis)
        return Due(None, clock.holder, clock.basis, str(error))


def _reached(calendar: Calendar, begun: date, last: date, length: int) -> bool:
    """Whether a known last day comes before so many working days are over."""
    try:
        return calendar.between(begun, last) <= length
    except UnknownYear:
        return False


def lateness(due_day: date | None, on: date, calendar: Calendar) -> int | None:
    """逾期: working days past the due day (negative: left); None where either day is unknown."""
    if due_day is None:
        return None
    try:
        return calendar.between(due_day, on)
    except UnknownYear:
        return None


def escalate(holder: str, late: int | None) -> tuple[str, ...]:
    """催办对象: the holder, from the 4th working day late also 复核, from the 11th also 管理员."""
    if late is None or late <= 0:
        return (holder,)
    more = [who for limit, who in ESCALATION if late > limit]
    return tuple(dict.fromkeys((holder, *reversed(more))))  # 复核 may hold it itself
