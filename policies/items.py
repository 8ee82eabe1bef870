"""事项清单: the office's list of items with the twenty official fields, which are still empty, and the publication clocks.

The twenty fields and the clocks follow 川办函〔2024〕17号 and the guides named beside it in the project's domain notes:
item and guide are out within 7 working days of the policy, taken down within 3 of its end.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.policy import PolicyDocument, PolicyItem, numbered
from engine.standard import further_quotes
from engine.workdays import Calendar

from .library import Library

PUBLISH_WITHIN, REMOVE_WITHIN = 7, 3  # working days
FIELDS = (
    "政策依据",
    "事项名称",
    "级别主题类别",
    "支持行业",
    "扶持对象",
    "申报条件",
    "扶持标准",
    "不重复享受",
    "兑现方式",
    "申请材料",
    "办理流程",
    "申报期限",
    "兑现时限",
    "部门与联系人",
    "受理地址与入口",
    "资金来源",
    "数据来源",
    "公示与异议",
    "有效期与状态",
    "监督投诉",
)


@dataclass(slots=True)
class ListRow:
    """清单一行: an item with its twenty fields and its clock in words ("" where nothing is due)."""

    item: str
    fields: dict[str, str]
    clock: str = ""
    due: dt.date | None = None
    empty: list[str] = field(default_factory=list)

    @property
    def filled(self) -> int:
        """已填栏数."""
        return len(FIELDS) - len(self.empty)

    def as_dict(self) -> dict[str, object]:
        """机器可读: fields, the empty ones and the clock."""
        due = self.due.isoformat() if self.due else None
        return {"item": self.item, **self.fields, "空着": self.empty, "时限": self.clock, "到期": due}


def item_list(library: Library, as_of: dt.date, calendar: Calendar, drafts: bool = False) -> list[ListRow]:
    """事项清单: one row an item, in the order of ids; drafts only where asked for."""
    rows = []
    for loaded in library.documents.values():
        for held in loaded.items:
            item = held.item
            if item.status == "草稿" and not drafts:
                continue
            values = field_values(library, loaded.document, item)
            clock, due = clock_of(loaded.document, item, as_of, calendar)
            empty = [name for name in FIELDS if not values[name]]
            rows.append(ListRow(item.id, values, clock, due, empty))
    return rows


def field_values(library: Library, document: PolicyDocument, item: PolicyItem) -> dict[str, str]:
    """二十栏: the official fields of an item, "" where it doesn't say."""
    guide = {key: _words(value) for key, value in item.guide}
    extra = dict(document.extra)
    conditions = [*numbered(document.general.conditions), *numbered(item.conditions)]
    cites = list(dict.fromkeys(c.cite for c in numbered(item.conditions) if c.cite))
    batches = "；".join(f"{b.opens:%Y-%m-%d} 至 {b.closes:%Y-%m-%d}" for b in item.batches)
    rivals = [*item.exclusive, *document.general.exclusive]
    values = {
        "政策依据": "，".join(
            x for x in (document.title, document.number, document.issuer, "、".join(cites)) if x
        ),
        "事项名称": item.title,
        "级别主题类别": "，".join(
            x
            for x in (
                guide.get("level") or extra.get("level", ""),
                guide.get("theme") or extra.get("theme", ""),
                item.category,
            )
            if x
        ),
        "支持行业": guide.get("industries", ""),
        "扶持对象": item.subject,
        "申报条件": "；".join(c.quote for c in conditions if c.quote and not c.hidden),
        "扶持标准": "；".join(
            [
                *([item.benefit.quote] if item.benefit and item.benefit.quote else []),
                *(q for q, _ in further_quotes(item.benefit)),
            ]
        ),
        "不重复享受": "；".join(dict.fromkeys(r.quote or f"{r.group}：{r.pick}" for r in rivals)),
        "兑现方式": item.delivery,
        "申请材料": "；".join(item.materials) or ("免提交" if item.delivery == "免申即享" else ""),
        "办理流程": guide.get("process", ""),
        "申报期限": batches,
        "兑现时限": item.deadline,
        "部门与联系人": "，".join(
            x for x in (item.department, guide.get("contact", ""), guide.get("phone", "")) if x
        ),
        "受理地址与入口": "，".join(x for x in (guide.get("channel", ""), guide.get("address", "")) if x),
        "资金来源": guide.get("funding", ""),
        "数据来源": "；".join(_sources(library, item)),
        "公示与异议": "，".join(x for x in (guide.get("publicity", ""), guide.get("objection", "")) if x),
        "有效期与状态": "，".join(
            [*([f"至 {document.expires:%Y-%m-%d}"] if document.expires else []), item.status]
        ),
        "监督投诉": guide.get("complaint", ""),
    }
    return {name: values[name] for name in FIELDS}


