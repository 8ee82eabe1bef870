"""导出各页: lists, the notice, the ledger and one match's evidence, each with the night and versions it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response, StreamingResponse

from desk.exports import MOST_ROWS, Paper, book_parts, comma_parts, workbook
from desk.listing import list_page, order_words
from desk.office import CODE, NAME
from desk.pages.fulfil import LEDGER_HEAD, ledger_rows, load_of
from desk.pages.match import material
from desk.pages.matches import filters_of, first_unknown, my_firms, opened
from desk.publicity import NOTE, masks, public_code, public_name
from desk.said import money_words
from desk.web import Visit, need
from engine.program import BoundItem
from store import audit, caseload, review
from store.database import writing
from store.nights import Night

router = APIRouter()
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PORTION = 5000
NOT_IN_NAMES = str.maketrans('/\\:*?"<>|', "／＼：＊？＂＜＞｜")  # what a file's name cannot hold
HEAD = (
    "企业名称",
    "统一社会信用代码",
    "结论",
    "金额下限 万元",
    "金额上限 万元",
    "还差什么",
    "待核实条数",
    "行业",
    "处理",
    "昨夜变化",
)


def file_answer(data: bytes, name: str, kind: str) -> Response:
    return Response(
        data, media_type=kind, headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    )


def notes_of(night: Night, visit: Visit) -> list[str]:
    """从哪来: night and versions."""
    run = night.run
    return [
        f"第 {night.no} 次比对（{night.as_of.isoformat()}）　规则库 {run.library_hash[:16]}　企业档案 {run.profiles_hash[:16]}　"
        f"答复 {run.answers_hash[:16]}",
        f"{visit.person.name} 于 {visit.office.today().isoformat()} 导出",
    ]


def logged(visit: Visit, what: str, subject: str, count: int) -> None:
    """记导出: whoever takes data out is on record."""
    with writing(visit.office.engine) as opened_:
        audit.record(opened_, visit.who, what, subject, {"行数": count}, visit.office.now())


def streamed(parts: Iterator[bytes], name: str, count: int) -> Response:
    """边写边发的 Excel: a list of any length begins to arrive at once. Raises HTTPException for one that no sheet holds."""
    if count > MOST_ROWS:
        raise HTTPException(409, f"{count:,} 行放不进一张 Excel 表，请先筛选，或者用 CSV")
    head = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return StreamingResponse(parts, media_type=EXCEL, headers=head)


def whole_list(
    request: Request, visit: Visit, item: str
) -> tuple[Night, str, list[str], int, Iterator[list[list[Any]]]]:
    """筛出的整份名单, not only its page: night, the item's title, notes, how many rows, and the rows in portions."""
    office, filters = visit.office, filters_of(request)
    night, bound = opened(office, visit, item, filters.run)
    if bound is None:
        return night, item.split("/")[1], notes_of(night, visit), 0, iter(())
    states = office.states(night, item, bound.batch.name)
    hits = office.hits(night, item)
    order = list_page(hits, bound.ids, states, my_firms(office, visit), filters).order
    notes = [*notes_of(night, visit), f"次序：{order_words(hits, filters.sort)}；次序不影响结论"]
    return night, bound.program.item.title, notes, len(order), list_rows(hits, order, bound, states)


COLUMNS = (NAME, CODE, "verdict", "paid_low", "paid_high", "unknown", "industry", "change")


def list_rows(
    hits: pd.DataFrame, order: np.ndarray, bound: BoundItem, states: dict[str, review.State]
) -> Iterator[list[list[Any]]]:
    """名单的行 as HEAD names them, in portions."""
    words = unknown_words(bound)
    for start in range(0, len(order), PORTION):
        part = hits[list(COLUMNS)].iloc[order[start : start + PORTION]]
        rows = []
        for name, code, verdict, low, high, unknown, industry, change in zip(
            *(part[c].tolist() for c in COLUMNS), strict=True
        ):
            state = states[code].word if code in states else "待处理"
            money = (None if v is None or v != v else v / 1e4 for v in (low, high))
            why, count = words(unknown), len(unknown)
            known = name if isinstance(name, str) and name else code
            rows.append([known, code, verdict, *money, why, count, industry, state, change])
        yield rows


def unknown_words(bound: BoundItem) -> Callable[[Any], str]:
    """还差什么: the first unknown condition in words, and how many more; each combination is put in words once."""
    place = {name: i for i, name in enumerate(bound.ids)}
    said: dict[tuple[str, ...], str] = {}

    def words(unknown: Any) -> str:
        key = tuple(unknown)
        if key not in said:
            at = sorted(place[u] for u in key)
            more = f"（另 {len(at) - 1} 条）" if len(at) > 1 else ""
            said[key] = first_unknown(bound, at[0]) + more if at else ""
        return said[key]

    return words


