"""今日: what must be done first, what changed last night and why, what is held back, what is worth asking for."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from desk.asking import by_department
from desk.evidence import source_title
from desk.finding import find_firms, find_items
from desk.moves import moves, of_firms
from desk.office import Office
from desk.pages.fulfil import books, load_of
from desk.pages.matches import item_rows, my_firms
from desk.said import short_label, until_words, whole_label
from desk.turn import bounced, clock_of, tasks, urgent
from desk.urls import url
from desk.web import Visit, need, render
from engine.nodes import references
from engine.program import BoundItem, tree_expressions
from store import batches, caseload, drafts, outbox, payments, review
from store.accounts import Person
from store.calendars import office_calendar
from store.nights import Night

router = APIRouter()
GROUPS, SHOWN = 12, 8
ROOM = 30  # characters of a condition that its column takes


@router.get("/desk/today")
def today(request: Request, visit: Visit = need("today")) -> Response:
    """今日."""
    office, night = visit.office, visit.office.night()
    newest = office.newest()
    held = newest if newest is not None and newest.state == "扣下" else None
    if night is None:
        return render(request, "no_night.html", active="today")
    rows = item_rows(office, night, visit)
    groups = sorted((g for r in rows if r["todo"] for g in [_group(office, night, r)]), key=_urgency)
    context = {
        "night": night, "held": held, "groups": groups[:GROUPS], "all_groups": len(groups), "rows": rows,
        "changes": moves(office, night, visit.person), "missing": worth_asking(office, night, visit.person), "clocks": clocks(office, visit),
        "turn": turn(office, visit), "to_sign": to_sign(office, visit), "money": money(office, visit), "arrivals": arrivals(office), "policies": policy_work(office, visit),
        "second": sum(d.who != visit.who for d in review.waiting_second(office.engine)) if visit.may("second") else 0,
        "mine": of_firms(office, night, visit.person, my_firms(office, visit)), "first": groups[0]["href"] if groups else None,
        "totals": {k: sum(r[k] for r in rows) for k in ("fits", "open", "new", "gone")}, "firms": len(night.columns().codes),
        **(pushes_of(office, night, visit) if visit.may("push") else {"pushes": {}}),
        "askable": {d for d, _ in by_department(office, night)} if visit.may("export") else set(),
        "handed": handed(office, night, visit), "held_words": held_words(office, held) if held else [],
    }  # fmt: skip
    return render(request, "today.html", **context)


def pushes_of(office: Office, night: Night, visit: Visit) -> dict[str, Any]:
    """推送 by state, of the items the visitor may see: what goes out next, what is held back, what bounced."""
    mine = list(office.items(night, visit.person)["item"]) if visit.person.department else None
    out = dict.fromkeys(("due", "suppressed", "dead"), 0)
    told = outbox.counts(office.engine, mine)
    for (_channel, state), n in told.items():
        if state in out:
            out[state] += n
    return {"pushes": out, "unopened": outbox.unopened_words(told)}


def held_words(office: Office, held: Night) -> list[tuple[str, str]]:
    """为什么被拦下: what jumped, with the item's title and address in place of its number."""
    titles = {r["item"]: r["title"] for r in office.items(held).to_dict("records")}
    out = []
    for words in held.run.held_because.split("；"):
        name = next((i for i in titles if words.startswith(i + " ")), "")
        out.append((titles.get(name, ""), words.removeprefix(name).strip() if name else words))
    return out


def handed(office: Office, night: Night, visit: Visit) -> list[dict[str, Any]]:
    """转给我的, not settled yet."""
    states = review.states(review.history(office.engine), {}, office.today())
    mine = [(k, s) for k, s in states.items() if s.officer == visit.who and s.word in ("待处理", "被退回")]
    titles = {r["item"]: r["title"] for r in office.items(night, visit.person).to_dict("records")}
    return [
        {
            "name": office.name(night, code) or code,
            "title": titles[item],
            "href": url("match", code=code, item=item),
        }
        for (item, _batch, code), _state in mine
        if item in titles
    ]


def _group(office: Office, night: Night, row: dict[str, Any]) -> dict[str, Any]:
    """等处理的一组: an item with the commonest reason and its window."""
    seen = reasons(office, night, row["id"])
    batch = office.bound(night, row["id"])
    left = (batch.batch.closes - office.today()).days if batch else 999
    todo = "审名单" if row["fits"] >= row["open"] else "定待核实"
    return {
        "id": row["id"], "title": row["title"], "todo": todo, "count": row["todo"], "low": row["low"], "high": row["high"],
        "reason": seen[0][0] if seen and row["open"] else "符合，等您过目", "left": left,
        "window": until_words(batch.batch, office.today()) if batch else "", "new": row["new"],
        "href": url("list", item=row["id"]),
    }  # fmt: skip


def _urgency(group: dict[str, Any]) -> tuple[int, float]:
    return (group["left"] if group["left"] <= 14 else 15, -group["high"])


def reasons(office: Office, night: Night, item: str) -> list[tuple[str, int]]:
    """待核实的原因, the commonest first: which condition, what kind."""

    def make() -> list[tuple[str, int]]:
        bound, hits = office.bound(night, item), office.hits(night, item)
        if bound is None or not len(hits):
            return []
        labels = {c.id: short_label(c.condition) for c in bound.program.conditions}
        asks = {c.id for c in bound.program.conditions if any(x.kind == "ask" for x in c.condition.leaves())}
        count = Counter(u for row in hits["unknown"] for u in row)
        return [(f"{labels[k]}：{'人工判断' if k in asks else '缺数据'}", n) for k, n in count.most_common(3)]

    return office.memory.get(("reasons", night.no, item), make)


