"""兑现的图: states, moves, needs and clocks of a grant as tables; standard library only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


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
BACK = "退回处"  # a move to here goes back to the state that the grant was returned from; `branch` names others than 退回补正's
AHEAD = "候补处"  # a move to here goes on to the state that the grant was queued before
FINAL = frozenset({State.DONE, State.DECLINED, State.REFUSED, State.REVOKED, State.RECOVERED})
_BEFORE_MONEY = (
    State.MATCHED, State.INVITED, State.LISTED, State.CREDIT, State.HELD, State.NOTICE, State.OBJECTED,
    State.CONFIRM, State.SILENT, State.QUEUED, State.POOLED, State.CORRECTING, State.FINANCE,
)  # fmt: skip
_ASKABLE = (*_BEFORE_MONEY, State.PAYING, State.ARRIVED, State.DONE, State.RECOVERING)
ASKED_FOR = ("撤销", "停付", "追回")


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
        Need("提请事项", "要提请的是 撤销、停付 还是 追回（追回的写上追回金额）"),
        Need("期次", "第几期，写数字"),
        Need("名单意见", "写名单上的意见的编号"),
        Need("比对说明", "写最近一次比对说了什么"),
        Need("变化说明", "最近一次比对不再符合：核对后写明为什么仍然办"),
    )
}


# What a step may be given besides its needs. Everything else a grant keeps is the machine's own and can't be written in.
MORE = ("户名说明", "变化说明", "已补", "追回金额", "提前支付说明", "分期计划", "支付日期", "备注")
OF_SYSTEM = ("名单意见", "名单复核人", "比对金额", "比对上限", "比对说明", "申报说明", "批次截止")


@dataclass(frozen=True)
class Move:
    """一步: an arrow of the machine. `money` names what the ledger does; `branch` the arrows an outcome bends to.

    `second`: it carries out what another person has asked for (提请), by a second pair of eyes.
    """

    action: str
    sources: tuple[State, ...]
    target: State | str
    roles: tuple[str, ...]
    needs: tuple[str, ...] = ()
    money: str = ""
    variants: tuple[str, ...] = VARIANTS
    branch: tuple[State, ...] = ()
    second: bool = False


def _move(
    action: str,
    sources: State | Iterable[State],
    target: State | str,
    roles: str,
    needs: str = "",
    money: str = "",
    variants: Iterable[str] = VARIANTS,
    branch: Iterable[State] = (),
    second: bool = False,
) -> Move:
    froms = (sources,) if isinstance(sources, State) else tuple(sources)
    return Move(
        action,
        froms,
        target,
        tuple(roles.split()),
        tuple(needs.split()),
        money,
        tuple(variants),
        tuple(branch),
        second,
    )


ACCOUNT = "户名 账号 开户行 确认人"
SHORT = (State.QUEUED, State.POOLED)

MOVES: tuple[Move, ...] = (
    # 比对 → 名单
    _move("上名单", State.MATCHED, State.LISTED, "系统 经办", variants=[AUTOMATIC]),
    _move("提交", State.INVITED, State.LISTED, "企业 专员", ACCOUNT, "占用", [ONCE, APPLIED], [State.QUEUED]),
    _move("通过名单", State.LISTED, State.CREDIT, "经办 复核", "核定金额", "减占"),
    # What later nights say of a grant that is under way: a new sum before anybody decided, or that it fits no more.
    *(_move("比对更新", s, s, "系统") for s in (State.INVITED, State.LISTED)),
    *(_move("比对不符", s, s, "系统", "比对说明") for s in _BEFORE_MONEY if s != State.MATCHED),
    *(_move("比对恢复", s, s, "系统") for s in _BEFORE_MONEY if s != State.MATCHED),
    # 信用
    _move("信用通过", State.CREDIT, State.NOTICE, "经办 复核 系统", "信用查询日期 公示地址"),
    _move("信用暂缓", State.CREDIT, State.HELD, "经办 复核 系统", "理由"),
    _move("信用修复", State.HELD, State.CREDIT, "经办 复核 系统", "信用查询日期"),
    # 公示与异议
    _move("异议", State.NOTICE, State.OBJECTED, "经办 复核 企业 专员", "异议内容 异议人"),
    _move("异议不成立", State.OBJECTED, State.NOTICE, "复核", "答复"),
    _move("异议成立", State.OBJECTED, State.REFUSED, "复核", "答复 理由代码", "释放"),
    _move("公示期满", State.NOTICE, State.CONFIRM, "系统 经办", variants=[AUTOMATIC]),
    _move("公示期满", State.NOTICE, State.FINANCE, "系统 经办", "", "占用", [ONCE, APPLIED], SHORT),
    # 企业确认: silence and refusal have rules
    _move("确认", [State.CONFIRM, State.SILENT], State.FINANCE, "企业 专员", ACCOUNT, "占用", [AUTOMATIC], SHORT),
    _move("逾期未确认", State.CONFIRM, State.SILENT, "系统", variants=[AUTOMATIC]),
    _move("关闭", [State.SILENT, State.INVITED], State.DECLINED, "经办", "理由"),
    _move("放弃", [*_BEFORE_MONEY], State.DECLINED, "企业", "理由", "释放"),
    _move("恢复", State.DECLINED, State.LISTED, "企业 经办", variants=[AUTOMATIC]),
    _move("恢复", State.DECLINED, State.INVITED, "企业 经办", variants=[ONCE, APPLIED]),
    # 预算
    _move("递补", State.QUEUED, AHEAD, "系统 经办", "", "占用"),
    _move("分配", State.POOLED, State.FINANCE, "系统 经办 复核", "分配金额", "占用"),
    # 退回与补正
    _move("退回补正", [State.LISTED, State.CREDIT, State.FINANCE], State.CORRECTING, "经办 复核 财政", "缺项"),
    _move("补正", State.CORRECTING, BACK, "企业 专员"),
    _move("不予兑现", [State.INVITED, State.LISTED, State.CREDIT, State.HELD, State.OBJECTED, State.CORRECTING, State.QUEUED,
                   State.POOLED, State.FINANCE], State.REFUSED, "经办 复核", "理由代码 理由", "释放"),
    # A decision on the list that its author takes back before anybody went on from it (store/chain.py).
    _move("撤回意见", [State.CREDIT, State.REFUSED], BACK, "系统", "名单意见",
          branch=[State.INVITED, State.LISTED, State.CREDIT, State.HELD]),
    _move("重新核查", State.REFUSED, State.LISTED, "复核", "理由", variants=[AUTOMATIC]),
    # 钱
    _move("财政通过", State.FINANCE, State.PAYING, "财政"),
    _move("下达", State.PAYING, State.PAYING, "财政", "支付金额 流水号", "拨付"),
    _move("到账", State.PAYING, State.PAYING, "财政 系统", "支付金额 流水号", "到账", branch=[State.ARRIVED]),
    _move("退票", State.PAYING, State.PAYING, "财政 系统", "支付金额 流水号 理由", "退票"),
    # What had arrived comes back from the bank: it is promised again, to be paid anew.
    _move("冲回", [State.PAYING, State.ARRIVED, State.DONE], State.PAYING, "财政 系统", "支付金额 流水号 理由", "冲回"),
    _move("条件成立", State.PAYING, State.PAYING, "经办 财政", "期次 依据"),
    _move("停付", State.PAYING, State.PAYING, "复核", "", "释放", branch=[State.ARRIVED], second=True),
    _move("改账户", State.PAYING, State.PAYING, "企业 专员", ACCOUNT),
    _move("评价", State.ARRIVED, State.DONE, "企业", "满意度"),
    _move("归档", State.ARRIVED, State.DONE, "系统"),
    # 撤销与追回: one person asks with the ground, another with the role of 复核 carries it out or turns it down
    *(_move("提请", s, s, "经办 复核 财政", "提请事项 依据 理由") for s in _ASKABLE),
    *(_move("退回提请", s, s, "经办 复核 财政", "理由") for s in _ASKABLE),
    _move("撤销", [*_BEFORE_MONEY, State.PAYING], State.REVOKED, "复核", "", "释放", second=True),
    _move("追回", [State.PAYING, State.ARRIVED, State.DONE, State.RECOVERING], State.RECOVERING, "复核", "", "追回",
          second=True),
    _move("退款", State.RECOVERING, State.RECOVERING, "财政 系统", "退款金额 流水号", "退款", branch=[State.RECOVERED]),
)  # fmt: skip

MONEY = ("占用", "减占", "释放", "拨付", "到账", "退票", "冲回", "追回", "退款")


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

ESCALATION = ((10, "管理员"), (3, SECOND))
