"""数据来源: declarations of sources (profiles/sources/*.yaml); adding one takes no Python."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from rapidfuzz import process

from engine.tokens import nearest
from engine.yamltext import unreadable, why_not_built
from engine.yamlwords import slip_in_key
from profiles.patterns import pattern as compiled

BUILT_IN = Path(__file__).parent / "sources"
YES, NO = ("是", "true", "True", "yes"), ("否", "false", "False", "no")
REFRESH = re.compile(r"(\d{1,5}) *(天|日|周|个月|月|年)")
DAYS = {"天": 1, "日": 1, "周": 7, "个月": 30, "月": 30, "年": 365}
# What departments write where they have nothing; a source may add its own.
MISSING = (
    "",
    "N/A",
    "n/a",
    "NA",
    "null",
    "NULL",
    "None",
    "-",
    "--",
    "—",
    "——",
    "/",
    "\\",
    "无数据",
    "暂无",
    "#N/A",
)


class SourceError(ValueError):
    """来源声明错误: one line that names the file, the key and the cure."""


def _yes(value: object) -> object:
    if isinstance(value, str):
        if value in YES:
            return True
        if value in NO:
            return False
        raise ValueError("要写 是 或 否")
    return value


YesNo = Annotated[bool, BeforeValidator(_yes)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileForm(_Strict):
    """文件格式: how the file is to be read; everything left out is found out from the file itself."""

    format: Literal["auto", "csv", "xlsx", "jsonl", "parquet"] = "auto"
    encoding: str = "auto"
    delimiter: str = "auto"
    sheet: str = ""
    header: Annotated[int, Field(ge=1, description="表头在第几行")] = 1


class Database(_Strict):
    """数据库来源: a table or a query of another database; its address comes from the environment, never from the file."""

    url_env: str
    table: str = ""
    query: str = ""

    @model_validator(mode="after")
    def _one(self) -> Database:
        if bool(self.table) == bool(self.query):
            raise ValueError("database 要写 table 或 query，只写一个")
        return self


class DateFrom(_Strict):
    """数据日期: the day the data speak of: a column, the file's name, or fixed; nothing: the day of arrival."""

    column: str = ""
    name: Annotated[str, Field(description="文件名里的日期，正则，第一个括号是日期")] = ""
    fixed: str = ""


class FirmColumns(_Strict):
    """企业标识: which columns say whose row it is."""

    code: str = ""
    name: str = ""
    old_number: str = ""
    organisation: str = Field("", description="九位组织机构代码")


class YearColumn(_Strict):
    """年度: the column that gives the year of a row's yearly indicators."""

    column: str


class ListRows(_Strict):
    """名单行: each row is one member (项目, 产品, 人才) of a list of the firm, known by its key column."""

    indicator: Literal["项目", "产品", "人才"]
    key: str


class Relation(_Strict):
    """关系: a column that refers to another enterprise, or to an earlier number or name of this one."""

    kind: Literal["原注册号", "组织机构代码", "曾用名", "总公司", "分支机构", "合并入", "分立自", "投资方"]
    column: str
    separator: str = "；"


class Column(_Strict):
    """列: one column, read as one indicator; without `indicator` its cells are only held against `pattern`."""

    indicator: str = ""
    unit: str = ""
    currency: str = "人民币"
    year: int | None = None
    required: YesNo = False
    sensitive: YesNo = False
    authority: int | None = Field(None, ge=1, le=9)
    separator: str = "；;、|"
    values: dict[str, str] = Field(default_factory=dict, description="来源的写法 → 取值")
    patterns: dict[str, str] = Field(
        default_factory=dict, description="正则 → 取值，依次试，先中先得；取值为空是看懂了但说明不了"
    )
    join: tuple[str, ...] = Field((), description="和这一列连在一起再比 patterns、再查 lookup 的其他列")
    lookup: Literal["", "行政区划"] = Field(
        "", description="patterns 都不合时查表：这一列是省，join 是地区、地址"
    )
    pattern: str = Field("", description="整个单元格必须合乎的正则")
    unusable: Literal["整行", "本格"] = Field(
        "整行", description="看懂了但不能取用（外币无折算率、没有译值）：整行退回，还是只空这一格"
    )


