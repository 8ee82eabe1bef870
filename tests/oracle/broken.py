"""One small valid library, and deliberate faults in it, each with the code that section 9 gives it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FILES: dict[str, str] = {}

FILES["indicators.yaml"] = """\
试点名录: {kind: 列表, source: 科技}
自报产值: {kind: 金额, yearly: 是}
机床数: {kind: 数量, unit: 台, source: 工信}
"""
FILES["sets/先导产业.yaml"] = """\
- C39*
- C27*
"""
FILES["d1/document.yaml"] = """\
title: 甲市科技创新若干措施
number: 甲府规〔2024〕1号
issuer: 甲市人民政府
issued: 2024-01-05
effective: 2024-02-01
expires: 2026-12-31
general:
  conditions:
    all:
      - id: registered
        cite: 第四条
        quote: 在本市登记注册
        when: 登记地区划 in ["4403*"]
      - id: honest
        cite: 第四条
        quote: 未列入严重违法失信名单
        when: 严重违法失信名单 = 否
"""
FILES["d1/text.md"] = """\
# 甲市科技创新若干措施

## 第四条

申报单位应当在本市登记注册，成立满一年，未列入严重违法失信名单，属于高新技术企业或者科技型中小企业。

## 第八条

上一年度研发费用在500万元以上，且比前一年度增长10%以上的，按照研发费用增量的10%给予补助，单个企业年度最高不超过200万元。

先导产业企业，最高不超过300万元。

项目技术达到国内领先水平。房地产企业不适用本条。

## 第九条

营业收入达到1000万元的，奖励10万元；达到1亿元的，奖励50万元；达到10亿元的，奖励100万元。

## 第十条

对首次认定的企业给予20万元奖励，获得示范称号的再奖励5万元。

## 第二十条

同一企业按照就高不重复的原则执行。年度预算5000万元，超出预算的按比例核减。
"""
FILES["d1/items/increment.yaml"] = """\
item: d1/increment
title: 研发费用增量补助
department: 市科技局
category: 奖补
delivery: 即申即享
batches:
  2025: {year: 2024, opens: 2025-03-01, closes: 2025-04-30, budget: 5000万元}
conditions:
  all:
    - id: age
      cite: 第四条
      quote: 成立满一年
      when: 成立日期 <= 申报开始 - 1年
    - id: status
      cite: 第四条
      quote: 属于高新技术企业或者科技型中小企业
      any:
        - {id: hnte, when: 高新技术企业有效期至 >= 申报开始}
        - {id: sme, when: "科技型中小企业[Y] = 是"}
    - id: scale
      cite: 第八条
      quote: 上一年度研发费用在500万元以上
      when: 研发费用[Y] >= 500万元
    - id: growth
      cite: 第八条
      quote: 比前一年度增长10%以上
      when: 增长率(研发费用[Y]) >= 10%
    - id: industry
      cite: 第八条
      quote: 房地产企业不适用本条
      not:
        when: 行业代码 in ["K70*"]
    - id: frontier
      cite: 第八条
      quote: 项目技术达到国内领先水平
      ask: 项目技术是否达到国内领先水平？
benefit:
  cite: 第八条
  quote: 按照研发费用增量的10%给予补助，单个企业年度最高不超过200万元
  amount: (研发费用[Y] - 研发费用[Y-1]) * 10%
  cap: 200万元
  exceptions:
    - cite: 第八条
      quote: 先导产业企业，最高不超过300万元
      when: 行业代码 in 先导产业
      cap: 300万元
exclusive: {group: 研发, pick: 就高, cite: 第二十条, quote: 同一企业按照就高不重复的原则执行}
budget: {when_short: 按比例核减, cite: 第二十条, quote: 年度预算5000万元，超出预算的按比例核减}
materials: [研发费用专项审计报告]
deadline: 60个工作日
contact: 市科技局高新处
"""
FILES["d1/items/increment.test.yaml"] = """\
item: d1/increment
batch: 2025
given:
  登记地区划: "440305"
  严重违法失信名单: 否
  成立日期: 2016-05-20
  高新技术企业有效期至: 2026-12-18
  科技型中小企业: {2024: 是}
  行业代码: C3563
  研发费用: {2023: 800万元, 2024: 1000万元}
