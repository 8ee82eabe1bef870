"""材料与时间: what a firm hands in and when it can apply, item by item."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from policies.segment import role_of_field

from .binding import entry, owners_of
from .linear import LinearModel
from .model import Item
from .pieces import LABELS, Piece, Reading
from .spans import body_of
from .windows import window_in

_INSTRUCTS = re.compile(
    r"装订|封面|胶装|按.{0,6}顺序|电子版发|目录应|提交以下|[：:]$|必须提供|实际情况提供|不录入|统一标明|无需|不需|以下材料|登[录陆]|注册|网上填报|上传要求"
)
_PAPER = (
    r"(?:[^，。；、：（）]|（[^）]*）|《[^》]*》){0,40}?(?:申[请报][表书]|推荐[表书函]|报告|任务书|证明(?:材料)?|复印件|凭证|清单|承诺[书函]|协议书?|合同|发票|照片|"
    r"营业执照|登记证|身份证|证书|截图|名单|委托书|请求书|说明|材料|资料|文件|明细表|汇总表|计划|意见|信息表|归集表|表）?》)(?:（[^）]*）)?(?:及[^，。；]{2,16}材料)?(?:[一两]式[^，。；]{1,3}份)?"
)
_FRAGMENT = re.compile(r"^(?:的|件|一份|以|好|应|后|了|完|和|及|与|或)")
_HANDED = re.compile(
    rf"(?:提交|提供|出具|报送|递交|凭(?!借)|填写(?:打印|完成)?|填报|附上?|上传|携带|连同)(?:下列|以下|相关的?|有关的?|盖章的)?(?P<m>{_PAPER})"
)


def labelled(reading: Reading, clause: int, label: str, model: LinearModel) -> list[tuple[int, int, float]]:
    """有标片段: runs of atoms of a clause that the model gives a label."""
    k = LABELS.index(label)
    runs: list[tuple[int, int, float]] = []
    last = -2
    for n, a in enumerate(reading.atoms):
        score = float(reading.labels[n, k])
        if a.clause == clause and score >= model.threshold[k]:
            if last == n - 1 and runs:
                runs[-1] = (runs[-1][0], a.b, max(score, runs[-1][2]))
            else:
                runs.append((a.a, a.b, score))
            last = n
    return runs


def share_materials(
    reading: Reading, items: Sequence[Item], roles: list[list[str]], model: LinearModel
) -> None:
    """材料归属: a list under 申报材料 line by line; elsewhere what a sentence says is handed in."""
    if not items:
        return
    lists = sum(
        role_of_field(c.field_name) == "material" and bool(c.label) and "title" not in n
        for c, n in zip(reading.clauses, roles, strict=True)
    )
    for k, names in enumerate(roles):
        # Where the papers are listed one by one, the list says it all.
        if lists >= 3 and role_of_field(reading.clauses[k].field_name) != "material":
            continue
        for a, b, s in paper_spans(reading, k, names, model):
            found = entry(reading, k, a, b, s)
            for n in owners_of(reading, Piece("material", k, a, b, s), items) or range(len(items)):
                items[n].materials.append(dict(found))


def paper_spans(
    reading: Reading, k: int, names: Sequence[str], model: LinearModel
) -> list[tuple[int, int, float]]:
    """材料片段: spans of a clause that name what is handed in."""
    c, flat = reading.clauses[k], reading.views[k].flat
    listed = role_of_field(c.field_name) == "material"
    if "material" not in names and not (listed and "title" not in names):
        return []
    a, b = body_of(flat)
    told = [
        (*m.span("m"), 0.6)
        for m in _HANDED.finditer(flat)
        if len(m["m"]) >= 5 and not _FRAGMENT.match(m["m"])
    ]
    if "title" in names and not (listed and c.label and re.search(r"[。；]$", flat)):
        return []
    if "procedure" in names or _INSTRUCTS.search(flat):
        if _INSTRUCTS.search(flat) and listed:
            return []
        return (
            told
            or [
                r
                for r in labelled(reading, k, "material", model)
                if re.search(r"[表书证件料告同函]", flat[r[0] : r[1]])
            ][:2]
        )
    return [(a, b, 1.0)]


_VALID = re.compile(r"施行|实施|执行|有效期|实行年限|解释|废止|政策期限|适用期")
_APPLIES = re.compile(r"申[报请]|受理|填报|报送|提交|认定|注册|截[止至]")
_HARVEST = re.compile(r"公示|审核|评审|初审|拨付|查验")


def share_windows(
    reading: Reading, items: Sequence[Item], roles: list[list[str]], issued: str | None
) -> None:
    """时间归属: dates in an item's own sentences, else those of the 申报时间 of its section or the document."""
    year = _year(reading, issued)
    shared: list[tuple[float, int, dict[str, Any]]] = []
    for k, names in enumerate(roles):
        flat, timed = reading.views[k].flat, role_of_field(reading.clauses[k].field_name) == "window"
        own = [i for i in items if k in i.clauses and not i.title_only]
        if not ("window" in names or timed or own):
            continue
        found = window_in(flat, year, issued)
        if not found:
            continue
        told = entry(reading, k, *body_of(flat), 1.0) | found
        if own and not timed and "condition" in names and _opens(flat):
            for i in own:
                i.window = i.window or told
        elif "window" in names or timed:
            shared.append((_rank(flat, timed, found), k, told))
    best = max(shared, key=lambda x: (x[0], x[1]), default=None)
    for i in items:
        if not i.window and best is not None and best[0] > 0:
            i.window = dict(best[2])


def _opens(flat: str) -> bool:
    """A date that opens a giving sentence says from when it is given (从…起, …至…，对…)."""
    return bool(re.match(r"^.{0,16}?(?:[自从]?\d{4}年\d{1,2}月)", flat)) or bool(
        re.search(r"[自从]\d{4}年\d{1,2}月.{0,24}(?:起|至)", flat)
    )


def _rank(flat: str, timed: bool, found: dict[str, Any]) -> float:
    if _VALID.search(flat) and not _APPLIES.search(flat) and not timed:
        return -1.0
    return (
        (2.0 if timed else 0.0)
        + (1.0 if _APPLIES.search(flat) else 0.0)
        + (0.5 if re.search(r"系统|网上|企业", flat) else 0.0)
        + (0.3 if "from" in found and "to" in found else 0.0)
        - (2.0 if _HARVEST.search(flat) else 0.0)
    )


def _year(reading: Reading, issued: str | None) -> int | None:
    """The year that a day without one belongs to: that of the call's title, else of its date."""
    for v in reading.views[:6]:
        if m := re.search(r"(20\d{2})年(?!\d)", v.flat):
            return int(m[1])
    return int(issued[:4]) if issued else None