class Source(_Strict):
    """数据来源: one department's file or table: whose it is, how it is read, what its columns mean."""

    source: str
    title: str = ""
    department: str
    contact: str = ""
    registry: str = Field(
        "", description="归口登记，同指标字典的 source；只有归口的全量来源到过，没有才算“无”"
    )
    authority: int = Field(2, ge=1, le=9)
    coverage: Literal["全量", "部分"] = "部分"
    restates: YesNo = False
    refresh: str = ""
    expect_rows: Literal["相当", "不定"] = "相当"
    file: FileForm = FileForm()
    database: Database | None = None
    inbox: str = Field("", description="收件箱里属于它的文件名（通配符）")
    missing: tuple[str, ...] = ()
    date: DateFrom = DateFrom()
    firm: FirmColumns
    year: YearColumn | None = None
    members: ListRows | None = None
    rates: dict[str, float] = Field(default_factory=dict, description="币种 → 折人民币")
    columns: dict[str, Column | tuple[Column, ...] | None]
    relations: tuple[Relation, ...] = ()

    @model_validator(mode="after")
    def _sound(self) -> Source:
        if not (self.firm.code or self.firm.name or self.firm.old_number or self.firm.organisation):
            raise ValueError("firm 至少要有 code、name、old_number、organisation 之一")
        if self.refresh and not REFRESH.fullmatch(self.refresh):
            raise ValueError("refresh 要写成 30天、1个月 这样")
        for name, column in self._all():
            if not column.indicator and not column.pattern:
                raise ValueError(f"columns › {name} 要写 indicator，或只写 pattern 用来核对")
            for pattern in (column.pattern, *column.patterns):
                _readable(pattern, f"columns › {name}")
        _readable(self.date.name, "date › name")
        return self

    def mapped(self) -> Iterator[tuple[str, Column]]:
        """映射: (column name, how it is read), in the declaration's order."""
        return (one for one in self._all() if one[1].indicator)

    def checked(self) -> Iterator[tuple[str, Column]]:
        """核对列: columns that fill nothing and whose cells must have a form: the sign of a shifted row."""
        return (one for one in self._all() if not one[1].indicator)

    def _all(self) -> Iterator[tuple[str, Column]]:
        for name, entry in self.columns.items():
            if isinstance(entry, Column):
                yield name, entry
            else:
                yield from ((name, one) for one in entry or ())

    @cached_property
    def missing_marks(self) -> frozenset[str]:
        return frozenset((*MISSING, *self.missing))

    @cached_property
    def digest(self) -> str:
        """声明摘要: 16 hex digits over the whole declaration."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()[:16]

    @cached_property
    def canonical(self) -> str:
        """声明全文: canonical JSON, kept with every batch."""
        plain = self.model_dump(mode="json", exclude_defaults=True)
        return json.dumps(plain, ensure_ascii=False, sort_keys=False)

    @property
    def refresh_days(self) -> int | None:
        found = REFRESH.fullmatch(self.refresh)
        return int(found[1]) * DAYS[found[2]] if found else None

    def place(self, *steps: str) -> str:
        """位置: file, line and keys of a part of the declaration; without a line where it came from a batch's record."""
        file, text = self.__dict__.get("written", (f"{self.source}.yaml", ""))
        line = f":{_line_of(text.splitlines(), list(steps))}" if text else ""
        return f"{file}{line}  {' › '.join(steps)}"

    def indicators(self) -> list[str]:
        """指标: names this source fills."""
        names = list(dict.fromkeys(column.indicator for _, column in self.mapped()))
        return [*names, self.members.indicator] if self.members else names

    @cached_property
    def own_authority(self) -> dict[str, int]:
        """列的权威等级: of indicators whose column has its own."""
        return {c.indicator: c.authority for _, c in self.mapped() if c.authority is not None}

    def authority_of(self, indicator: str) -> int:
        """权威等级: of this source for an indicator; a column may have its own."""
        return self.own_authority.get(indicator, self.authority)


def parse_source(text: str, file: str) -> Source:
    """读来源声明: one source from YAML text; SourceError names file, key and cure."""
    if wrong := why_not_built(text):
        raise SourceError(f"{file}:1  {wrong}")
    try:
        plain = yaml.load(text, Loader=_TextLoader)
    except yaml.YAMLError as error:
        fault = unreadable(error, text, file)
        raise SourceError(f"{file}:{fault.place.line}  {fault.message}") from error
    if not isinstance(plain, dict):
        raise SourceError(f"{file}:1  来源声明应当是“source: 名称 …”的映射")
    try:
        found = Source.model_validate(plain)
    except ValidationError as error:
        raise SourceError(_explain(error, file, text)) from error
    found.__dict__["written"] = (file, text)  # beside the fields, as cached properties are: for `place` alone
    return found


