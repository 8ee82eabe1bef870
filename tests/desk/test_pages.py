"""各页: addresses that say everything, exports that are safe, drafts and decompositions, contacts."""

from __future__ import annotations

import io
import re
from urllib.parse import unquote_plus

import openpyxl
import pytest
from test_review import fitting

from analysis.looking import Scopes
from analysis.scores_money import usual_amount, worth
from desk import exports, web
from desk.evidence import clause_of, pieces
from desk.listing import read_filters
from desk.office import CODE
from desk.pages.matches import grid_columns
from desk.public import shown
from desk.ready import all_items
from desk.said import short_label
from desk.urls import url
from engine.errors import Place
from engine.policy import Clause, Condition
from store import audit, drafts

ITEM = "bs-2025-04/steady-growth"
EVIL = ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1"]


def test_unknown_keys_are_dropped_and_named():
    many = {"verdict": ["符合,胡说"], "page": ["0"], "foo": ["1"], "sort": ["-amount,没有"]}
    filters = read_filters({k: v[-1] for k, v in many.items()}, many)
    assert filters.verdict == ("符合",) and filters.page == 1 and filters.sort == "-change,-expected"
    assert set(filters.dropped) == {"foo", "verdict", "page", "sort"}


def test_an_address_leaves_defaults_out_and_keeps_its_order():
    assert (
        url("list", item="a/b", page=2, verdict=("符合",), q="")
        == "/desk/items/a/b/matches?verdict=%E7%AC%A6%E5%90%88&page=2"
    )
    many = {"verdict": ["符合"], "state": ["全部"], "page": ["3"]}
    filters = read_filters({k: v[-1] for k, v in many.items()}, many)
    again = filters.address()
    assert {k: v for k, v in again.items() if v} == {"verdict": ("符合",), "state": "全部", "page": 3}
    assert filters.but(q="甲")["page"] is None


def test_filters_keep_what_they_say(desk):
    item, codes = fitting(desk)
    client = desk.client("lin")
    page = client.get(f"/desk/items/{item}/matches?verdict=符合&q={codes[0]}").text
    assert codes[0] in page and "共 1 条" in page
    asked = client.get(f"/desk/items/{item}/matches?verdict=待核实").text
    assert codes[0] not in asked
    assert "没有用：foo" in client.get(f"/desk/items/{item}/matches?foo=1").text


def test_the_funnel_ends_where_the_list_begins(desk):
    office = desk.app.state.office
    night = office.night()
    for item in office.items(night)["item"]:
        bound = office.bound(night, item)
        if bound.program.item.subject == "企业":
            assert int(office.funnel(night, item)["remaining"].iloc[-1]) == len(office.hits(night, item)), (
                item
            )


def test_search_finds_by_part_of_a_name_by_code_and_by_a_word_of_the_policy(desk):
    office = desk.app.state.office
    night = office.night()
    code = next(c for c in night.columns().codes if len(office.name(night, c)) > 6)
    client = desk.client("lin")
    assert code in client.get("/desk/search", params={"q": office.name(night, code)[2:6]}).text
    assert code in client.get("/desk/search", params={"q": code.lower()}).text
    assert ITEM in client.get("/desk/search", params={"q": "稳增长"}).text


@pytest.mark.parametrize("text", EVIL)
def test_no_cell_becomes_a_formula(text):
    book = openpyxl.load_workbook(
        io.BytesIO(
            exports.workbook("题", [text], ["企业名称", "统一社会信用代码"], [[text, "91120118MA0725753R"]])
        )
    )
    sheet = book.active
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert sheet.cell(4, 1).value == text or sheet.cell(3, 1).value == text
    line = b"".join(exports.comma_parts([], ["甲"], [[[text]]])).decode("utf-8-sig").splitlines()[1]
    assert line.lstrip('"').startswith("'")