@router.get("/desk/items/{doc}/{slug}/matches.xlsx")
def list_excel(request: Request, doc: str, slug: str, visit: Visit = need("export")) -> Response:
    """名单 Excel."""
    night, title, notes, count, rows = whole_list(request, visit, f"{doc}/{slug}")
    logged(visit, "导出名单", f"{doc}/{slug}", count)
    parts = book_parts(f"{title} 匹配名单", notes, HEAD, rows, count)
    return streamed(parts, f"{title}_名单_{night.as_of}.xlsx", count)


@router.get("/desk/items/{doc}/{slug}/matches.csv")
def list_csv(request: Request, doc: str, slug: str, visit: Visit = need("export")) -> Response:
    """名单 CSV."""
    night, title, notes, count, rows = whole_list(request, visit, f"{doc}/{slug}")
    logged(visit, "导出名单", f"{doc}/{slug}", count)
    head = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'{title}_名单_{night.as_of}.csv')}"}
    parts = comma_parts(notes, HEAD, rows)
    return StreamingResponse(parts, media_type="text/csv", headers=head)


@router.get("/desk/items/{doc}/{slug}/notice.xlsx")
def notice(request: Request, doc: str, slug: str, visit: Visit = need("export")) -> Response:
    """公示名单: those approved, with the sum and the policy it rests on."""
    item, office = f"{doc}/{slug}", visit.office
    night, bound = opened(office, visit, item)
    rows: list[list[Any]] = []
    if bound is not None:
        basis = f"{bound.program.document.title} {bound.program.document.number}"
        states = office.states(night, item, bound.batch.name)
        passed = [(code, s.decision) for code, s in states.items() if s.word == "已通过" and s.decision]
        mask = masks(office.engine)
        for n, (code, d) in enumerate(sorted(passed), 1):
            name = public_name(code, office.name(night, code), mask)
            rows.append([n, name, public_code(code, mask), bound.program.item.title, _wan(d), basis])
    logged(visit, "导出公示名单", item, len(rows))
    title = bound.program.item.title if bound else slug
    head = ("序号", "企业名称", "统一社会信用代码", "事项", "拟兑现 万元", "政策依据")
    notes = notes_of(night, visit) + ([NOTE] if any("…" in str(r[2]) for r in rows) else [])
    return file_answer(workbook(f"{title} 公示名单", notes, head, rows), f"{title}_公示名单.xlsx", EXCEL)


def _wan(decision: review.ReviewDecision) -> float | None:
    return None if decision.low is None else decision.low / 1e6


@router.get("/desk/fulfil.xlsx")
def ledger_excel(request: Request, visit: Visit = need("export")) -> Response:
    """兑现台账 Excel."""
    office, load = visit.office, load_of(visit.office, visit)
    count = caseload.how_many(office.engine, load)
    logged(visit, "导出台账", "兑现台账", count)
    night = office.night()
    notes = notes_of(night, visit) if night else []
    parts = book_parts("兑现台账", notes, LEDGER_HEAD, ledger_rows(office, load), count)
    return streamed(parts, f"兑现台账_{office.today()}.xlsx", count)


@router.get("/desk/items.xlsx")
def items_excel(request: Request, visit: Visit = need("export")) -> Response:
    """事项清单 Excel."""
    from policies.items import FIELDS, item_list
    from store.calendars import office_calendar

    office = visit.office
    night = office.night()
    found = item_list(office.library(night), office.today(), office_calendar(office.engine)) if night else []
    titles = {p.item.id: p.item.department for p in office.library(night).programs} if night else {}
    kept = [r for r in found if visit.person.department in ("", titles.get(r.item, ""))]
    rows = [[r.item, *(r.fields[f] for f in FIELDS), r.clock] for r in kept]
    logged(visit, "导出事项清单", "事项清单", len(rows))
    data = workbook(
        "惠企政策事项清单", notes_of(night, visit) if night else [], ("事项编号", *FIELDS, "时限"), rows
    )
    return file_answer(data, f"事项清单_{office.today()}.xlsx", EXCEL)


