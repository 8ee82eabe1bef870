"""YAML 文本: YAML read with every scalar as text and every node with its place (rule language, section 1)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import yaml

from engine import yamlwords
from engine.errors import Place, Problem


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Every scalar is text here, so none is tried against the patterns of numbers and dates."""

    yaml_implicit_resolvers: dict = {}  # noqa: RUF012

    # With no patterns to try, what the parser asks of a resolver is one look-up; asked for every node, it shows.
    def resolve(self, kind: type, value: object, implicit: object) -> str:
        return _TAGS[kind]

    def descend_resolver(self, current_node: object, current_index: object) -> None:
        pass

    def ascend_resolver(self) -> None:
        pass


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
    """节点: a scalar (text or None), a list or a mapping, with its place. Mapping values keep their keys' places.

    Never changed once made; not frozen for the reason that Place is not.
    """

    value: object
    place: Place
    keys: dict[str, Place] | None = None
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

    def items(self) -> Iterator[tuple[str, Node]]:
        if isinstance(self.value, dict):
            yield from self.value.items()

    def list(self) -> list[Node]:
        return self.value if isinstance(self.value, list) else []

    def get(self, key: str) -> Node | None:
        found = self.value.get(key) if isinstance(self.value, dict) else None
        return None if found is None or found.value is None else found

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
        return _convert(root, file, "", report, 0, set())
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


def _convert(node: yaml.Node, file: str, path: str, report: Report, depth: int, seen: set[int]) -> Node:
    place = Place(file, node.start_mark.line + 1, node.start_mark.column + 1, path)
    if depth > MAX_DEPTH:
        raise _Refused(Problem(0, f"嵌套超过 {MAX_DEPTH} 层，请拆开写", place))
    if id(node) in seen:
        raise _Refused(Problem(0, "不支持 YAML 的锚点和引用（& 和 *），请写全", place))
    seen.add(id(node))
    if node.tag not in KNOWN_TAGS:
        raise _Refused(Problem(0, f"不支持标签“{node.tag}”，请去掉", place))
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, place)
    if isinstance(node, yaml.SequenceNode):
        rows = [
            _convert(child, file, _row_path(path, child, i), report, depth + 1, seen)
            for i, child in enumerate(node.value, 1)
        ]
        return Node(rows, place)
    return _mapping(node, place, report, depth, seen)


def _row_path(path: str, child: yaml.Node, index: int) -> str:
    """A node with an id is named by it (conditions › rd_scale), any other row by its number."""
    pairs = child.value if isinstance(child, yaml.MappingNode) else []
    name = next((v.value for k, v in pairs if k.value == "id" and isinstance(v, yaml.ScalarNode)), "")
    if name:
        path = path.removesuffix(" › all").removesuffix(" › any")
    name = name or f"第{index}项"
    return f"{path} › {name}" if path else name


def _scalar(node: yaml.ScalarNode, place: Place) -> Node:
    quoted = node.style in ("'", '"', "|", ">")
    text = unicodedata.normalize("NFC", node.value)
    if not quoted and text in ("", "~", "null", "Null", "NULL"):
        return Node(None, place)
    if node.style in ("'", '"'):
        place = Place(place.file, place.line, place.column + 1, place.path)
    return Node(text, place, quoted=quoted)


def _mapping(node: yaml.MappingNode, place: Place, report: Report, depth: int, seen: set[int]) -> Node:
    value: dict[str, Node] = {}
    keys: dict[str, Place] = {}
    for key_node, child in node.value:
        mark = key_node.start_mark
        key_place = Place(place.file, mark.line + 1, mark.column + 1, place.path)
        if not isinstance(key_node, yaml.ScalarNode):
            raise _Refused(Problem(0, "键必须是文字", key_place))
        key = unicodedata.normalize("NFC", key_node.value)
        slip = yamlwords.slip_in_key(key) if key_node.style not in ("'", '"') else None
        if slip is not None:
            place = Place(place.file, mark.line + 1, mark.column + 1 + slip.start, place.path)
            raise _Refused(Problem(0, slip.message, place, source=key, span=(slip.start, slip.end)))
        if key in value:
            first = keys[key].line
            report(Problem(0, f"键“{key}”重复了，第 {first} 行已经写过，请合并或删去一个", key_place))
            continue
        keys[key] = key_place
        path = f"{place.path} › {key}" if place.path else key
        value[key] = _convert(child, place.file, path, report, depth + 1, seen)
    return Node(value, place, keys)