def test_a_list_is_exported_whole_with_its_versions(desk):
    item, _codes = fitting(desk)
    office = desk.app.state.office
    night = office.night()
    answer = desk.client("lin").get(f"/desk/items/{item}/matches.xlsx?verdict=符合")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    texts = [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert (
        sum(t in set(office.hits(night, item)["统一社会信用代码"]) for t in texts)
        == (office.hits(night, item)["verdict"] == "符合").sum()
    )
    assert any(night.run.library_hash[:16] in t for t in texts)
    assert sheet.freeze_panes is not None
    assert audit.entries(desk.engine, what="导出名单")[1] >= 1


def test_a_list_without_estimates_says_who_comes_first_and_keeps_to_it(desk):
    client, office = desk.client("admin"), desk.app.state.office
    night = office.night()
    seen = 0
    for item in office.items(night)["item"]:
        hits = office.hits(night, item)
        if not len(hits) or hits["score"].notna().any():
            continue
        page = client.get(f"/desk/items/{item}/matches?state=全部").text
        listed = re.findall(r"<tr data-row=.*?/desk/matches/(\w{18})/", page, re.S)
        assert "还差的条件少的" in page and "经营范围" in page
        low, high = (hits[name].to_numpy(float) for name in ("paid_low", "paid_high"))
        keys = hits.assign(
            still=hits["change"] == "", open=hits["verdict"] != "符合",
            money=worth(low, high, usual_amount(low, high)), near=nearness(office, night, item, hits),
        )  # fmt: skip
        wanted = keys.sort_values(
            ["still", "open", "open_count", "money", "near", CODE],
            ascending=[True, True, True, False, False, True],
        )
        assert listed == wanted[CODE].tolist()[:100], item
        text = client.get(f"/desk/items/{item}/matches.csv?state=全部").text
        assert "次序：昨夜有变化的在前；符合的在前" in text and "次序不影响结论" in text
        rows = [
            line.split(",")[1] for line in text.splitlines() if re.search(r",\w{18},(符合|待核实),", line)
        ]
        assert rows == wanted[CODE].tolist()
        seen += len(hits) > 100
    assert seen, "the sample must hold a list longer than a page"


def nearness(office, night, item, hits):
    scopes = Scopes(night.columns(), night.library().programs)
    return scopes.near(item, office.rows(night, hits[CODE]))


def test_a_page_of_a_list_is_no_heavier_than_the_design_allows(desk):
    office = desk.app.state.office
    night = office.night()
    rows = 0
    for item in office.items(night)["item"]:
        page = desk.client("admin").get(f"/desk/items/{item}/matches?state=全部")
        assert len(page.content) < 300_000, item
        rows = max(rows, page.text.count("<tr data-row="))
    assert rows == 100, "the sample must hold a full page"


def test_evidence_on_paper_is_a_pdf_with_text(desk):
    import pypdfium2

    item, codes = fitting(desk)
    answer = desk.client("lin").get(f"/desk/matches/{codes[0]}/{item}/evidence.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    pages = pypdfium2.PdfDocument(answer.content)
    text = "".join(page.get_textpage().get_text_range() for page in pages)
    assert codes[0] in text and "结论" in text


def test_quotes_are_marked_once_and_nothing_of_the_text_is_lost():
    text = "对有效期内的高新技术企业，上一年度研发费用在200万元以上的，给予补助。"
    cut = pieces(
        text,
        [("1", "高新技术企业", ""), ("2", "上一年度研发费用在200万元以上", "ask"), ("3", "研发费用", "")],
    )
    assert "".join(x["text"] for x in cut) == text
    assert [(x["n"], x["text"]) for x in cut if x["n"]] == [
        ("1", "高新技术企业"),
        ("2", "上一年度研发费用在200万元以上"),
    ]


def test_a_cite_finds_the_longest_heading_and_no_other_number():
    clauses = [Clause("第四条", "", "", 1), Clause("第四条（一）", "", "", 2), Clause("第1", "", "", 3)]
    assert clause_of(clauses, "第四条（一）").label == "第四条（一）"
    assert clause_of(clauses, "第四条第二款").label == "第四条"
    assert clause_of(clauses, "第12条") is None


def test_a_short_label_cuts_no_number():
    quote = "上一年度研发费用在200万元以上"
    label = short_label(Condition("when", Place(), id="a", quote=quote))
    assert not re.search(r"\d…", label)


def test_contacts_are_masked_and_every_look_is_on_record(fresh):
    from desk.pages.firms import mask

    assert mask("联系电话", "02212345678") == "0＊＊＊＊＊＊＊＊78" and mask("营业收入", "5 万元") == "5 万元"
    code = fresh.app.state.office.night().columns().codes[0]
    assert fresh.post("lin", f"/desk/firms/{code}/contacts").status_code == 400
    assert fresh.post("lin", f"/desk/firms/{code}/contacts", why="电话核实").status_code == 200
    assert audit.entries(fresh.engine, what="看联系方式")[1] == 1


def test_a_draft_with_a_fault_cannot_be_submitted_nor_signed_by_its_author(fresh):
    begun = fresh.post("lin", f"/desk/items/{ITEM}/edit")
    path = begun.headers["location"]
    made = drafts.drafts(fresh.engine, ITEM)[0]
    seen = drafts.fingerprint(made.text)
    broken = made.text.replace("title:", "titel:", 1)
    answer = fresh.post("lin", path, do="提交签发", text=broken, note="试", seen=seen)
    assert answer.status_code == 409 and "titel" in answer.text
    stale = fresh.post("lin", path, do="存草稿", text=made.text, note="试", seen=seen)
    assert stale.status_code == 409 and "编辑时改过" in stale.text
    good = fresh.post("lin", path, do="提交签发", text=made.text, note="试", seen=drafts.fingerprint(broken))
    assert good.status_code == 303
    assert fresh.post("lin", path, do="签发并发布").status_code == 403
    fresh.post("admin", path, do="签发并发布")
    assert drafts.drafts(fresh.engine, ITEM)[0].state == drafts.PUBLISHED


def test_a_change_beyond_the_limits_waits_for_a_leader(fresh):
    path = fresh.post("lin", f"/desk/items/{ITEM}/edit").headers["location"]
    made = drafts.drafts(fresh.engine, ITEM)[0]
    office = fresh.app.state.office
    fits = int((office.night().hits(ITEM)["verdict"] == "符合").sum())
    assert fits > 0
    others = made.text.replace("四上企业[Y] = 是", "四上企业[Y] = 否")
    swapped = re.sub(r"(?<=20\d\d: )[是否]", lambda found: "否" if found[0] == "是" else "是", made.cases)
    form = {"text": others, "cases": swapped, "note": "收紧", "seen": drafts.fingerprint(made.text)}
    assert fresh.post("lin", path, do="提交签发", **form).status_code == 303
    refused = fresh.post("shen", path, do="签发并发布")
    assert refused.status_code == 409 and f"{fits} 家不再符合" in refused.text
    assert fresh.post("shen", path, do="批准").status_code == 403
    assert fresh.post("admin", path, do="批准").status_code == 303
    assert audit.entries(fresh.engine, what="批准规则影响")[1] == 1
    assert fresh.post("shen", path, do="签发并发布").status_code == 303
    assert drafts.drafts(fresh.engine, ITEM)[0].state == drafts.PUBLISHED


def test_on_a_first_night_nothing_is_new(desk):
    night = desk.app.state.office.night()
    assert night.run.previous is None and night.items()["new_fits"].sum() > 0
    page = desk.client("lin").get("/desk/today").text
    assert "等我处理" in page and 'class="tag new"' not in page


def test_the_public_hears_how_an_item_works_tonight(desk):
    office = desk.app.state.office
    rows = all_items(office, office.night())
    fallen = {r.item: r.works_as for r in rows if r.delivery == "免申即享" != r.works_as}
    assert fallen and any(r.works_as == "免申即享" for r in rows)
    told = {p.item.id: p.item.delivery for p in shown(office)}
    assert all(told[item] == works for item, works in fallen.items())
    page = desk.anyone().get("/zone").text
    assert f"{sum(d == '免申即享' for d in told.values())} 项不用申请" in page
    one = next(iter(fallen))
    assert "<span>免申即享</span>" not in desk.anyone().get(f"/zone/items/{one}").text


def test_a_document_is_read_settled_and_signed_by_another(fresh):
    text = (fresh.home / "library" / "bs-2025-10" / "text.md").read_bytes()
    client, token = fresh.client("lin"), fresh.csrf("lin")
    begun = client.post(
        "/desk/policies", data={"csrf": token, "document": "bs-2026-99"}, files={"file": ("措施.md", text)}
    )
    path = begun.headers["location"]
    assert path.endswith("/decompose"), path
    page = client.get(path).text
    keys = re.findall(r'name="key" value="([^"]+)"', page)
    assert keys and fresh.post("shen", path.replace("decompose", "sign")).status_code == 303
    assert drafts.decompositions(fresh.engine)[0].state == drafts.DRAFT, (
        "nothing is signed before all is settled"
    )
    for key in keys:
        fresh.post("lin", path, key=key, do="采纳")
    fresh.post("shen", path.replace("decompose", "sign"))
    assert drafts.decompositions(fresh.engine)[0].state == drafts.PUBLISHED
    kept = {p.name for p in (fresh.home / "corrections").glob("*/*")}
    assert kept == {"bs-2026-99.txt", "bs-2026-99.json"}  # what `huiqi decompose --learn` refits with
    written = list((fresh.home / "library" / "bs-2026-99" / "items").glob("*.yaml"))
    assert written and all(
        "status: 草稿" in p.read_text(encoding="utf-8") for p in written if not p.name.endswith(".test.yaml")
    )


def test_faults_are_told_in_plain_words(desk):
    client = desk.client("lin")
    for path in (
        "/desk/nowhere",
        "/desk/items/a/b",
        "/desk/matches/X/a/b",
        "/desk/fulfil/abc",
        "/desk/drafts/99",
        "/desk/runs/99",
    ):
        answer = client.get(path)
        assert answer.status_code == 404 and "回到今日" in answer.text, path
    assert '"detail"' not in client.get("/desk/items/a/b").text


def test_the_sheet_keeps_its_size_and_its_contrast():
    sheet = (web.HERE / "static" / "desk.css").read_text(encoding="utf-8")
    assert len(sheet.encode()) < 48_000 and len((web.HERE / "static" / "desk.js").read_bytes()) < 8_000
    light, dark = (
        dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", block))
        for block in re.findall(r"color-scheme: (?:light|dark);(.*?)\n\s*}", sheet, re.S)[:2]
    )
    for theme in (light, dark):
        for ink in ("ink", "ink-2", "ink-3", "accent", "ok", "ask", "no", "alarm"):
            for ground in ("paper", "ground", "accent-wash", "raised"):
                assert contrast(theme[ink], theme[ground]) >= 4.5, (ink, ground)
        assert contrast(theme["field"], theme["paper"]) >= 3


def contrast(a: str, b: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        lin = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * lin[0] + 0.7152 * lin[1] + 0.0722 * lin[2]

    high, low = sorted((light(a), light(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_cases_are_changed_together_with_their_rule(fresh):
    path = fresh.post("lin", f"/desk/items/{ITEM}/edit").headers["location"]
    made = drafts.drafts(fresh.engine, ITEM)[0]
    cases = made.cases + "  # 复核过\n"
    form = {
        "do": "提交签发",
        "text": made.text,
        "cases": cases,
        "note": "样例",
        "seen": drafts.fingerprint(made.text),
    }
    assert fresh.post("lin", path, **form).status_code == 303
    fresh.post("shen", path, do="签发并发布")
    published = fresh.home / "library" / f"{ITEM.replace('/', '/items/')}.test.yaml"
    assert published.read_text(encoding="utf-8") == cases


def test_the_meaning_of_a_change_is_told_and_a_change_of_writing_is_none(fresh):
    from desk.rules import check_draft, meaning_changes

    root = fresh.home / "library"
    office = fresh.app.state.office
    sets = office.night().run.settings.get("sets", {})
    text = (root / f"{ITEM.replace('/', '/items/')}.yaml").read_text(encoding="utf-8")
    was = check_draft(root, ITEM, text, "", sets).program
    same = check_draft(root, ITEM, "# 只加一行说明\n" + text, "", sets).program
    assert meaning_changes(was, same) == []
    moved = check_draft(root, ITEM, text.replace(">=", ">", 1), "", sets).program
    (change,) = meaning_changes(was, moved)
    assert change.what.startswith("条件") and change.was != change.now
    page = fresh.post("lin", f"/desk/items/{ITEM}/edit").headers["location"]
    seen = drafts.fingerprint(text)
    fresh.post("lin", page, do="存草稿", text=text.replace(">=", ">", 1), note="试", seen=seen)
    shown = fresh.client("lin").get(page).text
    assert change.was in shown and change.now in shown


def test_a_proposal_is_changed_asked_of_a_person_or_opened_again(fresh):
    from desk.pages.policies import kept, readings

    text = (fresh.home / "library" / "bs-2025-10" / "text.md").read_bytes()
    form = {"csrf": fresh.csrf("lin"), "document": "bs-2026-98"}
    path = (
        fresh.client("lin")
        .post("/desk/policies", data=form, files={"file": ("措施.md", text)})
        .headers["location"]
    )
    made = drafts.decompositions(fresh.engine)[0]
    page = fresh.client("lin").get(path).text
    key = re.search(r'value="((?:\d+|g)\.conditions\.\d+)"', page)[1]
    quote = next(p["quote"] for p in proposals_of(made) if p["key"] == key)
    assert "没有保存" in unquote_plus(
        fresh.post("lin", path, key=key, do="改", quote="原文里没有的话").headers["location"]
    )
    fresh.post("lin", path, key=key, do="改", quote=quote[:6])
    made = drafts.decompositions(fresh.engine)[0]
    assert made.marks[key]["quote"] == quote[:6]
    found = kept(made)
    entries = [e for i in found.items for e in i.conditions] + found.conditions
    assert any(
        e["quote"] == quote[:6] and made.draft["text"][e["start"] : e["end"]] == quote[:6] for e in entries
    )
    fresh.post("lin", path, key=key, do="改为人工判断")
    made = drafts.decompositions(fresh.engine)[0]
    assert readings(fresh.app.state.office, made)[key].startswith("ask: ")
    fresh.post("lin", path, key=key, do="重定")
    assert key not in drafts.decompositions(fresh.engine)[0].marks


def proposals_of(made):
    from desk.pages.policies import proposals

    return proposals(made)


def test_a_subject_lists_its_items_and_no_other(desk):
    from desk.pages.matches import SUBJECTS

    client = desk.client("lin")
    page = client.get("/desk/lists/融资").text
    assert "中小微企业贷款贴息" in page and "失业保险稳岗返还" not in page
    for name in SUBJECTS:
        assert client.get(f"/desk/lists/{name}").status_code == 200
    assert "有：高企培育" in client.get("/desk/lists/没有").text
    assert "专题：" in client.get("/desk/matches").text


def test_an_item_without_money_shows_none_and_not_nothing(desk):
    page = desk.client("lin").get("/desk/matches").text
    assert "无金额" in page.split("出资期限提醒", 1)[1][:900]


def test_a_long_rule_shows_the_conditions_that_are_open_and_counts_the_rest():
    def row(*unknown: int) -> dict[str, list[str]]:
        return {"marks": ["待核实" if i in unknown else "符合" for i in range(24)]}

    assert grid_columns([{"marks": ["符合"] * 15}]) == list(range(15))
    assert grid_columns([row(3, 20), row(20)]) == [3, 20]
    many = [row(*range(n, 24)) for n in range(10)]
    shown = grid_columns(many)
    assert len(shown) == 10 and shown == sorted(shown) == list(range(9, 19)), "the most often open stay"
    assert grid_columns([]) == []


def test_what_an_office_corrected_is_read_so_next_time_and_a_waiting_draft_stays_as_it_was(fresh):
    from desk.pages.policies import kept
    from policies.decompose.learn import keep_correction, learn_corrections
    from policies.decompose.pipeline import decompose

    text = (
        "示例区支持平台若干办法\n第一条 区属平台公司应当为企业提供融资对接，年服务企业不少于80家。\n"
        "第二条 对获评市级示范平台的，给予30万元一次性奖励。\n"
    )

    def begin(number: str) -> drafts.Decomposition:
        form = {"csrf": fresh.csrf("lin"), "document": number}
        fresh.client("lin").post("/desk/policies", data=form, files={"file": ("办法.txt", text.encode())})
        return next(d for d in drafts.decompositions(fresh.engine) if d.document == number)

    def said(entries: list[dict]) -> str:
        return "；".join(e["quote"] for e in entries)

    first = begin("bs-2026-81")
    before = said([*first.draft["general"]["conditions"], *first.draft["items"][0]["conditions"]])
    assert "融资对接" in before
    answer = decompose(text).as_json()
    answer["clauses"][1]["roles"] = ["authority"]
    for holder in (answer["general"], *answer["items"]):
        holder["conditions"] = [c for c in holder["conditions"] if c["start"] > text.index("第二条")]
    keep_correction(fresh.home / "改正", "办法", text, answer)
    learn_corrections(fresh.home / "改正", fresh.home, "2026-06-18")
    again = begin("bs-2026-82")
    assert "融资对接" not in said(
        [*again.draft["general"]["conditions"], *again.draft["items"][0]["conditions"]]
    )
    found = kept(first)  # what people settle is what they were shown, whatever was learnt meanwhile
    assert before == said([*found.conditions, *found.items[0].conditions])


def test_how_a_sum_is_worked_reads_as_chinese_on_every_page(desk):
    item, code = "bs-2025-05/equity", desk.app.state.office.night().columns().codes[0]
    client = desk.client("cai")
    for path in (f"/desk/matches/{code}/{item}", f"/desk/items/{item}"):
        page = client.get(path).text
        assert "行业代码属于先导产业时，2025年股权融资额 × 2%，封顶 200万元" in page, path
    page = client.get(f"/desk/matches/{code}/{item}").text
    assert "行业代码 in" not in page  # the item's own page has the rule file too
    marked = re.findall(r"<mark[^>]*>(.*?)</mark>", page)
    assert any("先导产业企业按照融资额的2%" in words for words in marked), (
        "its own words are marked in the text"
    )
