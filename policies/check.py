"""核对: everything section 9 of the rule language refuses, all problems of a library in one run."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from engine.errors import Place, Problem
from engine.policy import Condition, PolicyItem, numbered
from engine.yamltext import Node, Report
from policies.allocation_cases import check_allocation
from policies.cases import CaseFile, CaseReader, case_file_of
from policies.check_cases import check_case_file, check_coverage, check_general, general_decisive
from policies.check_logic import check_automatic, check_batches, check_forms, check_logic, check_twins
from policies.check_text import check_text, check_words
from policies.library import REFUSING, Library, LoadedDocument, LoadedItem, read_yaml

OF_CASES = (9, 12)  # a case that is not there, or whose answer differs


@dataclass
class CheckReport:
    """核对结果: counts and problems, sorted by file and line."""

    documents: int = 0
    items: int = 0
    cases: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def errors(self) -> list[Problem]:
        return [p for p in self.problems if p.level == "error"]

    @property
    def causes(self) -> list[Problem]:
        """先改的: what keeps rules from being read, then the other errors of rules; each by file and line."""
        own = [p for p in self.errors if p.code not in OF_CASES]
        return sorted(own, key=lambda p: p.code not in REFUSING)

    @property
    def consequences(self) -> list[Problem]:
        """可能是后果的: errors of the cases; where a rule of theirs is wrong they mostly go with it."""
        return [p for p in self.errors if p.code in OF_CASES]

    @property
    def warnings(self) -> list[Problem]:
        """提醒."""
        return [p for p in self.problems if p.level != "error"]

    def as_dict(self) -> dict[str, object]:
        """机器可读: the record of `huiqi check --json`."""
        return {
            "documents": self.documents,
            "items": self.items,
            "cases": self.cases,
            "problems": [p.as_dict() for p in self.problems],
        }


def check_library(library: Library, industry_codes: Collection[str] = (), cases: bool = True) -> CheckReport:
    """核对政策库: problems of codes 0 to 12; `industry_codes` are those of GB/T 4754 with their section letter."""
    out = CheckReport(documents=len(library.documents), items=len(library.items))
    found = list(library.problems)
    for loaded in library.documents.values():
        root = read_yaml(
            library.root / loaded.document.id / "document.yaml", loaded.document.place.file, lambda p: None
        )
        check_text(library, loaded, root, found.append)
        general = loaded.document.general.conditions
        if general is not None:
            check_ids(numbered(general), set(), found.append)
            check_words(general, library, loaded.document, found.append)
        for item in loaded.items:
            check_item(item, loaded, library, industry_codes, found.append)
        if cases:
            out.cases += check_cases(loaded, library, found.append)
    check_twins(library, found.append)
    check_item_ids(library, found.append)
    out.problems = distinct(found)
    return out


def distinct(problems: list[Problem]) -> list[Problem]:
    """去重排序: one entry a place and message, by file, line and code."""
    unique = {(p.place.file, p.place.line, p.place.column, p.code, p.message): p for p in problems}
    return [unique[k] for k in sorted(unique)]


def check_item(
    loaded: LoadedItem,
    document: LoadedDocument,
    library: Library,
    industries: Collection[str],
    report: Report,
) -> None:
    """一个事项: ids, automatic delivery, batches, forms, logic and words."""
    item = loaded.item
    check_path(loaded, report)
    general = {c.id for c in numbered(document.document.general.conditions) if c.id}
    kept = general - {name for name, _ in item.without}
    check_ids(numbered(item.conditions), kept, report)
    check_batches(item, document.document, report)
    if item.conditions is not None:
        check_words(item.conditions, library, document.document, report)
    if loaded.program is None:
        return
    check_automatic(loaded, library, report)
    check_forms(loaded.program, item, report)
    check_logic(loaded.program, industries, report)


def check_path(loaded: LoadedItem, report: Report) -> None:
    """编号与路径 (4)."""
    folder, _, name = loaded.file.partition("/items/")
    expected = f"{folder}/{name.removesuffix('.yaml')}"
    if loaded.item.id != expected:
        node = loaded.root.get("item")
        message = f"item 是“{loaded.item.id}”，按文件的位置应当是“{expected}”"
        report(Problem(4, message, node.place if node else loaded.item.place))


def check_ids(conditions: tuple[Condition, ...], taken: set[str], report: Report) -> None:
    """条件编号 (4) and their cite and quote (3)."""
    seen = set(taken)
    for condition in conditions:
        for node in condition.walk():
            if node.id and node.id in seen:
                report(Problem(4, f"条件编号“{node.id}”重复了，请改一个", node.place))
            seen.add(node.id)
        if not condition.id:
            report(Problem(4, "编号条件（all 下面的每一条）要写 id", condition.place))
        if not condition.cite or not condition.quote:
            lacks = [
                what
                for what, text in (("cite（条款）", condition.cite), ("quote（原文）", condition.quote))
                if not text
            ]
            message = f"编号条件要写 cite（条款）和 quote（原文）；这一条缺 {'、'.join(lacks)}"
            report(Problem(3, message, condition.place))


def check_item_ids(library: Library, report: Report) -> None:
    """事项编号不重复 (4)."""
    files: dict[str, list[str]] = {}
    for loaded in library.items:
        files.setdefault(loaded.item.id, []).append(loaded.file)
    for loaded in library.items:
        others = [file for file in files[loaded.item.id] if file != loaded.file]
        if others:
            message = f"事项编号“{loaded.item.id}”不止一个文件用到，还有 {'、'.join(others)}；请改成各自文件名的编号"
            report(Problem(4, message, loaded.item.place))


def check_cases(document: LoadedDocument, library: Library, report: Report) -> int:
    """一份文件的样例: every item's cases and the allocation cases; returns how many ran."""
    count = 0
    seen: set = set()
    for loaded in document.items:
        program = loaded.program
        if program is None:
            continue
        coverage_level = "warning" if loaded.item.status == "草稿" else "error"
        faults: list[Problem] = []
        cases = read_cases(loaded, library, faults.append)
        for problem in faults:
            report(problem)
        if any(p.code in REFUSING for p in faults):
            continue  # what the cases expect can't be judged on facts that could not be read
        coverage = check_case_file(program, cases, library, report)
        count += coverage.ran
        check_coverage(program, coverage, Place(loaded.file), report, coverage_level)
        seen |= general_decisive(program, coverage)
    programs = [i.program for i in document.items if i.program is not None and not i.item.without]
    if programs and not library.incomplete(document):  # else a case may stand in a refused item
        check_general(programs[0], seen, report)
    return count + check_allocation(document, library, report)


def read_cases(loaded: LoadedItem, library: Library, report: Report) -> CaseFile:
    """样例文件: the cases beside a rule, none where there is no file."""
    path = case_file_of(library.root / loaded.file)
    file = f"{loaded.file.removesuffix('.yaml')}.test.yaml"
    if not path.is_file() or loaded.program is None:
        return CaseFile(loaded.item.id, file)
    root: Node | None = read_yaml(path, file, report)
    if root is None:
        return CaseFile(loaded.item.id, file)
    return CaseReader(library.dictionary, report).file(root, loaded.program, file)


def coverage_words(item: PolicyItem, general: tuple[Condition, ...]) -> tuple[int, int]:
    """机判与人工: how many numbered conditions the machine decides and how many a person does."""
    every = (*general, *numbered(item.conditions))
    people = sum(any(leaf.kind == "ask" for leaf in c.leaves()) for c in every)
    return len(every) - people, people