def read_source(path: Path) -> Source:
    """读来源声明文件: the source named in it must be the file's name."""
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(f"{path}  不是 UTF-8 编码，请另存为 UTF-8") from error
    found = parse_source(text, str(path))
    if found.source != path.stem:
        raise SourceError(f"{path}  source 是“{found.source}”，与文件名“{path.stem}”不同，请改成一样")
    return found


def load_sources(*folders: Path) -> dict[str, Source]:
    """所有来源: name → declaration; a later folder's entry replaces an earlier one of the same name."""
    found: dict[str, Source] = {}
    for folder in folders or (BUILT_IN,):
        for path in sorted(folder.glob("*.yaml")):
            one = read_source(path)
            found[one.source] = one
    return found


@lru_cache(maxsize=1)
def declared_sources() -> dict[str, Source]:
    """声明的数据来源: the built-in ones."""
    return load_sources()


def source_title(name: str, department: str) -> str:
    """来源的中文名: the declaration's title, else the department."""
    declared = declared_sources().get(name)
    return (declared.title if declared else "") or department or name


def find_source(sources: Mapping[str, Source], name: str) -> Source:
    """找来源: by name; SourceError with the nearest name where there is none."""
    if name in sources:
        return sources[name]
    hint = nearest(name, sources)
    raise SourceError(f"没有“{name}”这个来源。{hint}现有：{'、'.join(sorted(sources))}")


def _readable(pattern: str, where: str) -> None:
    try:
        compiled(pattern)
    except ValueError as error:
        raise ValueError(f"{where} 的{error}") from error


class _TextLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Every scalar is text, as in the rule language; a repeated key is an error, not a silent choice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key) for key, _ in node.value]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                problem = f"“{key}”写了两次"
                raise yaml.constructor.ConstructorError(None, None, problem, node.value[index][0].start_mark)
        return super().construct_mapping(node, deep)


def _scalar(loader: Any, node: Any) -> str | None:
    return None if not node.style and node.value in ("", "~", "null") else node.value


for _tag in ("null", "bool", "int", "float", "timestamp", "str"):
    _TextLoader.add_constructor(f"tag:yaml.org,2002:{_tag}", _scalar)


def _explain(error: ValidationError, file: str, text: str) -> str:
    """All faults of the file at once, a line each, in the file's order."""
    lines = text.splitlines()
    found: dict[str, int] = {}
    for one in error.errors():
        steps = [
            str(step) for step in one["loc"] if str(step) not in ("Column", "tuple[Column, ...]", "tuple")
        ]
        where = " › ".join(steps) or "整个文件"
        at = _line_of(lines, steps)
        found.setdefault(f"{file}:{at}  {where}  {_what(one, steps)}", at)
    said = sorted(found, key=lambda words: found[words])
    # A column may also be a list of columns: what pydantic says of the form that was not meant is noise.
    return "\n".join([words for words in said if "要写成映射" not in words] or said)


def _line_of(lines: list[str], steps: list[str]) -> int:
    """The line of the innermost key, looked for from its parents' lines on."""
    at = 0
    for step in steps:
        after = (
            n
            for n in range(at, len(lines))
            if re.match(rf"[\s{{,\"']*{re.escape(step)}[\"']?:", lines[n].strip()) or f"{step}:" in lines[n]
        )
        at = next(after, at)
    return at + 1


def _what(one: Any, steps: list[str]) -> str:
    if one["type"] == "extra_forbidden":
        slip = slip_in_key(steps[-1])
        if slip is not None:
            return slip.message
        near = process.extractOne(steps[-1], _known_keys(), score_cutoff=50)
        return f"没有“{steps[-1]}”这个键。" + (f"您是不是想写“{near[0]}”？" if near else "")
    if one["type"] == "missing":
        return f"缺少“{steps[-1]}”，请补上"
    if one["type"] in ("model_type", "tuple_type", "dict_type"):
        return f"要写成映射（现在是 {one['input']!r}）"[:200]
    if one["type"] == "literal_error":
        return f"只能是 {one['ctx']['expected']}（现在是 {one['input']!r}）".replace(" or ", " 或 ")
    if one["type"] in ("int_parsing", "float_parsing"):
        return f"要写数字（现在是 {one['input']!r}）"
    return f"{one['msg'].removeprefix('Value error, ')}（现在是 {one['input']!r}）"[:200]


def _known_keys() -> list[str]:
    kinds = (Source, FileForm, Database, DateFrom, FirmColumns, YearColumn, ListRows, Relation, Column)
    return sorted({key for kind in kinds for key in kind.model_fields})
