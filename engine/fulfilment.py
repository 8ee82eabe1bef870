"""兑现: the state machine of one grant: who may move it, what a step needs, what it writes; pure.

The whole machine is the table `MOVES`; everything else reads it. Money is in fen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from engine.workdays import Calendar, UnknownYear


class State(StrEnum):
    """状态: where a grant stands."""

    MATCHED = "比对"
    INVITED = "待提交"
    LISTED = "名单核查"
    CREDIT = "信用核查"
    HELD = "信用暂缓"
    NOTICE = "公示"
    OBJECTED = "异议复核"
    CONFIRM = "企业确认"
    SILENT = "确认逾期"
    QUEUED = "候补"
    POOLED = "待分配"
    CORRECTING = "补正"
    FINANCE = "财政审核"
    PAYING = "拨付"
    ARRIVED = "到账"
    DONE = "办结"
    DECLINED = "放弃"
    REFUSED = "不予兑现"
    REVOKED = "撤销"
    RECOVERING = "追回"
    RECOVERED = "已追回"


AUTOMATIC, ONCE, APPLIED = "免申即享", "即申即享", "申报兑现"
VARIANTS = (AUTOMATIC, ONCE, APPLIED)
OFFICE, SECOND, FINANCE, OFFICER, FIRM, SYSTEM = "经办", "复核", "财政", "专员", "企业", "系统"
ROLES = (OFFICE, SECOND, FINANCE, OFFICER, FIRM, SYSTEM)
BACK = "退回处"  # a move to here goes back to the state that the grant was returned from
FINAL = frozenset({State.DONE, State.DECLINED, State.REFUSED, State.REVOKED, State.RECOVERED})
_BEFORE_MONEY = (
    State.MATCHED, State.INVITED, State.LISTED, State.CREDIT, State.HELD, State.NOTICE, State.OBJECTED,
    State.CONFIRM, State.SILENT, State.QUEUED, State.POOLED, State.CORRECTING, State.FINANCE,
)  # fmt: skip


def variant_of(delivery: str) -> str:
    """兑现方式的流程: 快申快享 and 承诺兑现 run as 申报兑现."""
    return delivery if delivery in (AUTOMATIC, ONCE) else APPLIED


@dataclass(frozen=True)
class Need:
    """所需: a fact a step can't do without, and how to give it."""

    name: str
    cure: str


NEEDS = {
    n.name: n
    for n in (
        Need("核定金额", "名单通过时要定下金额（元，不超过比对的上限）"),
        Need("理由", "写明理由"),
        Need("理由代码", "选一个理由代码"),
        Need("信用查询日期", "写信用查询的日期"),
        Need("公示地址", "写公示发布的网址或文号"),
        Need("异议内容", "写明异议"),
        Need("异议人", "写明异议人和联系方式"),
        Need("答复", "写明给异议人的答复"),
        Need("户名", "收款账户的户名，与企业名称一致"),
        Need("账号", "收款账号"),
        Need("开户行", "开户银行"),
        Need("确认人", "由谁确认"),
        Need("缺项", "一次写全所缺的材料和数据"),
        Need("支付金额", "本次支付多少元"),
        Need("流水号", "财政或银行的流水号"),
        Need("满意度", "1 到 5 分"),
        Need("依据", "追回或撤销的依据条款"),
        Need("追回金额", "要追回多少元"),
        Need("退款金额", "退回多少元"),
        Need("分配金额", "按比例或评分分到的金额"),
        Need("复核人", "由第二个人复核"),
    )
}


@dataclass(frozen=True)
class Move:
    """一步: an arrow of the machine. `money` names what the ledger does; `branch` the arrows an outcome bends to."""

    action: str
    sources: tuple[State, ...]
    target: State | str
    roles: tuple[str, ...]
    needs: tuple[str, ...] = ()
    money: str = ""
    variants: tuple[str, ...] = VARIANTS
    branch: tuple[State, ...] = ()


def _move(
    action: str,
    sources: State | Iterable[State],
    target: State | str,
    roles: str,
    needs: str = "",
    money: str = "",
    variants: Iterable[str] = VARIANTS,
    branch: Iterable[State] = (),
) -> Move:
    froms = (sources,) if isinstance(sources, State) else tuple(sources)
    return Move(action, froms, target, tuple(roles.split()), tuple(needs.split()), money, tuple(variants), tuple(branch))


