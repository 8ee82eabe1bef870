"""办理的规矩: what has to hold, besides state, role and papers, before a move of the machine is made; one rule a move."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from engine.grant import Grant, Refused, last_day, moves_from, names, whole, yuan
from engine.grantmoves import ASKED_FOR, CLOCKS, NEEDS, Move, State
from engine.instalments import kept_plan, next_of, open_by
from engine.workdays import Calendar, UnknownYear


def check_rules(grant: Grant, move: Move, facts: Mapping[str, object], on: date, calendar: Calendar) -> None:
    """合不合规矩: raises Refused with the reason and the cure where the move may not be made on that day."""
    if on < grant.since:
        raise Refused(f"日期 {on} 早于进入“{grant.state}”的 {grant.since}，不能倒填")
    if move.second:
        _check_second(grant, move, facts)
    rule = RULES.get(move.action)
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
    rule = RULES.get(move.action)
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
    amount = whole(facts, "核定金额")
    if grant.high is not None and amount > grant.high:
        raise Refused(f"核定金额 {yuan(amount)} 元超过比对的上限 {yuan(grant.high)} 元")
    if 0 < grant.reserved < amount:
        raise Refused(f"核定金额 {yuan(amount)} 元超过已占用的额度 {yuan(grant.reserved)} 元")


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
    told = names(grant.facts, f"告知·{grant.state}")
    new = [n for n in names(facts, "缺项") if n not in told]
    if told and new:
        raise Refused(f"已经一次性告知过，不能再要新的：{'、'.join(new)}（上次告知：{'、'.join(told)}）")


def _rule_correct(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    given = set(names(facts, "已补"))
    short = tuple(n for n in grant.asked if n not in given)
    if short:
        raise Refused(f"还有 {len(short)} 项没有补：{'、'.join(short)}", short)


def _rule_order(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    left = grant.reserved
    if whole(facts, "支付金额") > left:
        raise Refused(f"支付金额超过还没有下达的 {yuan(left)} 元")


def _rule_early(grant: Grant, facts: Mapping[str, object], on: date, _calendar: Calendar) -> None:
    """Where the money is paid in parts, no part goes out before its day without a word why."""
    _rule_order(grant, facts, on, _calendar)
    parts = kept_plan(grant.facts.get("分期"))
    gone = grant.ordered + grant.arrived + whole(facts, "支付金额")
    if parts and gone > open_by(parts, on) and not facts.get("提前支付说明"):
        ahead = next_of(parts, open_by(parts, on), sum(p.fen for p in parts))
        why = (
            f"从 {ahead.begins} 起"
            if ahead and ahead.begins
            else f"等“{ahead.condition if ahead else ''}”成立"
        )
        raise Refused(
            f"到 {on} 可以付的只有 {yuan(open_by(parts, on))} 元；第{ahead.no if ahead else '?'}期{why}才付：要提前付，写“提前支付说明”",
            ("提前支付说明",),
        )


def _rule_event(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    waiting = {str(p.no): p.condition for p in kept_plan(grant.facts.get("分期")) if p.begins is None}
    if str(facts["期次"]) not in waiting:
        words = "、".join(f"第{no}期（{c}）" for no, c in waiting.items()) or "没有"
        raise Refused(f"第{facts['期次']}期不在等条件；在等的：{words}")


def _rule_in_transit(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    if whole(facts, "支付金额") > grant.ordered:
        raise Refused(f"在途只有 {yuan(grant.ordered)} 元")


def _rule_back(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    if whole(facts, "支付金额") > grant.arrived - grant.claimed:
        raise Refused(f"已到账、没有追回的只有 {yuan(grant.arrived - grant.claimed)} 元")


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
            whole(facts, name, zero=True)


def _rule_finance(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    _rule_still_fits(grant, facts)
    if not grant.reserved:
        raise Refused("没有占用额度，没有钱可拨：请办“不予兑现”")


def _rule_claw(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    if grant.ordered or (grant.state == State.PAYING and grant.reserved):
        raise Refused("还有在途或未下达的钱：先办完到账或退票，再追回")
    left = grant.arrived - grant.claimed
    if whole(facts, "追回金额") > left:
        raise Refused(f"追回金额超过可追回的 {yuan(left)} 元")


def _rule_refund(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    left = grant.claimed - grant.recovered
    if whole(facts, "退款金额") > left:
        raise Refused(f"退款金额超过还没有退回的 {yuan(left)} 元")


def _rule_share(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    share = whole(facts, "分配金额", zero=True)
    if grant.amount is not None and share > grant.amount:
        raise Refused(f"分配金额超过核定的 {yuan(grant.amount)} 元")


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


def _rule_rating(_grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    if str(facts["满意度"]) not in "12345":
        raise Refused("满意度是 1 到 5 分")


def _rule_archive(grant: Grant, _facts: Mapping[str, object], on: date, calendar: Calendar) -> None:
    last = calendar.add(grant.since, CLOCKS[State.ARRIVED].days)
    if on <= last:
        raise Refused(f"到账后等企业评价到 {last}")


RULES = {
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
