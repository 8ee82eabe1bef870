"""办一步写下什么: the fen a move is for, the facts, sums and instalments that the grant has after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Any

from engine.grant import Grant, Refused, names, whole
from engine.grantmoves import Move, State
from engine.instalments import HOW, PlanUnknown, kept_plan, plan, written_plan
from engine.workdays import Calendar, UnknownYear


def fen_of(grant: Grant, move: Move, facts: Mapping[str, object]) -> int:
    """这一步的钱: the fen a move's ledger entry is for."""
    if move.money in ("拨付", "到账", "退票", "冲回"):
        return whole(facts, "支付金额")
    if move.money == "追回":
        return whole(facts, "追回金额")
    if move.money == "退款":
        return whole(facts, "退款金额")
    if move.money == "释放":
        return grant.reserved
    if move.action == "分配":
        return whole(facts, "分配金额", zero=True)
    if move.money == "占用":
        worth = grant.amount if grant.amount is not None else grant.high or 0
        return max(0, worth - grant.reserved)
    if move.money == "减占":
        return max(0, grant.reserved - whole(facts, "核定金额"))
    return 0


def written(grant: Grant, move: Move, facts: Mapping[str, object], target: State, on: date) -> Grant:
    """记下的: what a move writes besides money: state, day, facts, the list of what was asked."""
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
        return replace(after, amount=whole(facts, "核定金额"), returned_from=grant.state)
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
        asked = names(facts, "缺项")
        told = {**kept, f"告知·{grant.state}": asked}
        return replace(after, returned_from=grant.state, asked=asked, facts=MappingProxyType(told))
    if move.action in ("补正", "递补", "撤回意见"):
        return replace(after, returned_from=None)
    if move.action == "分配":
        return replace(after, amount=whole(facts, "分配金额", zero=True))
    return after


def _request(facts: Mapping[str, object], on: date) -> dict[str, object]:
    own = ("依据", "理由", "追回金额")
    said = {"事项": facts["提请事项"], "提请人": facts.get("经办人"), "日": on.isoformat()}
    return said | {n: facts[n] for n in own if facts.get(n) is not None}


def planned(grant: Grant, move: Move, facts: Mapping[str, object], on: date, calendar: Calendar) -> Grant:
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


def moved_money(grant: Grant, money: str, fen: int) -> Grant:
    """动了钱以后: the grant's own sums after a ledger move."""
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


def settled(grant: Grant, move: Move, on: date) -> Grant:
    """钱齐了: where the last instalment or refund has come, the state goes on."""
    if move.action in ("到账", "停付") and not grant.reserved and not grant.ordered and grant.arrived:
        return replace(grant, state=State.ARRIVED, since=on)
    if move.action == "退款" and grant.recovered == grant.claimed:
        return replace(grant, state=State.RECOVERED, since=on)
    return grant