ACCOUNT = "户名 账号 开户行 确认人"
SHORT = (State.QUEUED, State.POOLED)

MOVES: tuple[Move, ...] = (
    # 比对 → 名单
    _move("上名单", State.MATCHED, State.LISTED, "系统 经办", variants=[AUTOMATIC]),
    _move("提交", State.INVITED, State.LISTED, "企业 专员", ACCOUNT, "占用", [ONCE, APPLIED], [State.QUEUED]),
    _move("通过名单", State.LISTED, State.CREDIT, "经办 复核", "核定金额"),
    # 信用
    _move("信用通过", State.CREDIT, State.NOTICE, "经办 复核 系统", "信用查询日期 公示地址"),
    _move("信用暂缓", State.CREDIT, State.HELD, "经办 复核 系统", "理由"),
    _move("信用修复", State.HELD, State.CREDIT, "经办 复核 系统", "信用查询日期"),
    # 公示与异议
    _move("异议", State.NOTICE, State.OBJECTED, "经办 复核 企业 专员", "异议内容 异议人"),
    _move("异议不成立", State.OBJECTED, State.NOTICE, "复核", "答复"),
    _move("异议成立", State.OBJECTED, State.REFUSED, "复核", "答复 理由代码", "释放"),
    _move("公示期满", State.NOTICE, State.CONFIRM, "系统 经办", variants=[AUTOMATIC]),
    _move("公示期满", State.NOTICE, State.FINANCE, "系统 经办", variants=[ONCE, APPLIED], branch=[State.POOLED]),
    # 企业确认: silence and refusal have rules
    _move("确认", [State.CONFIRM, State.SILENT], State.FINANCE, "企业 专员", ACCOUNT, "占用", [AUTOMATIC], SHORT),
    _move("逾期未确认", State.CONFIRM, State.SILENT, "系统", variants=[AUTOMATIC]),
    _move("关闭", [State.SILENT, State.INVITED], State.DECLINED, "经办", "理由"),
    _move("放弃", [*_BEFORE_MONEY], State.DECLINED, "企业", "理由", "释放"),
    _move("恢复", State.DECLINED, State.CONFIRM, "企业 经办", variants=[AUTOMATIC]),
    _move("恢复", State.DECLINED, State.INVITED, "企业 经办", variants=[ONCE, APPLIED]),
    # 预算
    _move("递补", State.QUEUED, State.FINANCE, "系统 经办", "", "占用", [AUTOMATIC], [State.QUEUED]),
    _move("递补", State.QUEUED, State.LISTED, "系统 经办", "", "占用", [ONCE, APPLIED], [State.QUEUED]),
    _move("分配", State.POOLED, State.FINANCE, "系统 经办 复核", "分配金额", "占用", branch=[State.POOLED]),
    # 退回与补正
    _move("退回补正", [State.LISTED, State.CREDIT, State.FINANCE], State.CORRECTING, "经办 复核 财政", "缺项"),
    _move("补正", State.CORRECTING, BACK, "企业 专员"),
    _move("不予兑现", [State.LISTED, State.CREDIT, State.HELD, State.OBJECTED, State.CORRECTING, State.QUEUED,
                   State.POOLED, State.FINANCE], State.REFUSED, "经办 复核", "理由代码 理由", "释放"),
    _move("重新核查", State.REFUSED, State.LISTED, "复核", "理由", variants=[AUTOMATIC]),
    # 钱
    _move("财政通过", State.FINANCE, State.PAYING, "财政"),
    _move("下达", State.PAYING, State.PAYING, "财政", "支付金额 流水号", "拨付"),
    _move("到账", State.PAYING, State.PAYING, "财政 系统", "支付金额 流水号", "到账", branch=[State.ARRIVED]),
    _move("退票", State.PAYING, State.PAYING, "财政 系统", "支付金额 流水号 理由", "退票"),
    _move("改账户", State.PAYING, State.PAYING, "企业 专员", ACCOUNT),
    _move("评价", State.ARRIVED, State.DONE, "企业", "满意度"),
    _move("归档", State.ARRIVED, State.DONE, "系统"),
    # 撤销与追回
    _move("撤销", [*_BEFORE_MONEY, State.PAYING], State.REVOKED, "复核", "依据 理由 复核人", "释放"),
    _move("追回", [State.PAYING, State.ARRIVED, State.DONE, State.RECOVERING], State.RECOVERING, "复核",
          "依据 理由 追回金额 复核人", "追回"),
    _move("退款", State.RECOVERING, State.RECOVERING, "财政 系统", "退款金额 流水号", "退款", branch=[State.RECOVERED]),
)  # fmt: skip

