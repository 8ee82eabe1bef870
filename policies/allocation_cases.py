"""分配样例: allocation.test.yaml of a document, 就高不重复 and budgets over several enterprises (section 7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from engine.claims import Payable, allocate
from engine.errors import Place, Problem
from engine.matching import ItemHits, amount_of, live, match
from engine.yamltext import Node, Report
from policies.cases import CaseReader, Facts, columns_of, constant, same_amount, say_amount
from policies.library import Library, LoadedDocument, read_yaml

KEYS = ("as_of", "enterprises", "received", "cases", "note")
Ends = tuple[float | None, float | None]


@dataclass
class Sample:
    """分配样例文件: sample enterprises with answers, what they received, and the cases."""

    as_of: date
    names: list[str] = field(default_factory=list)
    facts: list[Facts] = field(default_factory=list)
    answers: dict[tuple[str, str], dict[str, bool | Mapping[str, bool]]] = field(default_factory=dict)
    received: dict[tuple[str, str], float] = field(default_factory=dict)


class SampleReader(CaseReader):
    """读分配样例."""

    def sample(self, root: Node) -> Sample | None:
        """分配样例文件的企业, or None where it has no date."""
        self.keys(root, KEYS, "分配样例")
        as_of = self.day(root, "as_of")
        if as_of is None:
            self.fault(root.place, "分配样例要写 as_of（哪一天）")
            return None
        out = Sample(as_of)
        firms = self.mapping(root.get("enterprises"), "enterprises")
        for name, node in firms.items() if firms else ():
            self.keys(node, ("given", "answers", "note"), "企业")
            out.names.append(name)
            out.facts.append(self.facts(self.mapping(node.get("given"), "given")))
            answers = self.mapping(node.get("answers"), "answers")
            for item, given in answers.items() if answers else ():
                for ask, answer in self.answers(given).items():
                    if answer is not None:
                        out.answers.setdefault((item, ask), {})[name] = answer
        received = self.mapping(root.get("received"), "received")
        for name, groups in received.items() if received else ():
            for group, node in groups.items():
                try:
                    out.received[name, group] = constant(node.text or "")
                except ValueError as error:
                    self.fault(node.place, str(error))
        return out

    def expectations(self, root: Node) -> list[tuple[str, str, str, Node]]:
        """期望: (case, enterprise, item, node)."""
        out = []
        for case in self.rows(root, "cases"):
            if self.mapping(case, "样例") is None:
                continue
            self.keys(case, ("name", "expect", "note"), "样例")
            expect = self.mapping(case.get("expect"), "expect")
            for firm, items in expect.items() if expect else ():
                out += [(self.text(case, "name"), firm, item, node) for item, node in items.items()]
        return out


def check_allocation(document: LoadedDocument, library: Library, report: Report) -> int:
    """跑分配样例 (12); returns how many cases the document has."""
    path = library.root / document.document.id / "allocation.test.yaml"
    file = f"{document.document.id}/allocation.test.yaml"
    root = read_yaml(path, file, report) if path.is_file() else None
    if root is None or not root.is_map:
        return 0
    reader = SampleReader(library.dictionary, report)
    sample = reader.sample(root)
    if sample is None:
        return 0
    if library.incomplete(document):
        return len(reader.rows(root, "cases"))  # what one item gets hangs on the others of its document
    found, paid = run_sample(sample, library, Place(file), report)
    hits = {h.item: h for h in found}
    refused = set(library.refused)
    for case, firm, item, node in reader.expectations(root):
        if item in refused:
            continue  # its own fault is told
        said = _compare(reader, sample, hits, paid, firm, item, node)
        if said:
            report(Problem(12, f"分配样例“{case}”，{firm}，{item}：{said}", node.place))
    return len(reader.rows(root, "cases"))


def run_sample(
    sample: Sample, library: Library, place: Place, report: Report
) -> tuple[list[ItemHits], dict[tuple[str, str], Payable]]:
    """匹配并分配: the sample's enterprises against the whole library on its day."""
    columns = columns_of(sample.facts, library.dictionary, [place] * len(sample.facts), report)
    columns.codes = sample.names
    bound = live(library.programs, sample.as_of)
    book = {
        (b.program.item.id, b.batch.name, ask): given
        for b in bound
        for (item, ask), given in sample.answers.items()
        if item == b.program.item.id
    }
    found = match(bound, columns, sample.as_of, book)
    programs = {p.item.id: p for p in library.programs}
    return found, allocate(programs, found, sample.names, sample.received)


def _compare(
    reader: CaseReader,
    sample: Sample,
    hits: Mapping[str, ItemHits],
    paid: Mapping[tuple[str, str], Payable],
    firm: str,
    item: str,
    node: Node,
) -> str:
    if firm not in sample.names:
        return f"没有“{firm}”这个企业"
    if item not in hits:
        return "这一天没有这个事项的在办批次"
    rows = [(low, high) for row, low, high in _amounts(hits[item]) if sample.names[row] == firm]
    if not rows:
        return "不符合"
    got = paid.get((firm, item), Payable(*rows[0]))
    parts = [n.text for n in node.list()]
    if parts and parts[0] == "让位":
        return _compare_gave_way(parts, got)
    want = reader.interval(node)
    if want is None:
        return "期望写成 30万元、[低, 高] 或 [让位, 事项, 金额]"
    if got.gave_way_to:
        return f"应为 {say_amount(want)}，实际让位于 {got.gave_way_to}"
    ends: Ends = (got.low, got.high)
    return "" if all(map(same_amount, want, ends)) else f"应为 {say_amount(want)}，算得 {say_amount(ends)}"


def _amounts(hits: ItemHits) -> list[tuple[int, float | None, float | None]]:
    return [
        (int(r), amount_of(lo), amount_of(hi))
        for r, lo, hi in zip(hits.rows, hits.low, hits.high, strict=True)
    ]


def _compare_gave_way(parts: list[str | None], got: Payable) -> str:
    target = parts[1] if len(parts) > 1 else ""
    if not got.gave_way_to:
        return f"应当让位于 {target}，实际 {say_amount((got.low, got.high))}"
    if got.gave_way_to != target:
        return f"应当让位于 {target}，实际让位于 {got.gave_way_to}"
    if len(parts) > 2:
        want = None if parts[2] is None else constant(parts[2])
        if not same_amount(want, got.lost):
            return f"少得应为 {say_amount((want, want))}，算得 {say_amount((got.lost, got.lost))}"
    return ""