def worth_asking(office: Office, night: Night, person: Person | None) -> list[dict[str, Any]]:
    """先问什么最值: pairs and expected yuan that hang on one missing condition alone."""

    def make() -> list[dict[str, Any]]:
        found: dict[tuple[str, str], list[float]] = {}
        short: dict[str, str] = {}
        for item in office.items(night, person)["item"]:
            bound, hits = office.bound(night, item), office.hits(night, item)
            if bound is None or not len(hits):
                continue
            labels = {c.id: c.condition for c in bound.program.conditions}
            alone = hits[(hits["open_count"] == 1) & ~hits["only_ask"]]
            for name, part in alone.groupby(alone["unknown"].str[0]):
                owner = _owner(office, night, bound, str(name))
                whole = whole_label(labels[str(name)])
                short[whole] = short_label(labels[str(name)], ROOM)
                slot = found.setdefault((whole, owner), [0.0, 0.0])
                slot[0] += len(part)
                slot[1] += float(part["expected"].sum())
        rows: list[dict[str, Any]] = [
            {"what": short[w], "whole": w, "owner": o, "count": int(v[0]), "yuan": v[1]}
            for (w, o), v in found.items()
        ]
        return sorted(rows, key=lambda r: (-r["yuan"], -r["count"]))[:6]

    return office.memory.get(("asking", night.no, person.department if person else ""), make)


def _owner(office: Office, night: Night, bound: BoundItem, condition: str) -> str:
    """归口部门 of what a condition reads."""
    dictionary = office.library(night).dictionary
    tree = bound.conditions[bound.ids.index(condition)]
    names = [name for expr in tree_expressions(tree) for name, _ in references(expr)]
    return next((dictionary[n].department or dictionary[n].source for n in names if n in dictionary), "")


def clocks(office: Office, visit: Visit) -> list[dict[str, Any]]:
    """时限: grants whose day is near or past, of those the visitor may see, those first that wait for the visitor."""
    calendar, day = office_calendar(office.engine), office.today()
    load, out = load_of(office, visit), []
    for case in urgent(office, load, SHOWN):
        clock = clock_of(case, day, calendar)
        if clock is not None:
            used, limit = clock
            out.append({
                "state": case.state, "what": case.firm or case.code, "title": case.title, "id": case.id,
                "limit": limit, "used": used, "mine": case.holder in load.turns,
            })  # fmt: skip
    return out


def turn(office: Office, visit: Visit) -> dict[str, Any]:
    """轮到我的兑现: the steps that wait for the visitor, what a bank sent back, and for finance where its books differ."""
    load = load_of(office, visit)
    if not visit.may("fulfil.act") or not load.turns:
        return {"on": False}
    finance = bool({"财政", "管理员"} & set(visit.person.roles))
    return {
        "on": True, "tasks": tasks(office, load), "bounced": bounced(office, load), "finance": finance,
        "findings": len(books(office)[0]) if finance else 0, "newest": payments.newest_file(office.engine) if finance else None,
    }  # fmt: skip


def to_sign(office: Office, visit: Visit) -> int:
    """等我签发的规则: drafts that somebody else handed in."""
    if not visit.may("sign"):
        return 0
    return sum(d.author != visit.who for d in drafts.drafts(office.engine, states=(drafts.SUBMITTED,)))


def money(office: Office, visit: Visit) -> list[tuple[str, float, int]]:
    """本年资金 in yuan, by where it stands."""
    year, department = office.today().year, visit.person.department
    key = ("money", year, department, caseload.version(office.engine))
    found = office.memory.get(key, lambda: caseload.money_of_year(office.engine, year, department))
    return [(words, fen / 100, count) for words, fen, count in found]


def arrivals(office: Office) -> list[dict[str, Any]]:
    """数据来源 that want a look: rejected rows, held batches."""
    seen: set[str] = set()
    out = []
    for b in batches.batches(office.engine, limit=120):
        if (
            b.source in seen or b.taken_back_at is not None
        ):  # what was taken back says nothing of what stands now
            continue
        seen.add(b.source)
        if b.rejected or b.to_confirm or b.state != "落库":
            words = "，".join(
                w
                for w in (
                    f"退 {b.rejected} 行" if b.rejected else "",
                    f"{b.to_confirm} 行等认领" if b.to_confirm else "",
                )
                if w
            )
            out.append(
                {
                    "source": b.source,
                    "title": source_title(b.source, ""),
                    "id": b.id,
                    "tag": "暂扣" if b.state == "暂扣" else "",
                    "words": words or b.note,
                }
            )
    return out[:SHOWN]


def policy_work(office: Office, visit: Visit) -> list[tuple[str, str, str]]:
    """政策: drafts waiting and documents under review."""
    out = [
        (d.item, url("draft", draft=d.id), f"规则{d.state}，{d.author} 起草")
        for d in drafts.drafts(office.engine, states=(drafts.DRAFT, drafts.SUBMITTED))
    ]
    open_ones = [d for d in drafts.decompositions(office.engine) if d.state == drafts.DRAFT]
    return out + [(d.title, url("decomposition", number=d.id), "分解待校对") for d in open_ones]


@router.get("/desk/search")
def search(request: Request, q: str = "", visit: Visit = need("firms")) -> HTMLResponse:
    """查找: a firm by name, part of a name, former name or code; an item by any word of it."""
    office, night = visit.office, visit.office.night()
    text = q.strip()[:60]
    firms = find_firms(office, night, text) if night and text else []
    items = find_items(office, night, text, visit) if night and text else []
    return render(request, "search.html", q=text, firms=firms, items=items)