MONEY = ("占用", "释放", "拨付", "到账", "退票", "追回", "退款")


@dataclass(frozen=True)
class Clock:
    """时限: working days in a state, who must act, on what ground."""

    days: int
    holder: str
    basis: str


CLOCKS = {
    State.MATCHED: Clock(1, SYSTEM, "当日上名单"),
    State.INVITED: Clock(20, FIRM, "收到邀请后20个工作日内提交，不超过批次截止日"),
    State.LISTED: Clock(5, OFFICE, "名单核查5个工作日"),
    State.CREDIT: Clock(2, OFFICE, "信用核查2个工作日"),
    State.HELD: Clock(30, OFFICE, "信用暂缓30个工作日后复查"),
    State.NOTICE: Clock(5, SYSTEM, "公示5个工作日"),
    State.OBJECTED: Clock(3, SECOND, "异议3个工作日内复核答复"),
    State.CONFIRM: Clock(5, FIRM, "通知后5个工作日内确认"),
    State.SILENT: Clock(10, OFFICER, "逾期未确认，专员10个工作日内联系"),
    State.QUEUED: Clock(20, OFFICE, "额度用完，候补20个工作日复查"),
    State.POOLED: Clock(20, OFFICE, "批次截止后20个工作日内分配"),
    State.CORRECTING: Clock(5, FIRM, "一次性告知后5个工作日内补正"),
    State.FINANCE: Clock(3, FINANCE, "财政审核3个工作日"),
    State.PAYING: Clock(5, FINANCE, "企业确认后一周内拨付"),
    State.ARRIVED: Clock(10, SYSTEM, "到账10个工作日后自动归档"),
    State.RECOVERING: Clock(20, FINANCE, "追回决定后20个工作日内退款"),
}


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


def arrows() -> set[tuple[str, State, str, State]]:
    """全部箭头: (variant, from, action, to); the drawing of the machine."""
    returnable = next(m for m in MOVES if m.action == "退回补正").sources
    drawn = set()
    for move in MOVES:
        targets = returnable if move.target == BACK else (State(move.target),)
        for variant in move.variants:
            for source in move.sources:
                drawn |= {(variant, source, move.action, to) for to in (*targets, *move.branch)}
    return drawn


def step(
    grant: Grant, action: str, role: str, facts: Mapping[str, object], on: date, calendar: Calendar,
    bend: State | None = None,
) -> Step:  # fmt: skip
    """办一步. `bend` is the branch the budget asks for (候补, 待分配). Raises Refused."""
    move = _allowed(grant, action, role)
    _check_needs(move, facts)
    _check_rules(grant, move, role, facts, on, calendar)
    fen = _fen_of(grant, move, facts)
    if bend is not None and bend not in move.branch:
        raise Refused(f"“{action}”不会走到“{bend}”")
    target = grant.returned_from if move.target == BACK else State(move.target)
    assert target is not None
    after = _written(grant, move, facts, target if bend is None else bend, on)
    if bend is not None:
        return Step(after, move)
    after = _moved_money(after, move.money, fen)
    return Step(_settled(after, move, on), move, move.money, fen)


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


def _check_rules(
    grant: Grant, move: Move, role: str, facts: Mapping[str, object], on: date, calendar: Calendar
) -> None:
    if on < grant.since:
        raise Refused(f"日期 {on} 早于进入“{grant.state}”的 {grant.since}，不能倒填")
    rule = _RULES.get(move.action)
    if rule is not None:
        rule(grant, facts, on, calendar)
    if "复核人" in move.needs and facts.get("复核人") == facts.get("经办人"):
        raise Refused("复核人不能是经办人自己：请另一个人复核")


