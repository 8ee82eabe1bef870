"""画像规则: derived indicators in the rule language, read from profiles/portrait/*.yaml.

A file maps names to rules: `value:` (a number), `cases:` (top to bottom, the first that holds gives the tag; one
without a condition always holds) or `tags:` (each on its own), with `title`, `section`, `source`, and `note`,
`compare` (an indicator a department gives for the same thing). In conditions Y is the last full year and 申报开始 the
day of the portrait.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from engine import yamltext
from engine.errors import ExpressionError, Problem
from engine.evaluate import Tree
from engine.expression import parse_value
from engine.indicators import Dictionary
from engine.kinds import NUMERIC
from engine.nodes import Node as Expression
from engine.policy import Condition
from engine.program import Compiler
from engine.rulefile import CONDITION_KEYS, Reader
from engine.yamltext import Node, Report
from profiles.dictionary import builtin_dictionary
from profiles.portrait_sets import portrait_sets

FOLDER = Path(__file__).resolve().parent / "portrait"
FORMS = ("value", "cases", "tags")
RULE_KEYS = (*FORMS, "title", "section", "source", "note", "compare")
TAG_KEYS = (*CONDITION_KEYS, "tag", "label")


@dataclass(frozen=True)
class TagRule:
    """标签规则: a tag and the condition under which it holds (None: always)."""

    tag: str
    condition: Condition | None
    tree: Tree | None


@dataclass(frozen=True)
class Rule:
    """画像规则: one derived indicator; exactly one of `value`, `cases` and `tags` is there."""

    name: str
    title: str
    section: str
    source: str
    note: str = ""
    compare: str = ""
    value: Expression | None = None
    cases: tuple[TagRule, ...] = ()
    tags: tuple[TagRule, ...] = ()

    @property
    def options(self) -> tuple[TagRule, ...]:
        """各标签的规则."""
        return self.cases or self.tags


def read_rules(
    text: str, file: str, dictionary: Dictionary, sets: Mapping[str, Sequence[str]], report: Report
) -> list[Rule]:
    """读画像规则: rules of one file; faults are reported with their place and left out."""
    root = yamltext.read(text, file, report)
    if root is None:
        return []
    if not root.is_map:
        report(Problem(1, "画像规则应当是“名称: {title: …}”", root.place))
        return []
    maker = _Maker(dictionary, sets, report)
    return [rule for name, node in root.items() if (rule := maker.rule(name, node)) is not None]


class _Maker:
    """Makes rules out of YAML nodes with the engine's own reader and compiler."""

    def __init__(self, dictionary: Dictionary, sets: Mapping[str, Sequence[str]], report: Report):
        self.dictionary, self.sets, self.report = dictionary, sets, report
        self.reader = Reader(report)
        self.compiler = Compiler(dictionary, sets, report)

    def rule(self, name: str, node: Node) -> Rule | None:
        if self.reader.mapping(node, f"画像规则“{name}”") is None:
            return None
        self.reader.keys(node, RULE_KEYS, "画像规则")
        present = [key for key in FORMS if node.get(key) is not None]
        if len(present) != 1:
            self.report(
                Problem(
                    1,
                    f"“{name}”要写 value、cases、tags 之一，这里有：{'、'.join(present) or '没有'}",
                    node.place,
                )
            )
            return None
        said = {key: self.reader.text(node, key) for key in ("title", "section", "source", "note", "compare")}
        if not said["source"]:
            self.report(Problem(1, f"“{name}”没有写 source（依据哪项标准或哪些数据）", node.place))
            return None
        if said["compare"] and said["compare"] not in self.dictionary:
            self.report(Problem(1, f"没有“{said['compare']}”这个指标", node.place))
            return None
        said["title"] = said["title"] or name
        if present[0] == "value":
            return self._value(name, node, said)
        options = self._options(node, present[0])
        if options is None:
            return None
        rule = Rule(name, **said)  # type: ignore[arg-type]
        return replace(rule, cases=options) if present[0] == "cases" else replace(rule, tags=options)

    def _value(self, name: str, node: Node, said: dict[str, str]) -> Rule | None:
        text, place = self.reader.text(node, "value"), node.get("value").place  # type: ignore[union-attr]
        try:
            value = parse_value(text, self.dictionary, self.sets)
        except ExpressionError as error:
            self.report(Problem(error.code, error.message, place, source=text, span=error.span).at(place))
            return None
        if value.kind.name not in NUMERIC:
            self.report(Problem(2, f"value 要算出金额、比例或数量，这里是{value.kind}", place, source=text))
            return None
        return replace(Rule(name, **said), value=value)  # type: ignore[arg-type]

    def _options(self, node: Node, form: str) -> tuple[TagRule, ...] | None:
        before = self.compiler.errors
        made = []
        for child in node.get(form).list():  # type: ignore[union-attr]
            self.reader.keys(child, TAG_KEYS, "标签")
            tag = self.reader.text(child, "tag")
            condition = self.reader.guard(child)
            if not tag or isinstance(condition, bool):
                self.report(Problem(1, "每一档要写 tag，条件写 when、all、any 或 not", child.place))
                return None
            made.append(TagRule(tag, condition, self.compiler.tree(condition) if condition else None))
        # A case after one that always holds would never be reached.
        always = [place for place, one in enumerate(made) if one.condition is None]
        if not made or any(place < len(made) - 1 for place in always) or (form == "tags" and always):
            self.report(Problem(7, "没有条件的一档只能是 cases 的最后一档", node.place))
            return None
        return tuple(made) if self.compiler.errors == before else None


def load_rules(folder: Path = FOLDER, dictionary: Dictionary | None = None) -> tuple[Rule, ...]:
    """画像规则: all of a folder. Raises ValueError that lists every fault with file, line and cure."""
    problems: list[Problem] = []
    words = dictionary if dictionary is not None else builtin_dictionary()
    found: list[Rule] = []
    for path in sorted(folder.glob("*.yaml")):
        text = yamltext.decode(path.read_bytes(), path.name, problems.append)
        if text is not None:
            found += read_rules(text, path.name, words, portrait_sets(), problems.append)
    names = [rule.name for rule in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        problems.append(Problem(4, f"画像规则重名：{'、'.join(twice)}"))
    faults = [p.render() for p in problems if p.level == "error"]
    if faults:
        raise ValueError("\n".join(faults))
    return tuple(found)


@cache
def bundled_rules() -> tuple[Rule, ...]:
    """内置画像规则."""
    return load_rules()
