"""导出各页: lists, the notice, the ledger and one match's evidence, each with the night and versions it came from."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response

from desk.exports import Paper, comma_separated, workbook
from desk.listing import list_page
from desk.office import CODE
from desk.pages.fulfil import cases_of
from desk.pages.match import material
from desk.pages.matches import filters_of, my_firms, opened, table_rows
from desk.publicity import NOTE, masks, public_code, public_name
from desk.web import Visit, need
from engine.program import BoundItem
from store import audit, review
from store.database import writing
from store.nights import Night

router = APIRouter()
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
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


def whole_list(request: Request, visit: Visit, item: str) -> tuple[Night, BoundItem | None, list[list[Any]]]:
    """筛出的整份名单, not only its page."""
    office, filters = visit.office, filters_of(request)
    night, bound = opened(office, visit, item, filters.run)
    if bound is None:
        return night, None, []
    states = office.states(night, item, bound.batch.name)
    hits = office.hits(night, item)
    first = list_page(hits, bound.ids, states, my_firms(office, visit), filters)
    ordered = hits.set_index(CODE, drop=False).loc[first.order] if first.order else hits.iloc[:0]
    rows = []
    for r in table_rows(ordered, bound, states):
        low, high = (None if v is None else v / 1e4 for v in (r["low"], r["high"]))
        why = r["why"] + (f"（另 {r['more']} 条）" if r["more"] else "")
        count = r["marks"].count("待核实")
        rows.append(
            [
                r["name"],
                r["code"],
                r["verdict"],
                low,
                high,
                why,
                count,
                r["industry"],
                r["state"],
                r["change"],
            ]
        )
    return night, bound, rows


@router.get("/desk/items/{doc}/{slug}/matches.xlsx")
def list_excel(request: Request, doc: str, slug: str, visit: Visit = need("export")) -> Response:
    """名单 Excel."""
    night, bound, rows = whole_list(request, visit, f"{doc}/{slug}")
    title = bound.program.item.title if bound else slug
    logged(visit, "导出名单", f"{doc}/{slug}", len(rows))
    return file_answer(
        workbook(f"{title} 匹配名单", notes_of(night, visit), HEAD, rows),
        f"{title}_名单_{night.as_of}.xlsx",
        EXCEL,
    )


@router.get("/desk/items/{doc}/{slug}/matches.csv")
def list_csv(request: Request, doc: str, slug: str, visit: Visit = need("export")) -> Response:
    """名单 CSV."""
    night, bound, rows = whole_list(request, visit, f"{doc}/{slug}")
    title = bound.program.item.title if bound else slug
    logged(visit, "导出名单", f"{doc}/{slug}", len(rows))
    return file_answer(
        comma_separated(notes_of(night, visit), HEAD, rows), f"{title}_名单_{night.as_of}.csv", "text/csv"
    )


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
    rows = []
    for r in cases_of(visit.office, visit):
        amount = None if r["amount"] is None else r["amount"] / 100
        rows.append([r["firm"], r["code"], r["title"], r["batch"], r["state"], r["holder"], amount, r["paid"] / 100,
                     r["due"].isoformat() if r["due"] else "", r["late"] if r["late"] and r["late"] > 0 else None])  # fmt: skip
    head = (
        "企业名称",
        "统一社会信用代码",
        "事项",
        "批次",
        "到哪一步",
        "轮到谁",
        "应付 元",
        "已付 元",
        "期限",
        "逾期 工作日",
    )
    logged(visit, "导出台账", "兑现台账", len(rows))
    night = visit.office.night()
    notes = notes_of(night, visit) if night else []
    return file_answer(
        workbook("兑现台账", notes, head, rows), f"兑现台账_{visit.office.today()}.xlsx", EXCEL
    )


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
    logged(visit, "导出依据", f"{code} × {doc}/{slug}", 1)
    return file_answer(
        evidence_paper(found), f"{found['name']}_{found['item'].title}_依据.pdf", "application/pdf"
    )


def evidence_paper(m: dict[str, Any]) -> bytes:
    """依据的纸本."""
    night: Night = m["night"]
    paper = Paper(
        f"第 {night.no} 次比对 {night.as_of} · 规则库 {night.run.library_hash[:12]} · 档案 {night.run.profiles_hash[:12]}"
    )
    paper.say(f"{m['name']} × {m['item'].title}（{m['batch'].name}年批次）", 15)
    paper.say(f"统一社会信用代码 {m['code']}", 9)
    paper.rule(True)
    counts = m["counts"]
    paper.say(
        f"结论：{m['match'].verdict}　{counts['符合']} 条符合，{counts['待核实']} 条待核实，{counts['不符合']} 条不符合",
        12,
    )
    if m["match"].verdict != "不符合":
        paper.say(f"金额：{m['amount']}", 12)
    paper.say(f"处理：{m['state'].word}", 10)
    paper.rule()
    for clause in m["law"]:
        for i, paragraph in enumerate(clause["paragraphs"]):
            head = f"{clause['heading'] or clause['label']}　" if i == 0 else ""
            paper.say(head + "".join(x["text"] for x in paragraph), 10, song=True)
    paper.rule(True)
    for r in sorted(m["rows"], key=lambda r: r.n):
        paper.say(f"{r.n}　{r.line.verdict}　{r.line.gap}", 10, gap=0.2)
        paper.say(f"{r.quote}（{r.cite}）", 9.5, song=True, indent=6, gap=0.2)
        paper.say(
            f"判法：{r.line.rule}　数据：{r.line.value}　来源：{r.line.source} {r.line.day}", 8.5, indent=6
        )
        for part in r.parts:
            paper.say(
                f"{part.verdict}　{part.rule}　{part.value}　{part.source} {part.day}　{part.gap}",
                8,
                indent=12,
                gap=0.2,
            )
        for _ask, question in r.questions:
            paper.say(f"{question}　□ 是　□ 否", 9, indent=6)
    paper.rule()
    for what, how, cite, _quote in m["lines"]:
        paper.say(f"{what}：{how}　{cite}", 9)
    paper.rule()
    for e in m["line"][:12]:
        local = e["at"].strftime("%Y-%m-%d")
        paper.say(f"{local}　{e['who']}　{e['head']}　{e['words']}", 8.5, gap=0.3)
    paper.rule(True)
    paper.say("经办：　　　　　　　　　　复核：　　　　　　　　　　日期：", 11)
    return paper.done()