def _words(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return "、".join(_words(v) for v in value)
    if isinstance(value, Mapping):
        return "；".join(f"{k}：{_words(v)}" for k, v in value.items())
    return str(value)


def _sources(library: Library, item: PolicyItem) -> list[str]:
    """Which department's data decides the item: indicators of its expressions with their source."""
    if item.conditions is None:
        return []
    text = " ".join(c.text for c in item.conditions.walk() if c.kind == "when")
    names = sorted((n for n in library.dictionary if n in text), key=len, reverse=True)
    kept: list[str] = []
    for name in names:
        if name in text:
            kept.append(name)
            text = text.replace(name, " ")
    return [f"{n}（{library.dictionary[n].source or '企业填报'}）" for n in sorted(kept)]


def clock_of(
    document: PolicyDocument, item: PolicyItem, as_of: dt.date, calendar: Calendar
) -> tuple[str, dt.date | None]:
    """公布时限: what is due by when: a draft within 7 working days of the policy, an ended item taken down within 3."""
    try:
        if item.status == "草稿" and document.issued is not None:
            due = calendar.add(document.issued, PUBLISH_WITHIN)
            return _told("公布清单和指南", due, as_of), due
        if document.expires is not None and as_of > document.expires and item.status not in ("失效", "额满"):
            due = calendar.add(document.expires, REMOVE_WITHIN)
            return _told("下架已到期事项", due, as_of), due
    except ValueError:
        return "这一年的放假安排还没有录入，时限算不出", None
    return "", None


def _told(what: str, due: dt.date, as_of: dt.date) -> str:
    state = f"已超期 {(as_of - due).days} 天" if as_of > due else "未到期"
    return f"{what}：{due:%Y-%m-%d} 前，{state}"


_WIDE = {
    "政策依据": 32,
    "事项名称": 22,
    "申报条件": 52,
    "扶持标准": 36,
    "申请材料": 30,
    "数据来源": 30,
    "空着的栏目": 32,
}


def write_items(rows: Sequence[ListRow], path: Path) -> None:
    """导出清单: .xlsx (texts never become formulas) or .json. Raises ValueError for other suffixes."""
    if path.suffix == ".json":
        path.write_text(
            json.dumps([r.as_dict() for r in rows], ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
        return
    if path.suffix != ".xlsx":
        raise ValueError(f"{path.name}：清单可导出 .xlsx 或 .json")
    import xlsxwriter

    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(path, options) as book:
        sheet = book.add_worksheet("惠企政策事项清单")
        head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        body = book.add_format({"text_wrap": True, "valign": "top"})
        blank = book.add_format({"bg_color": "#FFF2CC"})
        columns = ("事项编码", *FIELDS, "时限", "空着的栏目")
        for n, name in enumerate(columns):
            sheet.write_string(0, n, name, head)
        for line, row in enumerate(rows, 1):
            values = [row.item, *(row.fields[f] for f in FIELDS), row.clock, "、".join(row.empty)]
            for n, value in enumerate(values):
                if value:
                    sheet.write_string(line, n, value, body)
                else:
                    sheet.write_blank(line, n, None, blank)
        sheet.set_column(0, len(columns) - 1, 16)
        for name, width in _WIDE.items():
            sheet.set_column(columns.index(name), columns.index(name), width)
        sheet.freeze_panes(1, 3)