@router.get("/desk/matches/{code}/{doc}/{slug}/evidence.pdf")
def evidence_pdf(request: Request, code: str, doc: str, slug: str, visit: Visit = need("export")) -> Response:
    """一条依据 PDF: conclusion, the policy's words, evidence, money, signatures, versions."""
    found = material(request, visit, code, f"{doc}/{slug}")
    about = found["about"] if len(found["details"]) > 1 else ""
    logged(visit, "导出依据", f"{code} × {doc}/{slug}" + (f" × {about}" if about else ""), 1)
    named = "_".join(w for w in (found["name"], found["item"].title, about) if w).translate(NOT_IN_NAMES)
    return file_answer(evidence_paper(found), f"{named}_依据.pdf", "application/pdf")


def evidence_paper(m: dict[str, Any]) -> bytes:
    """依据的纸本."""
    night: Night = m["night"]
    paper = Paper(
        f"第 {night.no} 次比对 {night.as_of} · 规则库 {night.run.library_hash[:12]} · 档案 {night.run.profiles_hash[:12]}"
    )
    _conclusion(paper, m)
    paper.rule()
    for clause in m["law"]:
        for i, paragraph in enumerate(clause["paragraphs"]):
            head = f"{clause['heading'] or clause['label']}　" if i == 0 else ""
            paper.say(head + "".join(x["text"] for x in paragraph), 10, song=True)
    paper.rule(True)
    for r in sorted(m["rows"], key=lambda r: r.n):
        _condition(paper, r)
    paper.rule()
    for what, how, cite, _quote in m["lines"]:
        paper.say(f"{what}：{how}　{cite}", 9)
    for words in m["shown"].working:
        paper.say(words, 8.5, indent=6, gap=0.4)
    _each_row(paper, m)
    paper.rule()
    for e in m["line"][:12]:
        local = e["at"].strftime("%Y-%m-%d")
        paper.say(f"{local}　{e['who']}　{e['head']}　{e['words']}", 8.5, gap=0.3)
    paper.rule(True)
    paper.say("经办：　　　　　　　　　　复核：　　　　　　　　　　日期：", 11)
    return paper.done()


def _conclusion(paper: Paper, m: dict[str, Any]) -> None:
    """结论: whose evidence it is (one project of several, where it is that one's), verdict, money and state."""
    item, verdict, counts = m["item"], m["shown"].verdict, m["counts"]
    paper.say(f"{m['name']} × {item.title}（{m['batch'].name}年批次）", 15)
    paper.say(f"统一社会信用代码 {m['code']}", 9)
    if m["about"]:
        several = f"（共 {len(m['details'])} 个）" if len(m["details"]) > 1 else ""
        paper.say(f"{item.subject}：{m['about']}{several}", 12)
    paper.rule(True)
    counted = "，".join(f"{counts[v]} 条{v}" for v in ("符合", "待核实", "不符合"))
    paper.say(f"结论：{verdict}　{counted}", 12)
    if verdict != "不符合" and item.benefit is not None:
        paper.say(f"金额：{m['amount']}", 12)
    if m["about"] != m["own"]:
        paper.say(f"整家企业的结论由“{m['own']}”定：{m['match'].verdict}", 10)
    paper.say(f"处理：{m['state'].word}", 10)


def _condition(paper: Paper, r: Any) -> None:
    """一条条件: verdict and gap, the policy's words, how it is judged on which value, and what a person has to answer."""
    paper.say(f"{r.n}　{r.line.verdict}　{r.line.gap}", 10, gap=0.2)
    paper.say(f"{r.quote}（{r.cite}）", 9.5, song=True, indent=6, gap=0.2)
    paper.say(f"判法：{r.line.rule}　数据：{r.line.value}　来源：{r.line.source} {r.line.day}", 8.5, indent=6)
    for part in r.parts:
        words = f"{part.verdict}　{part.rule}　{part.value}　{part.source} {part.day}　{part.gap}"
        paper.say(words, 8, indent=12, gap=0.2)
    for _ask, question in r.questions:
        paper.say(f"{question}　□ 是　□ 否", 9, indent=6)


def _each_row(paper: Paper, m: dict[str, Any]) -> None:
    """逐个: how each of the firm's projects or persons stands, where it has several."""
    if len(m["details"]) < 2:
        return
    paper.rule()
    paper.say(f"这家企业的{m['item'].subject}，共 {len(m['details'])} 个：", 10)
    for d in m["details"]:
        money = "" if d.verdict == "不符合" else money_words(d.low, d.high)
        here = "（本页）" if d.id == m["about"] else ""
        paper.say(f"{d.id}{here}　{d.verdict}　{money}", 9, indent=6, gap=0.2)