answers: {frontier: 是}
cases:
  - {name: 全部符合, expect: {verdict: 符合, amount: 20万元}}
  - {name: 增长刚好一成, with: {研发费用: {2024: 880万元}}, expect: {verdict: 符合, amount: 8万元}}
  - {name: 不在本市, with: {登记地区划: "310101"}, expect: {verdict: 不符合, fails: [registered]}}
  - {name: 失信, with: {严重违法失信名单: 是}, expect: {verdict: 不符合, fails: [honest]}}
  - {name: 太新, with: {成立日期: 2024-03-02}, expect: {verdict: 不符合, fails: [age]}}
  - {name: 只是科小, with: {高新技术企业有效期至: ~}, expect: {verdict: 符合, amount: 20万元}}
  - {name: 只是高企, with: {科技型中小企业: {2024: 否}}, expect: {verdict: 符合, amount: 20万元}}
  - {name: 都不是, with: {高新技术企业有效期至: ~, 科技型中小企业: {2024: 否}}, expect: {verdict: 不符合, fails: [status]}}
  - {name: 规模不足, with: {研发费用: {2023: 300万元, 2024: 499万元}}, expect: {verdict: 不符合, fails: [scale]}}
  - {name: 增长不足, with: {研发费用: {2024: 870万元}}, expect: {verdict: 不符合, fails: [growth]}}
  - {name: 房地产, with: {行业代码: K7010}, expect: {verdict: 不符合, fails: [industry]}}
  - {name: 不领先, answers: {frontier: 否}, expect: {verdict: 不符合, fails: [frontier]}}
  - {name: 未复核, answers: {frontier: ~}, expect: {verdict: 待核实, unknown: [frontier], amount: 20万元}}
  - {name: 缺上年, with: {研发费用: {2023: ~}}, expect: {verdict: 待核实, unknown: [growth], amount: ~}}
  - name: 先导封顶
    with: {行业代码: C3963, 研发费用: {2024: 9000万元}}
    expect: {verdict: 符合, amount: 300万元}
  - {name: 行业不明, with: {行业代码: ~, 研发费用: {2024: 9000万元}}, expect: {verdict: 待核实, unknown: [industry], amount: [200万元, 300万元]}}
"""
FILES["d1/items/milestone.yaml"] = """\
item: d1/milestone
title: 营业收入上台阶奖励
department: 市工信局
category: 奖补
delivery: 免申即享
without: [honest]
batches:
  2025: {year: 2024, opens: 2025-03-01, closes: 2025-04-30}
conditions:
  all:
    - id: revenue
      cite: 第九条
      quote: 营业收入达到1000万元
      when: 营业收入[Y] >= 1000万元
benefit:
  cite: 第九条
  quote: 营业收入达到1000万元的，奖励10万元；达到1亿元的，奖励50万元；达到10亿元的，奖励100万元
  bands:
    by: 营业收入[Y]
    kind: 全额
    from: 1000万元
    steps:
      - {below: 1亿元, amount: 10万元}
      - {below: 10亿元, amount: 50万元}
      - {amount: 100万元}
materials: []
deadline: 60个工作日
contact: 市工信局
"""
FILES["d1/items/milestone.test.yaml"] = """\
item: d1/milestone
batch: 2025
given:
  登记地区划: "440305"
  营业收入: {2024: 1000万元}
cases:
  - {name: 第一档, expect: {verdict: 符合, amount: 10万元}}
  - {name: 第二档, with: {营业收入: {2024: 1亿元}}, expect: {verdict: 符合, amount: 50万元}}
  - {name: 第三档, with: {营业收入: {2024: 10亿元}}, expect: {verdict: 符合, amount: 100万元}}
  - {name: 不足, with: {营业收入: {2024: 999万元}}, expect: {verdict: 不符合, fails: [revenue]}}
  - {name: 不在本市, with: {登记地区划: "310101"}, expect: {verdict: 不符合, fails: [registered]}}
  - {name: 缺收入, with: {营业收入: ~}, expect: {verdict: 待核实, unknown: [revenue], amount: [0元, 100万元]}}
"""
FILES["d1/items/first.yaml"] = """\
item: d1/first
title: 首次认定奖励
department: 市科技局
category: 奖补
delivery: 申报兑现
batches:
  2025: {year: 2024, opens: 2025-03-01, closes: 2025-04-30}
