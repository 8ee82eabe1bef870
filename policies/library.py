"""政策库: a folder of policy documents and rule files, read and compiled; every fault is kept, the rest goes on."""

from __future__ import annotations

import errno
import gc
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event

from rapidfuzz import fuzz, process

from engine import yamltext
from engine.errors import Place, Problem
from engine.indicators import Dictionary, read_indicators
from engine.policy import Clause, PolicyDocument, PolicyItem
from engine.program import Compiler, Numbered, Program, Shared
from engine.rulefile import Reader
from engine.yamltext import Node, Report

HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*$")
REFUSING = (0, 1, 2)
LIKE, CLOSE = (
    60.0,
    8.0,
)  # of 100: below it two ids are no slip of each other; how far behind the best one may be


@dataclass
class LoadedItem:
    """事项文件: the item, its root node, and its program (None where faults of code 0 to 2 refuse it)."""

    file: str
    item: PolicyItem
    root: Node
    program: Program | None


WHY_UNREAD = {errno.EISDIR: "这是文件夹，要是文件", errno.EACCES: "没有权限读，请改文件的权限"}


@dataclass
class LoadedDocument:
    """文件夹: a document with its items; `general` is None where the general conditions are at fault."""

    document: PolicyDocument
    items: list[LoadedItem] = field(default_factory=list)
    general: tuple[Numbered, ...] | None = ()


@dataclass
class Library:
    """政策库: documents, dictionary, sets and every problem found while reading."""

    root: Path
    dictionary: Dictionary
    sets: dict[str, tuple[str, ...]]
    documents: dict[str, LoadedDocument] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    shared: Shared = field(default_factory=Shared, repr=False)

    @property
    def items(self) -> list[LoadedItem]:
        """全部事项, in the order of their ids."""
        return [item for document in self.documents.values() for item in document.items]

    @property
    def programs(self) -> list[Program]:
        """可比对的事项."""
        return [i.program for i in self.items if i.program is not None]

    @property
    def refused(self) -> list[str]:
        """不能比对的事项: ids (or files) of items that faults of code 0 to 2 refuse."""
        known = [i.item.id for i in self.items if i.program is None]
        items = {i.file for i in self.items}
        unread = {
            p.place.file
            for p in self.problems
            if p.level == "error"
            and p.code in REFUSING
            and _is_item(p.place.file)
            and p.place.file not in items
        }
        return known + sorted(unread)

    def incomplete(self, document: LoadedDocument) -> bool:
        """缺事项的文件: whether an item of the document is refused or unread, so that its cases together say nothing."""
        return any(name.startswith(f"{document.document.id}/") for name in self.refused)

    def program(self, item_id: str) -> Program | None:
        """事项: by id."""
        return next((p for p in self.programs if p.item.id == item_id), None)

    def wanted(self, item_id: str) -> Program:
        """要的事项: by id. Raises ValueError with the id that was probably meant, or why it can't be matched."""
        found = self.program(item_id)
        if found is not None:
            return found
        if item_id in self.refused:
            raise ValueError(f"事项 {item_id} 的规则有错，没有比对；先运行 huiqi check 看错在哪里")
        titled = [p.item.id for p in self.programs if item_id and item_id in p.item.title]
        meant = titled or near_ids(item_id, [p.item.id for p in self.programs])
        cure = f"您是不是想写 {'、'.join(meant[:3])}？" if meant else "huiqi items 列出全部"
        raise ValueError(f"政策库里没有事项“{item_id}”。{cure}")


def near_ids(written: str, known: Sequence[str]) -> list[str]:
    """想写的编号: by the item's own part first (the same, beginning so, holding it, looking alike), its document before others.

    An id as a whole says little of likeness: most of it is the document's number, which most items share.
    """
    document, _, own = written.strip().lower().replace("_", "-").rpartition("/")
    if not own:
        return []
    parts = {name: name.rpartition("/")[2] for name in known}
    best = max((fuzz.ratio(part, own) for part in parts.values()), default=0.0)
    near: list[Callable[[str], bool]] = [
        lambda part: part == own,
        lambda part: part.startswith(own),
        lambda part: own in part,
        lambda part: fuzz.ratio(part, own) >= max(LIKE, best - CLOSE),
    ]
    for alike in near:
        found = [name for name in known if alike(parts[name])]
        here = [name for name in found if name.startswith(f"{document}/")]
        if found:
            return sorted(here or found, key=lambda name: -fuzz.ratio(parts[name], own))
    whole = process.extractOne(written, known, scorer=fuzz.ratio, score_cutoff=LIKE)
    return [whole[0]] if whole else []


def _is_item(file: str) -> bool:
    return "/items/" in file and not file.endswith(".test.yaml")


class LibraryError(ValueError):
    """政策库错误: the folder is no library."""


def load_library(
    root: Path, dictionary: Dictionary, set_overrides: Mapping[str, Sequence[str]] | None = None
) -> Library:
    """读政策库: all documents below the folder. Raises LibraryError where there is none."""
    if not root.is_dir():
        raise LibraryError(f"没有政策库文件夹：{root}。请用 --library 指明，或设 HUIQI_LIBRARY")
    library = Library(root, dictionary, {})
    report = library.problems.append
    library.dictionary = own_dictionary(root, dictionary, report)
    library.sets = _read_sets(root, report)
    library.sets.update({name: tuple(members) for name, members in (set_overrides or {}).items()})
    folders = sorted(p.parent for p in root.glob("*/document.yaml"))
    orphans = sorted({p.parents[1] for p in root.glob("*/items/*.yaml")} - set(folders))
    with without_collector():
        for folder in sorted([*folders, *orphans]):
            library.documents[folder.name] = _read_document(library, folder, report)
    if not library.documents:
        raise LibraryError(f"{root} 里没有政策（应当有 文件编号/document.yaml）")
    return library


