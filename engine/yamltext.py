"""YAML 文本: YAML read with every scalar as text and every node with its place (rule language, section 1)."""

from __future__ import annotations

import operator
import re
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass

import yaml

from engine import yamlwords
from engine.errors import Place, Problem


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Every scalar is text here, so none is tried against the patterns of numbers and dates."""

    yaml_implicit_resolvers: dict = {}  # noqa: RUF012

    # With no patterns to try, what the parser asks of a resolver is one look-up, and where it stands is nothing to it:
    # whatever takes two things, or none, will do. Asked for every node, functions of Python's own would show.
    descend_resolver, ascend_resolver = operator.is_, tuple

    def resolve(self, kind: type, value: object, implicit: object) -> str:
        return _TAGS[kind]


_TAGS = {
    yaml.ScalarNode: "tag:yaml.org,2002:str",
    yaml.SequenceNode: "tag:yaml.org,2002:seq",
    yaml.MappingNode: "tag:yaml.org,2002:map",
}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_FRONT = re.compile(r"^[ \-?:]+", re.MULTILINE)
_REFERENCE = re.compile(r"(?:^|[\s\[{,:-])\*\S", re.MULTILINE)
_TAB_INDENT = re.compile(r"^[^\S\n]*?\t", re.MULTILINE)

MAX_DEPTH = 60
KNOWN_TAGS = {f"tag:yaml.org,2002:{name}" for name in
              ("str", "int", "float", "bool", "null", "timestamp", "seq", "map", "value", "merge")}  # fmt: skip


@dataclass
class Node:
    """节点: a scalar (text or None), a list or a mapping, with its place. Mappings know where their keys begin.

    Never changed once made; not frozen for the reason that Place is not.
    """

    value: object
    place: Place
    marks: dict[str, yaml.Mark] | None = None
    quoted: bool = False

    @property
    def is_map(self) -> bool:
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        return isinstance(self.value, list)

    @property
    def text(self) -> str | None:
        """文本: the scalar, or None for an empty one, a list or a mapping."""
        return self.value if isinstance(self.value, str) else None

    def items(self) -> Collection[tuple[str, Node]]:
        """键和值 of a mapping; nothing of anything else."""
        return self.value.items() if isinstance(self.value, dict) else ()

    def list(self) -> list[Node]:
        return self.value if isinstance(self.value, list) else []

    def get(self, key: str) -> Node | None:
        found = self.value.get(key) if isinstance(self.value, dict) else None
        return None if found is None or found.value is None else found

    def key_place(self, key: str) -> Place:
        """键的位置: where a mapping's key stands; the mapping's own place for a key that it has not."""
        mark = (self.marks or {}).get(key)
        return self.place if mark is None else _at(mark, self.place)

    def plain(self) -> object:
        """纯值: nested dicts, lists and texts."""
        if isinstance(self.value, dict):
            return {k: v.plain() for k, v in self.value.items()}
        if isinstance(self.value, list):
            return [v.plain() for v in self.value]
        return self.value


Report = Callable[[Problem], None]


def why_not_built(text: str) -> str:
    """为什么不读: what makes a YAML text dangerous to build a tree of, in words, "" where nothing does.

    The parser in C climbs down one call a level and takes the whole process with it where the stack ends; and a line of
    references to references is a tree of thousands of millions of nodes for whoever walks it. Looked for among the
    parser's events, which are made one after another, and only where the text has enough signs of either.
    """
    signs = text.count("[") + text.count("{") + 2 * max((len(m[0]) for m in _FRONT.finditer(text)), default=0)
    if signs <= MAX_DEPTH and not _REFERENCE.search(text):
        return ""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            if isinstance(event, yaml.AliasEvent):
                return "不支持 YAML 的锚点和引用（& 和 *），请写全"
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > MAX_DEPTH:
                return f"嵌套超过 {MAX_DEPTH} 层，请拆开写"
    except yaml.YAMLError:
        pass  # whoever reads it stops at the same place and says it better
    return ""


def decode(data: bytes, file: str, report: Report) -> str | None:
    """解码: UTF-8 text of a file, or None with one problem (code 0) that says what the encoding seems to be."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        guess = _guess_encoding(data)
        report(Problem(0, f"文件不是 UTF-8 编码{guess}，请另存为 UTF-8", Place(file)))
        return None
    bad = _CONTROL.search(text)
    if bad is not None:
        number, column = _line_of(text, bad.start())
        report(Problem(0, f"有看不见的控制字符 U+{ord(bad[0]):04X}，请删去", Place(file, number, column)))
        return None
    return text