conditions:
  all:
    - id: listed
      cite: 第十条
      quote: 对首次认定的企业
      when: 试点名录 含 "首次认定"
benefit:
  cite: 第十条
  quote: 给予20万元奖励，获得示范称号的再奖励5万元
  cases:
    - {when: 机床数 >= 100台, amount: 20万元}
    - {amount: 20万元 * 1}
  adds:
    - {when: 试点名录 含 "示范", amount: 5万元}
exclusive: {group: 研发, pick: 就高, cite: 第二十条, quote: 同一企业按照就高不重复的原则执行}
materials: [申请表]
deadline: 60个工作日
contact: 市科技局
"""
FILES["d1/items/first.test.yaml"] = """\
item: d1/first
batch: 2025
given:
  登记地区划: "440305"
  试点名录: [首次认定, 示范]
  机床数: 100台
cases:
  - {name: 再奖励, expect: {verdict: 符合, amount: 25万元}}
  - {name: 不示范, with: {试点名录: [首次认定], 机床数: 99台}, expect: {verdict: 符合, amount: 20万元}}
  - {name: 不在名录, with: {试点名录: [示范]}, expect: {verdict: 不符合, fails: [listed]}}
"""
FILES["d1/allocation.test.yaml"] = """\
as_of: 2025-04-01
enterprises:
  甲:
    given:
      登记地区划: "440305"
      成立日期: 2016-05-20
      科技型中小企业: {2024: 是}
      行业代码: C3563
      研发费用: {2023: 800万元, 2024: 1000万元}
      试点名录: [首次认定, 示范]
      机床数: 1台
    answers: {d1/increment: {frontier: 是}}
cases:
  - name: 高的留下
    expect:
      甲: {d1/increment: [让位, d1/first, 20万元], d1/first: 25万元}