def own_dictionary(root: Path, dictionary: Dictionary, report: Report) -> Dictionary:
    """本库的指标字典: the given one with the entries of the library's own indicators.yaml, where it has one."""
    own = root / "indicators.yaml"
    text = _text(own, "indicators.yaml", report) if own.is_file() else None
    if text is None:
        return dictionary
    return dictionary.with_entries(read_indicators(text, "indicators.yaml", report))


def read_document(library: Library, folder: Path) -> tuple[LoadedDocument, list[Problem]]:
    """读一份文件: a document's folder with the library's dictionary and sets, outside of it; with its own problems.

    Raises LibraryError where the folder holds no document.
    """
    if not (folder / "document.yaml").is_file():
        raise LibraryError(
            f"{folder} 里没有 document.yaml；要一份政策文件的文件夹（文件编号/document.yaml、items/）"
        )
    aside = Library(folder.parent, library.dictionary, library.sets)
    return _read_document(aside, folder, aside.problems.append), aside.problems


_frozen = Event()  # asking the collector how much it left out walks through all of it


@contextmanager
def without_collector(freeze: bool = True) -> Iterator[None]:
    """不找循环: trees are built and kept, and the cycle collector would look at them again and again, for half of the time.

    With `freeze`, what the first library of a process is built of is left out of its later rounds: each would take as long
    as reading it. Only the first: `gc.freeze` takes along whatever cycles wait to be collected, and they would never be.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            if freeze and not _frozen.is_set():
                _frozen.set()
                gc.freeze()
            gc.enable()


def _text(path: Path, file: str, report: Report) -> str | None:
    try:
        data = path.read_bytes()
    except OSError as error:
        report(Problem(0, f"读不出文件：{WHY_UNREAD.get(error.errno or 0, error.strerror)}", Place(file)))
        return None
    return yamltext.decode(data, file, report)


def read_yaml(path: Path, file: str, report: Report) -> Node | None:
    """读 YAML 文件: the root node, or None with the problem reported."""
    text = _text(path, file, report)
    return None if text is None else yamltext.read(text, file, report)


def _read_sets(root: Path, report: Report) -> dict[str, tuple[str, ...]]:
    out = {}
    for path in sorted((root / "sets").glob("*.yaml")):
        file = f"sets/{path.name}"
        node = read_yaml(path, file, report)
        if node is None:
            continue
        if not node.is_list or any(n.text is None for n in node.list()):
            report(Problem(1, '集合文件应当是一列文字，每行一个，例如 - "C39*"', node.place))
            continue
        out[path.stem] = tuple(n.text for n in node.list() if n.text)
    return out


def _read_document(library: Library, folder: Path, report: Report) -> LoadedDocument:
    name = folder.name
    path = folder / "document.yaml"
    reader = Reader(report)
    document = PolicyDocument(name, Place(f"{name}/document.yaml"))
    if not path.is_file():
        report(Problem(1, "缺少 document.yaml（文件名称、文号、日期）", document.place))
    else:
        before = len(library.problems)
        root = read_yaml(path, f"{name}/document.yaml", report)
        read = reader.document(name, root) if root is not None else None
        document = read or document
        broken = any(p.code in REFUSING and "general" in p.place.path for p in library.problems[before:])
        if read is None or broken:
            loaded = LoadedDocument(document, general=None)
            return _read_items(library, folder, loaded, report)
    text = folder / "text.md"
    if text.is_file():
        body = _text(text, f"{name}/text.md", report) or ""
        document = replace(document, text=body, clauses=clauses(body))
    loaded = LoadedDocument(document)
    loaded.general = Compiler(library.dictionary, library.sets, report, library.shared).general(document)
    return _read_items(library, folder, loaded, report)


def _read_items(library: Library, folder: Path, loaded: LoadedDocument, report: Report) -> LoadedDocument:
    for path in sorted((folder / "items").glob("*.yaml")):
        if path.name.endswith(".test.yaml"):
            continue
        file = f"{folder.name}/items/{path.name}"
        before = len(library.problems)
        root = read_yaml(path, file, report)
        item = Reader(report).item(root) if root is not None else None
        if item is None or root is None:
            continue
        program = Compiler(library.dictionary, library.sets, report, library.shared).item(
            item, loaded.document, loaded.general
        )
        sound = not any(p.code in REFUSING and p.level == "error" for p in library.problems[before:])
        loaded.items.append(LoadedItem(file, item, root, program if sound else None))
    return loaded


def clauses(text: str) -> tuple[Clause, ...]:
    """条款: the headings of a text.md, each with what stands under it down to the next heading of its level."""
    lines = text.split("\n")
    heads = [(i, len(m[1]), m[2]) for i, line in enumerate(lines) if (m := HEADING.match(line))]
    out = []
    for at, (line, depth, heading) in enumerate(heads):
        end = next((h[0] for h in heads[at + 1 :] if h[1] <= depth), len(lines))
        label = heading.split()[0]
        out.append(Clause(label, heading, "\n".join(lines[line:end]), line + 1))
    return tuple(out)