def _line_of(text: str, at: int) -> tuple[int, int]:
    """Line and column, both from 1, of a place in a text."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _guess_encoding(data: bytes) -> str:
    for name, label in (("utf-16", "UTF-16"), ("gb18030", "GBK/GB18030")):
        if name == "utf-16" and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
            continue
        try:
            data.decode(name)
        except UnicodeDecodeError:
            continue
        return f"（看来是 {label}）"
    return ""


def read(text: str, file: str, report: Report) -> Node | None:
    """读 YAML: the root node, or None with problems of code 0 (not readable) reported, each with line and column."""
    tab = _TAB_INDENT.search(text)
    if tab is not None:
        number, column = _line_of(text, tab.end() - 1)
        report(Problem(0, "缩进里有制表符（Tab），请改用空格", Place(file, number, column)))
        return None
    wrong = why_not_built(text)
    if wrong.startswith("嵌套"):
        report(Problem(0, wrong, Place(file)))
        return None
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        report(unreadable(error, text, file))
        return None
    if root is None:
        report(Problem(0, "文件是空的", Place(file)))
        return None
    if isinstance(root, yaml.ScalarNode) and yamlwords.find_slip(text, 1) is not None:
        report(unreadable(yaml.YAMLError(), text, file))
        return None
    try:
        return _Builder(file, report).node(root, "", 0)
    except _Refused as refused:
        report(refused.problem)
        return None


def unreadable(error: yaml.YAMLError, text: str, file: str) -> Problem:
    """读不成的原因: a problem of code 0 in the reader's words, at the place where a person would look for it."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line, column = (mark.line + 1, mark.column) if mark else (1, 0)
    message = yamlwords.say(str(getattr(error, "problem", None) or error))
    if "引号没有配对" in message and getattr(error, "context_mark", None):
        line, column = error.context_mark.line + 1, error.context_mark.column
    lines = text.splitlines() or [""]
    slip = yamlwords.find_slip(text, line) or yamlwords.Slip(message, line, column, column + 1)
    shown = lines[min(slip.line, len(lines)) - 1]
    place = Place(file, slip.line, slip.start + 1)
    return Problem(0, f"不是合法的 YAML：{slip.message}", place, source=shown, span=(slip.start, slip.end))


class _Refused(Exception):
    def __init__(self, problem: Problem):
        super().__init__(problem.message)
        self.problem = problem


def _at(mark: yaml.Mark, like: Place, shift: int = 0) -> Place:
    return Place(like.file, mark.line + 1, mark.column + 1 + shift, like.path)


class _Builder:
    """Makes nodes of the parser's. Thousands of rule files have a quarter of a million of them: what is asked of each is
    asked in one place, and of ASCII words nothing that only others can have."""

    def __init__(self, file: str, report: Report):
        self.file, self.report = file, report
        self.seen: set[int] = set()

    def node(self, node: yaml.Node, path: str, depth: int) -> Node:
        mark = node.start_mark
        place = Place(self.file, mark.line + 1, mark.column + 1, path)
        if depth > MAX_DEPTH:
            raise _Refused(Problem(0, f"嵌套超过 {MAX_DEPTH} 层，请拆开写", place))
        if id(node) in self.seen:
            raise _Refused(Problem(0, "不支持 YAML 的锚点和引用（& 和 *），请写全", place))
        self.seen.add(id(node))
        if node.tag not in KNOWN_TAGS:
            raise _Refused(Problem(0, f"不支持标签“{node.tag}”，请去掉", place))
        value = node.value
        if isinstance(value, str):
            return _scalar(value, node.style, place)
        if isinstance(node, _MAPPING):
            return self.mapping(value, place, depth + 1)
        rows = [self.node(child, _row_path(path, child, i), depth + 1) for i, child in enumerate(value, 1)]
        return Node(rows, place)

    def mapping(self, pairs: list[tuple[yaml.Node, yaml.Node]], place: Place, depth: int) -> Node:
        value: dict[str, Node] = {}
        marks: dict[str, yaml.Mark] = {}
        lead = f"{place.path} › " if place.path else ""
        for key_node, child in pairs:
            key, mark = key_node.value, key_node.start_mark
            if not isinstance(key, str):
                raise _Refused(Problem(0, "键必须是文字", _at(mark, place)))
            if not key.isascii():
                key = _key(key, key_node, place)
            if key in value:
                first = marks[key].line + 1
                told = f"键“{key}”重复了，第 {first} 行已经写过，请合并或删去一个"
                self.report(Problem(0, told, _at(mark, place)))
                continue
            marks[key] = mark
            value[key] = self.node(child, lead + key, depth)
        return Node(value, place, marks)


def _key(key: str, node: yaml.Node, place: Place) -> str:
    """The key as it is looked up; one that swallowed full-width punctuation is refused."""
    key = unicodedata.normalize("NFC", key)
    slip = yamlwords.slip_in_key(key) if node.style not in _QUOTES else None
    if slip is not None:
        here = _at(node.start_mark, place, slip.start)
        raise _Refused(Problem(0, slip.message, here, source=key, span=(slip.start, slip.end)))
    return key


def _row_path(path: str, child: yaml.Node, index: int) -> str:
    """A node with an id is named by it (conditions › rd_scale), any other row by its number."""
    pairs = child.value if isinstance(child, _MAPPING) else ()
    for key, value in pairs:
        if key.value == "id" and value.value and isinstance(value.value, str):
            path = path.removesuffix(" › all").removesuffix(" › any")
            return f"{path} › {value.value}" if path else value.value
    return f"{path} › 第{index}项" if path else f"第{index}项"


def _scalar(text: str, style: str | None, place: Place) -> Node:
    if style in _QUOTES:
        place.column += 1  # made for this node alone
    elif text in _EMPTY and style not in _BLOCKS:
        return Node(None, place)
    return Node(
        text if text.isascii() else unicodedata.normalize("NFC", text),
        place,
        None,
        style in _QUOTES or style in _BLOCKS,
    )


_MAPPING = yaml.MappingNode
_QUOTES, _BLOCKS, _EMPTY = ("'", '"'), ("|", ">"), ("", "~", "null", "Null", "NULL")