"""


@dataclass(frozen=True)
class Fault:
    """One fault: what to replace in which file (an empty `old` appends), and the code that names it."""

    name: str
    code: int
    file: str
    old: str
    new: str


INCREMENT, MILESTONE, FIRST = (f"d1/items/{slug}.yaml" for slug in ("increment", "milestone", "first"))
TESTS, DOCUMENT = "d1/items/increment.test.yaml", "d1/document.yaml"
SCALE, GROWTH = "研发费用[Y] >= 500万元", "增长率(研发费用[Y]) >= 10%"

FAULTS = [
    Fault("not YAML", 0, INCREMENT, "conditions:", "conditions: [\n"),
    Fault("a tab", 0, INCREMENT, "  all:", "\tall:"),
    Fault("a key twice", 0, INCREMENT, "category: 奖补", "category: 奖补\ncategory: 奖补"),
    Fault("unknown key of an item", 1, INCREMENT, "department:", "departement:"),
    Fault("unknown key of a condition", 1, INCREMENT, "      when: 成立", "      whom: 甲\n      when: 成立"),
    Fault("unknown key of a benefit", 1, INCREMENT, "  cap: 200", "  caps: 1元\n  cap: 200"),
    Fault("unknown key of a batch", 1, INCREMENT, "budget: 5000万元}", "budgets: 5000万元}"),
    Fault("unknown key of a document", 1, DOCUMENT, "issuer:", "issued_by:"),
    Fault("unknown key of an indicator", 1, "indicators.yaml", "unit: 台", "units: 台"),
    Fault("unknown key of a case", 1, TESTS, "name: 太新, with:", "name: 太新, width:"),
    Fault("unknown key of an expectation", 1, TESTS, "不符合, fails: [age]", "不符合, fail: [age]"),
    Fault("unknown indicator", 1, INCREMENT, SCALE, "研发经费用[Y] >= 500万元"),
    Fault("unknown indicator in a case", 1, TESTS, "  成立日期: 2016", "  成立的日期: 2016"),
    Fault("unknown set", 1, INCREMENT, "in 先导产业", "in 先进产业"),
    Fault("unknown function", 1, INCREMENT, GROWTH, "增速(研发费用[Y]) >= 10%"),
    Fault("unknown unit", 1, INCREMENT, SCALE, "研发费用[Y] >= 500万圆"),
    Fault("foreign money without a rate", 1, INCREMENT, "cap: 200万元", "cap: 200万美元"),
    Fault("money against a count", 2, INCREMENT, SCALE, "研发费用[Y] >= 500"),
    Fault("money against a ratio", 2, INCREMENT, SCALE, "研发费用[Y] >= 50%"),
    Fault("money times money", 2, INCREMENT, SCALE, "研发费用[Y] * 研发费用[Y] >= 500万元"),
    Fault("a missing year", 2, INCREMENT, SCALE, "研发费用 >= 500万元"),
    Fault("a surplus year", 2, INCREMENT, "when: 成立日期", "when: 成立日期[Y]"),
    Fault("a difference of dates against years", 2, INCREMENT, "成立日期 <= 申报开始 - 1年", "申报开始 - 成立日期 >= 1年"),
    Fault("other units of counts", 2, FIRST, "机床数 >= 100台", "机床数 >= 100人"),
    Fault("in of a list", 2, FIRST, '试点名录 含 "首次认定"', '试点名录 in ["首次认定"]'),
    Fault("含 of a code", 2, INCREMENT, 'not:\n        when: 行业代码 in ["K70*"]', 'not:\n        when: 行业代码 含 "K70"'),
    Fault("a bare range", 2, INCREMENT, SCALE, "研发费用[Y-1..Y] >= 500万元"),
    Fault("a cap that is a count", 2, INCREMENT, "cap: 200万元", "cap: 200人"),
    Fault("an amount that is a ratio", 2, INCREMENT, "amount: (研发费用[Y] - 研发费用[Y-1]) * 10%", "amount: 10%"),
    Fault("a rate without bands", 2, FIRST, '含 "示范", amount: 5万元', '含 "示范", rate: 5%'),
    Fault(
        "an exception takes the bands of a rate", 2, MILESTONE, "      - {amount: 100万元}\n",
        "      - {amount: 100万元}\n  adds: [{rate: \"1%\"}]\n  exceptions:\n"
        "    - {cite: 第九条, quote: 奖励10万元, when: \"营业收入[Y] > 1亿元\", amount: 10万元}\n",
    ),
    Fault("a quote that is not in the text", 3, INCREMENT, "quote: 成立满一年", "quote: 成立满两年"),
    Fault("a quote under another heading", 3, INCREMENT, "cite: 第四条\n      quote: 成立满一年", "cite: 第八条\n      quote: 成立满一年"),
    Fault("a cite without heading", 3, INCREMENT, "cite: 第四条\n      quote: 成立满一年", "cite: 第五条\n      quote: 成立满一年"),
    Fault("a general quote", 3, DOCUMENT, "quote: 在本市登记注册", "quote: 在本省登记注册"),
    Fault("a quote of the benefit", 3, FIRST, "quote: 给予20万元奖励", "quote: 给予30万元奖励"),
    Fault("an id twice", 4, INCREMENT, "- id: growth", "- id: scale"),
    Fault("an id of the general conditions again", 4, INCREMENT, "- id: growth", "- id: honest"),
    Fault("an item's id is not its path", 4, INCREMENT, "item: d1/increment", "item: d1/incremental"),
    Fault("免申即享 with materials", 5, MILESTONE, "materials: []", "materials: [申请表]"),
    Fault("免申即享 with an ask", 5, MILESTONE, "when: 营业收入[Y] >= 1000万元", "ask: 营业收入是否达到1000万元？"),
    Fault("免申即享 on the firm's own word", 5, MILESTONE, "when: 营业收入[Y] >=", "when: 自报产值[Y] >="),
    Fault("免申即享 with an amount on the firm's own word", 5, MILESTONE, "by: 营业收入[Y]", "by: 自报产值[Y]"),
    Fault("免申即享 with words", 5, INCREMENT, "delivery: 即申即享", "delivery: 免申即享"),
    Fault("a batch after the document", 6, INCREMENT, "year: 2024, opens: 2025-03-01, closes: 2025-04-30", "year: 2028, opens: 2029-03-01, closes: 2029-04-30"),
    Fault("a batch before the document", 6, INCREMENT, "year: 2024, opens: 2025-03-01, closes: 2025-04-30", "year: 2022, opens: 2023-03-01, closes: 2023-04-30"),
    Fault("overlapping batches", 6, INCREMENT, "batches:\n", "batches:\n  2024: {year: 2024, opens: 2025-01-01, closes: 2025-03-01}\n"),
    Fault("steps that go down", 7, MILESTONE, "below: 10亿元", "below: 9000万元"),
    Fault("a step below from", 7, MILESTONE, "from: 1000万元", "from: 2亿元"),
    Fault("a case behind one that always holds", 7, FIRST, "    - {when: 机床数 >= 100台, amount: 20万元}\n    - {amount: 20万元 * 1}", "    - {amount: 20万元 * 1}\n    - {when: 机床数 >= 100台, amount: 20万元}"),
    Fault("codes all shut out, each by another condition", 8, MILESTONE, "benefit:\n", "    - {id: kinds, cite: 第九条, quote: 营业收入达到1000万元, when: '行业代码 in [\"C39*\", \"K70*\"]'}\n    - {id: no_c, cite: 第九条, quote: 营业收入达到1000万元, not: {when: '行业代码 in [\"C39*\"]'}}\n    - {id: no_k, cite: 第九条, quote: 营业收入达到1000万元, not: {when: '行业代码 in [\"K70*\"]'}}\nbenefit:\n"),
    Fault("a condition that contradicts another", 8, MILESTONE, "benefit:\n", "    - {id: small, cite: 第九条, quote: 营业收入达到1000万元, when: \"营业收入[Y] < 900万元\"}\nbenefit:\n"),
    Fault("industries that do not exist", 8, INCREMENT, '["K70*"]', '["ZZ9*"]'),
    Fault("a leaf without its own case", 9, TESTS, '  - {name: 房地产, with: {行业代码: K7010}, expect: {verdict: 不符合, fails: [industry]}}\n', ""),
    Fault("an answer without its own case", 9, TESTS, "  - {name: 不领先, answers: {frontier: 否}, expect: {verdict: 不符合, fails: [frontier]}}\n", ""),
    Fault("a general leaf without a case", 9, TESTS, "  - {name: 失信, with: {严重违法失信名单: 是}, expect: {verdict: 不符合, fails: [honest]}}\n", ""),
    Fault("an exception without a case", 9, TESTS, "  - name: 先导封顶\n    with: {行业代码: C3963, 研发费用: {2024: 9000万元}}\n    expect: {verdict: 符合, amount: 300万元}\n", ""),
    Fault("以上 with >", 11, INCREMENT, SCALE, "研发费用[Y] > 500万元"),
    Fault("万元 against 元", 11, INCREMENT, SCALE, "研发费用[Y] >= 500元"),
    Fault("another number than the quote's", 11, INCREMENT, SCALE, "研发费用[Y] >= 400万元"),
    Fault("a wrong amount", 12, TESTS, "name: 增长刚好一成, with: {研发费用: {2024: 880万元}}, expect: {verdict: 符合, amount: 8万元}", "name: 增长刚好一成, with: {研发费用: {2024: 880万元}}, expect: {verdict: 符合, amount: 9万元}"),
    Fault("a wrong verdict", 12, TESTS, "name: 全部符合, expect: {verdict: 符合, amount: 20万元}", "name: 全部符合, expect: {verdict: 待核实}"),
    Fault("a wrong unknown", 12, TESTS, "unknown: [growth], amount: ~", "unknown: [growth, scale], amount: ~"),
    Fault("a wrong loser", 12, "d1/allocation.test.yaml", "[让位, d1/first, 20万元]", "[让位, d1/first, 19万元]"),
]  # fmt: skip


def write_base(root: Path) -> Path:
    """The valid library."""
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def write_broken(root: Path, fault: Fault) -> Path:
    """The valid library with one fault."""
    path = write_base(root) / fault.file
    text = path.read_text(encoding="utf-8")
    if fault.old not in text:
        raise ValueError(f"{fault.name}: nothing to replace in {fault.file}")
    path.write_text(text.replace(fault.old, fault.new, 1), encoding="utf-8")
    return root


def write_twin(root: Path) -> Path:
    """The valid library with two items of the same conditions and benefit (code 10)."""
    write_base(root)
    for name in ("milestone.yaml", "milestone.test.yaml"):
        text = FILES[f"d1/items/{name}"].replace("item: d1/milestone", "item: d1/twin")
        (root / "d1/items" / name.replace("milestone", "twin")).write_text(text, encoding="utf-8")
    return root
