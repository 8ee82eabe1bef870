"""权限: which role may do what; departments see only their part."""

from __future__ import annotations

from engine.policy import PolicyItem
from store.accounts import Person

# Rights are what routes ask for; a person has the rights of all their roles together.
VIEW = ("today", "matches", "match", "firms", "items", "readiness", "fulfil", "data", "push", "runs")
ALL = (
    *VIEW,
    "decide",
    "ask",
    "second",
    "edit",
    "sign",
    "approve",
    "fulfil.act",
    "audit",
    "settings",
    "export",
    "contacts",
    "doubt",
    "own",
)
RIGHTS: dict[str, tuple[str, ...]] = {
    "管理员": ALL,
    "经办": (*VIEW, "decide", "ask", "edit", "fulfil.act", "audit", "export", "contacts", "doubt", "own"),
    "复核": (*VIEW, "second", "sign", "fulfil.act", "audit", "export", "own"),
    "财政": ("today", "match", "firms", "items", "fulfil", "fulfil.act", "export", "own"),
    "专员": ("today", "matches", "match", "firms", "items", "fulfil", "fulfil.act", "ask", "contacts", "own"),
    "分析": ("today", "items", "readiness", "data", "runs", "export", "doubt", "own"),
    "只读": VIEW,
    "企业": (),
}
NAMES = {
    "today": "今日", "matches": "名单", "match": "依据", "firms": "企业", "items": "事项", "readiness": "就绪度",
    "fulfil": "兑现台账", "data": "数据", "push": "推送", "runs": "比对", "decide": "通过、不纳入、暂缓", "ask": "询问、转交、备注", "second": "复核",
    "edit": "改规则", "sign": "签发", "approve": "批准影响大的改动", "fulfil.act": "办兑现", "audit": "操作记录", "settings": "设置",
    "export": "导出", "contacts": "看联系方式", "doubt": "看不一致", "own": "自己的设置",
}  # fmt: skip


def rights_of(person: Person) -> frozenset[str]:
    """权利 of a person: the union over their roles."""
    return frozenset(right for role in person.roles for right in RIGHTS.get(role, ()))


def sees_item(person: Person, item: PolicyItem | str) -> bool:
    """部门范围: a person of a department sees that department's items only; `item` is an item or its department."""
    department = item if isinstance(item, str) else item.department
    return not person.department or person.department == department
