"""政策: documents in the library; importing one through the decomposer and going through its proposals."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from desk.office import Office
from desk.urls import url
from desk.web import Posted, Visit, need, plain_name, posted, render, see
from policies.decompose.kept import restored
from policies.decompose.learn import keep_correction
from policies.decompose.model import Decomposition
from policies.decompose.own import office_memory
from policies.decompose.pipeline import decompose
from policies.decompose.reach import ASIDE, UNSURE
from policies.decompose.roles import ROLE_WORDS
from policies.drafts import draft as draft_files
from policies.drafts import proposer_of, write_draft
from policies.items import clock_of
from policies.read import read_document
from profiles.dictionary import library_dictionary
from profiles.tables import division_codes, industry_codes
from store import accounts, drafts
from store.calendars import office_calendar

router = APIRouter()
MOST_BYTES = 20 << 20
KINDS = (("conditions", "条件"), ("benefits", "奖补"), ("exclusions", "除外"), ("materials", "材料"))


KIND_WORDS = {
    "status": "身份或资格", "place": "地点", "time": "时间", "numeric": "数值", "credit": "信用", "other": "其他", "rate": "按比例",
    "fixed": "定额", "tiered": "分档", "upto": "最高", "range": "范围", "unit": "单价", "industry": "行业", "vague": "没有定义",
    "event": "事件", "manual": "人工判断", "cap": "最高", "per_unit": "每一单位", "waiver": "减免",
}  # fmt: skip


@router.get("/desk/policies")
def policy_index(request: Request, visit: Visit = need("items")) -> Response:
    """政策: what is in force, what is under review, clocks."""
    office, night = visit.office, visit.office.night()
    if night is None:
        return render(request, "no_night.html", active="policies")
    calendar, today = office_calendar(office.engine), office.today()
    rows: list[dict[str, Any]] = []
    for loaded in office.library(night).documents.values():
        clocks = [
            c for held in loaded.items if (c := clock_of(loaded.document, held.item, today, calendar)[0])
        ]
        rows.append(
            {
                "document": loaded.document,
                "items": [h.item for h in loaded.items],
                "clock": clocks[0] if clocks else "",
            }
        )
    rows.sort(key=lambda r: r["document"].issued or today, reverse=True)
    return render(
        request, "policies.html", rows=rows, waiting=drafts.decompositions(office.engine), today=today
    )


@router.post("/desk/policies")
async def import_document(request: Request, given: Posted = posted("edit")) -> Response:
    """导入一份政策: read and decomposed; what the machine proposes waits for people."""
    upload, number = given.form.get("file"), given.text("document").lower()
    if not isinstance(upload, UploadFile) or not upload.filename:
        return see(url("policies", told="没有导入：请选一份文件"))
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{1,40}", number):
        return see(url("policies", told="没有导入：文件编号要用小写字母、数字和连字符，例如 bs-2026-02"))
    data = await upload.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        return see(url("policies", told="没有导入：文件超过 20 MB"))
    try:
        made = await run_in_threadpool(
            take_in, given.visit.office, given.visit.who, number, plain_name(upload.filename), data
        )
    except (ValueError, OSError) as error:
        return see(url("policies", told=f"没有导入：{error}"))
    return see(url("decomposition", number=made.id))


def take_in(office: Office, who: str, number: str, name: str, data: bytes) -> drafts.Decomposition:
    """读一份文件 and begin its review. Raises ValueError for a number that is taken or a file that cannot be read."""
    if (office.library_root / number).exists():
        raise ValueError(f"政策库里已有 {number}；修订的文件请另起编号")
    with tempfile.TemporaryDirectory(prefix="huiqi-read-") as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        text = read_document(path)
    found = decompose(text, memory=office_memory(office.home))
    title = next((line.strip("# 　") for line in text.splitlines() if line.strip()), number)[:300]
    return drafts.begin_decomposition(
        office.engine, number, title, name, {"text": text, **found.as_json()}, who, office.now()
    )


def of_number(visit: Visit, number: int) -> drafts.Decomposition:
    made = drafts.decomposition(visit.office.engine, number) if 0 < number < 2**62 else None
    if made is None:
        raise HTTPException(404, "没有这份分解")
    return made


OWNERLESS = "不知是哪一项的（采纳就约束全部事项）"


def proposals(made: drafts.Decomposition) -> list[dict[str, Any]]:
    """提议, the least certain first; settled ones at the end."""
    out = []
    for n, item in enumerate(made.draft["items"]):
        out.append(
            {
                "key": f"{n}",
                "kind": "事项",
                "quote": item["title"].strip("# "),
                "score": item["score"],
                "start": None,
                "item": item["title"].strip("# "),
                "why": f"{len(item['benefits'])} 处奖补，{len(item['conditions'])} 条条件",
            }
        )
        for field, words in KINDS:
            for k, entry in enumerate(item[field]):
                out.append(
                    {
                        "key": f"{n}.{field}.{k}",
                        "kind": words,
                        "quote": entry["quote"],
                        "score": entry.get("score", 0.5),
                        "start": entry.get("start"),
                        "item": item["title"].strip("# "),
                        "why": read_as(entry),
                    }
                )
    for field, words in KINDS[:3]:
        for k, entry in enumerate(made.draft["general"].get(field, [])):
            out.append({"key": f"g.{field}.{k}", "kind": f"总则{words}", "quote": entry["quote"], "score": entry.get("score", 0.5),
                        "start": entry.get("start"), "item": OWNERLESS if entry.get("scope") == ASIDE else "全部事项", "why": read_as(entry)})  # fmt: skip
    for p in out:
        p["mark"] = made.marks.get(p["key"])
        p["quote"] = (p["mark"] or {}).get("quote") or p["quote"]
        p["can_ask"] = ".conditions." in p["key"]
    return sorted(out, key=lambda p: (p["mark"] is not None, p["score"]))


def read_as(entry: dict[str, Any]) -> str:
    """机器读成什么."""
    if "op" in entry:
        return f"{entry.get('field', '')} {entry['op']} {entry.get('value')}{entry.get('unit', '')}"
    parts = {
        "rate": "比例",
        "base": "按",
        "cap": "封顶",
        "amount": "金额",
        "low": "下限",
        "high": "上限",
        "period": "期间",
        "kind": "类型",
    }
    said = {k: KIND_WORDS.get(str(v), str(v)) if k == "kind" else v for k, v in entry.items()}
    return "，".join(f"{w} {said[k]}" for k, w in parts.items() if said.get(k) is not None)


@router.get("/desk/policies/{number}/decompose")
def decompose_page(request: Request, number: int, visit: Visit = need("items")) -> HTMLResponse:
    """分解校对."""
    made = of_number(visit, number)
    rows = proposals(made)
    said = readings(visit.office, made)
    for n, row in enumerate(rows, 1):
        row["n"], row["says"] = n, said.get(row["key"], "")
    text = made.draft["text"]
    clauses = []
    for c in made.draft["clauses"]:
        marks = [p for p in rows if p["start"] is not None and c["start"] <= p["start"] < c["end"]]
        role = ROLE_WORDS.get(c["roles"][0], c["roles"][0]) if c["roles"] else "？"
        clauses.append(
            {
                "role": role,
                "unsure": c["score"] < 0.6,
                "pieces": _bare(_cut(text[c["start"] : c["end"]], c["start"], marks)),
            }
        )
    done = sum(p["mark"] is not None for p in rows)
    own = made.by == visit.who or any(m.get("who") == visit.who for m in made.marks.values())
    names = {p.login: p.name for p in accounts.people(visit.office.engine)}
    return render(
        request, "decompose.html", made=made, rows=rows, clauses=clauses, done=done, own=own, names=names
    )


def _bare(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """去掉标题记号 at the beginning of a clause."""
    if found and found[0]["p"] is None:
        found[0]["text"] = found[0]["text"].lstrip("# ")
    return found


def _cut(text: str, start: int, marks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """一款拆开: plain text and the quotes of proposals; a quote inside another one is left to the longer."""
    out: list[dict[str, Any]] = []
    at = 0
    for p in sorted(marks, key=lambda p: (p["start"], -len(p["quote"]))):
        a, b = p["start"] - start, p["start"] - start + len(p["quote"])
        if a < at or b > len(text):
            continue
        out += [{"text": text[at:a], "p": None}, {"text": text[a:b], "p": p}]
        at = b
    return [*out, {"text": text[at:], "p": None}]


DOES = ("采纳", "不要", "改为人工判断", "改", "重定")


def mark_of(made: drafts.Decomposition, key: str, do: str, quote: str) -> dict[str, Any]:
    """一条提议定成什么. Raises DraftError for a proposal that is not there, or words that are not in the document."""
    found = next((p for p in proposals(made) if p["key"] == key), None)
    if found is None or do not in DOES:
        raise drafts.DraftError("没有这条提议")
    if do == "改为人工判断" and not found["can_ask"]:
        raise drafts.DraftError("只有条件能改为人工判断")
    if do != "改":
        return {"do": do}
    words = quote.strip()
    if not words:
        raise drafts.DraftError("改成什么是空的")
    if "." in key and words not in made.draft["text"]:
        raise drafts.DraftError("改后的话在原文里找不到，要和原文一字不差")
    return {"do": "改", "quote": words}


@router.post("/desk/policies/{number}/decompose")
def settle_proposal(request: Request, number: int, given: Posted = posted("edit")) -> Response:
    """定一条提议: 采纳, 改, 改为人工判断, 不要; or open it again."""
    made, office = of_number(given.visit, number), given.visit.office
    try:
        mark = mark_of(made, given.text("key"), given.text("do"), given.text("quote"))
        drafts.mark_proposal(office.engine, number, given.text("key"), mark, given.visit.who, office.now())
    except drafts.DraftError as error:
        return see(url("decomposition", number=number, told=f"没有保存：{error}"))
    return see(url("decomposition", number=number) + "#first")


@router.post("/desk/policies/{number}/sign")
def sign_document(request: Request, number: int, given: Posted = posted("sign")) -> Response:
    """签发: the kept proposals become drafts of rules in the library; a second person, after every proposal is settled."""
    visit, made = given.visit, of_number(given.visit, number)
    left = sum(p["mark"] is None for p in proposals(made))
    if left:
        return see(url("decomposition", number=number, told=f"还有 {left} 条提议没定，不能签发"))
    try:
        drafts.sign_decomposition(
            visit.office.engine, number, visit.who, visit.office.now(), lambda d: put(visit.office, d)
        )
    except (drafts.DraftError, ValueError, OSError) as error:
        return see(url("decomposition", number=number, told=f"没有签发：{error}"))
    return see(url("policies", told="签发了；规则是草稿，在事项里改好、另一位签发后才参加比对"))


def kept(made: drafts.Decomposition) -> Decomposition:
    """采纳的部分: the decomposition as people settled it: without what they dropped, with what they changed."""
    found = restored(made.draft["text"], made.draft)
    for n, item in enumerate(found.items):
        for field, _words in KINDS:
            setattr(item, field, _settled(made, f"{n}.{field}", getattr(item, field)))
        title = made.marks.get(str(n), {})
        item.title = title.get("quote", item.title) if title.get("do") == "改" else item.title
    found.conditions[:] = _settled(made, "g.conditions", found.conditions)
    found.exclusions[:] = _settled(made, "g.exclusions", found.exclusions)
    found.items[:] = [i for n, i in enumerate(found.items) if made.marks.get(str(n), {}).get("do") != "不要"]
    return found


def _settled(made: drafts.Decomposition, prefix: str, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    out = []
    for k, entry in enumerate(entries):
        mark = made.marks.get(f"{prefix}.{k}", {})
        if mark.get("do") == "不要":
            continue
        if mark.get("do") == "改为人工判断":
            entry = {**entry, "scope": UNSURE}
        elif mark.get("do") == "采纳":  # a person has said whom it binds
            entry = {key: value for key, value in entry.items() if key != "scope"}
        elif mark.get("do") == "改":
            quote = mark["quote"]
            near = made.draft["text"].find(quote, max(int(entry["start"]) - 400, 0))
            start = near if near >= 0 else made.draft["text"].find(quote)
            entry = {**entry, "quote": quote, "start": start, "end": start + len(quote)}
        out.append(entry)
    return out


def readings(office: Office, made: drafts.Decomposition) -> dict[str, str]:
    """写成的规则 by proposal: what a condition would become, `when:` or `ask:`."""

    def make() -> dict[str, str]:
        night, text = office.night(), made.draft["text"]
        places = places_of(office.library(night).sets if night else {})
        known = library_dictionary(office.library_root)
        proposer = proposer_of(
            restored(text, made.draft), made.file, known, places, industry_codes(), division_codes()
        )
        out = {}
        for p in proposals(made):
            if p["can_ask"]:
                said = proposer.propose(p["quote"], text, text.find(p["quote"]))
                asked = (p["mark"] or {}).get("do") == "改为人工判断"
                out[p["key"]] = f"ask: {said.ask or p['quote']}" if asked else said.told
        return out

    changed = hash(tuple(sorted((k, m["do"], m.get("quote", "")) for k, m in made.marks.items())))
    return office.memory.get(("readings", made.id, changed), make)


def places_of(sets: Any) -> dict[str, str]:
    """地域词 the library knows, each with its code."""
    return {word: sets[word][0].rstrip("*") for word in ("本区", "本市", "本省") if sets.get(word)}


def put(office: Office, made: drafts.Decomposition) -> None:
    """写进政策库, as drafts. Raises DraftError where the folder has come to exist."""
    if (office.library_root / made.document).exists():
        raise drafts.DraftError(f"政策库里已有 {made.document}")
    night = office.night()
    sets = office.library(night).sets if night else {}
    found, known = kept(made), library_dictionary(office.library_root)
    files = draft_files(
        found,
        made.document,
        made.file,
        known,
        places_of(sets),
        office.today(),
        industry_codes(),
        division_codes(),
    )
    corrections = office.home / "corrections"
    keep_correction(corrections, made.document, made.draft["text"], found.as_json(), roles_read=False)
    write_draft(files, office.library_root)