def _rule_list(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
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


def _rule_return(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    """一次性告知: a second return may only name what the first one named."""
    new = [n for n in _names(facts, "缺项") if n not in grant.asked]
    if grant.asked and new:
        raise Refused(f"已经一次性告知过，不能再要新的：{'、'.join(new)}（上次告知：{'、'.join(grant.asked)}）")


def _rule_correct(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    given = set(_names(facts, "已补"))
    short = tuple(n for n in grant.asked if n not in given)
    if short:
        raise Refused(f"还有 {len(short)} 项没有补：{'、'.join(short)}", short)


def _rule_order(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    left = grant.reserved
    if _whole(facts, "支付金额") > left:
        raise Refused(f"支付金额超过还没有下达的 {_yuan(left)} 元")


def _rule_in_transit(grant: Grant, facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    if _whole(facts, "支付金额") > grant.ordered:
        raise Refused(f"在途只有 {_yuan(grant.ordered)} 元")


def _rule_revoke(grant: Grant, _facts: Mapping[str, object], _on: date, _calendar: Calendar) -> None:
    if grant.ordered or grant.arrived:
        raise Refused("已经下达或到账，不能撤销：请办“追回”")


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
        raise Refused(f"户名“{facts.get('户名')}”和企业名称“{firm}”不一致：请改正，或写“户名说明”", ("户名说明",))


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
    "退回补正": _rule_return,
    "补正": _rule_correct,
    "提交": _rule_confirm,
    "确认": _rule_confirm,
    "改账户": _rule_confirm,
    "下达": _rule_order,
    "到账": _rule_in_transit,
    "退票": _rule_in_transit,
    "撤销": _rule_revoke,
    "追回": _rule_claw,
    "退款": _rule_refund,
    "分配": _rule_share,
    "评价": _rule_rating,
    "归档": _rule_archive,
}


def _fen_of(grant: Grant, move: Move, facts: Mapping[str, object]) -> int:
    """The fen a move's ledger entry is for."""
    if move.money in ("拨付", "到账", "退票"):
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
        return grant.amount if grant.amount is not None else grant.high or 0
    return 0


def _written(grant: Grant, move: Move, facts: Mapping[str, object], target: State, on: date) -> Grant:
    """What a move writes besides money: state, day, facts, the list of what was asked."""
    kept = {**grant.facts, **{k: v for k, v in facts.items() if v is not None}}
    since = on if target != grant.state else grant.since
    after = replace(grant, state=target, since=since, facts=MappingProxyType(kept))
    if move.action == "通过名单":
        return replace(after, amount=_whole(facts, "核定金额"))
    if move.action == "信用通过":
        return replace(after, facts=MappingProxyType({**kept, "公示开始": on.isoformat()}))
    if move.action == "退回补正":
        return replace(after, returned_from=grant.state, asked=_names(facts, "缺项"))
    if move.action == "补正":
        return replace(after, returned_from=None)
    return after


def _moved_money(grant: Grant, money: str, fen: int) -> Grant:
    """The grant's own sums after a ledger move."""
    match money:
        case "占用":
            return replace(grant, reserved=grant.reserved + fen, amount=fen)
        case "释放":
            return replace(grant, reserved=0)
        case "拨付":
            return replace(grant, reserved=grant.reserved - fen, ordered=grant.ordered + fen)
        case "到账":
            return replace(grant, ordered=grant.ordered - fen, arrived=grant.arrived + fen)
        case "退票":
            return replace(grant, ordered=grant.ordered - fen, reserved=grant.reserved + fen)
        case "追回":
            return replace(grant, claimed=grant.claimed + fen)
        case "退款":
            return replace(grant, recovered=grant.recovered + fen)
    return grant


def _settled(grant: Grant, move: Move, on: date) -> Grant:
    """Where the last instalment or refund has come, the state goes on."""
    if move.action == "到账" and not grant.reserved and not grant.ordered:
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
    try:
        return Due(calendar.add(begun, length), clock.holder, clock.basis)
    except UnknownYear as error:
        return Due(None, clock.holder, clock.basis, str(error))


ESCALATION = ((10, "管理员"), (3, SECOND), (0, ""))


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
    more = [who for limit, who in ESCALATION if who and late > limit]
    return (holder, *reversed(more))
