"""分类器台: whether a classifier's scores can be believed, where it abstains, and what it gets wrong, type by type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.groups import group_name
from analysis.night import CODE, NAME, View
from policies.decompose.learn import load_annotated
from policies.decompose.pipeline import decompose
from policies.decompose.roles import ROLES
from profiles.portrait_tags import CONFIRMED, text_tags

STEPS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0)
ABSTAIN = 0.5
LEVELS = ("门类", "大类", "中类", "小类")
COLUMNS = ["类型", "说", "应", "把握", "对"]


@dataclass(frozen=True)
class ClassifierReport:
    """分类器报告: `answers` one row an answer: its type, what the classifier says, what is right, score, whether right.

    >>> made = pd.DataFrame([["大类", "A", "A", 0.9, True], ["大类", "B", "C", 0.3, False]], columns=COLUMNS)
    >>> ClassifierReport("例", made).abstained
    0.5
    """

    name: str
    answers: pd.DataFrame

    @property
    def calibration(self) -> pd.DataFrame:
        """校准: by step of the score, how many, the mean score and the share that is right.

        >>> made = pd.DataFrame([["大类", "A", "A", 0.9, True], ["大类", "B", "C", 0.3, False]], columns=COLUMNS)
        >>> ClassifierReport("例", made).calibration["条"].tolist()
        [1, 1]
        """
        steps = pd.cut(self.answers["把握"], list(STEPS), include_lowest=True)
        by = self.answers.groupby(steps, observed=True)
        return by.agg(条=("对", "size"), 平均把握=("把握", "mean"), 答对=("对", "mean")).reset_index(
            names="把握一档"
        )

    @property
    def ece(self) -> float:
        """校准误差 (ECE): mean gap between score and share right over the steps, weighted by size; NaN for no answer.

        >>> made = pd.DataFrame([["大类", "A", "A", 0.9, True], ["大类", "B", "C", 0.3, False]], columns=COLUMNS)
        >>> round(ClassifierReport("例", made).ece, 2)
        0.2
        """
        table = self.calibration
        if not len(table):
            return float("nan")
        return float(np.average((table["平均把握"] - table["答对"]).abs(), weights=table["条"]))

    @property
    def abstained(self) -> float:
        """弃权的份额: answers below the abstain threshold.

        >>> made = pd.DataFrame([["大类", "A", "A", 0.9, True], ["大类", "B", "C", 0.3, False]], columns=COLUMNS)
        >>> ClassifierReport("例", made).abstained
        0.5
        """
        return float((self.answers["把握"] < ABSTAIN).mean()) if len(self.answers) else float("nan")

    @property
    def by_type(self) -> pd.DataFrame:
        """分类型: answers, share right (all, and of those not abstained from), abstentions; the worst first.

        >>> made = pd.DataFrame([["大类", "A", "A", 0.9, True], ["大类", "B", "C", 0.3, False]], columns=COLUMNS)
        >>> ClassifierReport("例", made).by_type["有把握答对"].tolist()
        [1.0]
        """
        sure = self.answers["把握"] >= ABSTAIN
        frame = self.answers.assign(有把握=sure, 有把握对=np.where(sure, self.answers["对"], np.nan))
        by = frame.groupby("类型", as_index=False)
        table = by.agg(
            条=("对", "size"), 答对=("对", "mean"), 有把握答对=("有把握对", "mean"), 弃权=("有把握", "mean")
        )
        table["弃权"] = 1 - table["弃权"]
        return table.sort_values(["答对", "类型"], ignore_index=True)

    @property
    def confusions(self) -> pd.DataFrame:
        """错成什么: pairs of right and said, the most frequent first; industries with their names.

        >>> made = pd.DataFrame([["大类", "A", "A", 0.9, True], ["大类", "B", "C", 0.3, False]], columns=COLUMNS)
        >>> ClassifierReport("例", made).confusions[["应", "说", "条"]].values.tolist()
        [['C', 'B', 1]]
        """
        wrong = self.answers[~self.answers["对"].astype(bool)]
        out = wrong.value_counts(["应", "说"]).rename("条").reset_index()
        names = {head: [group_name("行业代码", str(code)) for code in out[head]] for head in ("应", "说")}
        if any(names["应"]):
            out.insert(1, "应名称", names["应"])
            out.insert(3, "说名称", names["说"])
        return out

    def worst(self, most: int = 20) -> pd.DataFrame:
        """最有把握的错: the first to look at, and to correct.

        >>> made = pd.DataFrame([["大类", "B", "C", 0.9, False]], columns=COLUMNS)
        >>> ClassifierReport("例", made).worst()["说"].tolist()
        ['B']
        """
        wrong = self.answers[~self.answers["对"].astype(bool)]
        return wrong.sort_values("把握", ascending=False, kind="stable").head(most).reset_index(drop=True)

    def words(self) -> str:
        """一句话.

        >>> ClassifierReport("例", pd.DataFrame(columns=COLUMNS)).words()
        '例：没有可以对照的答案'
        """
        if not len(self.answers):
            return f"{self.name}：没有可以对照的答案"
        right = self.answers["对"].mean()
        return f"{self.name}：{len(self.answers):,} 条，答对 {right:.1%}，弃权 {self.abstained:.1%}，校准误差 {self.ece:.3f}"

    def as_dict(self) -> dict[str, Any]:
        """机器可读.

        >>> sorted(ClassifierReport("例", pd.DataFrame(columns=COLUMNS)).as_dict())[:3]
        ['abstained', 'answers', 'by_type']
        """
        return {
            "name": self.name, "answers": len(self.answers), "ece": self.ece, "abstained": self.abstained,
            "by_type": self.by_type.to_dict("records"), "confusions": self.confusions.head(30).to_dict("records"),
            "calibration": self.calibration.assign(把握一档=lambda t: t["把握一档"].astype(str)).to_dict("records"),
        }  # fmt: skip

    def _repr_html_(self) -> str:
        from analysis.charts import calibration_chart, svg
        from analysis.tables import show

        parts = [f"<p>{self.words()}</p>"]
        if len(self.answers):
            parts += [svg(calibration_chart(self)), show(self.by_type, 20)._repr_html_()]
            parts.append(show(self.confusions, 15)._repr_html_())
        return "".join(parts)


def role_report(folder: Path | str) -> ClassifierReport:
    """条款角色: every clause and role of annotated documents (raw/ and gold/, also officers' corrections kept by
    `huiqi decompose --learn`) against what the stored model says. Documents it was trained on flatter it.

    Raises ValueError where an annotation doesn't fit its text.

    >>> role_report("/nonexistent").words()
    '条款角色：没有可以对照的答案'
    """
    rows: list[list[Any]] = []
    for doc in load_annotated(Path(folder)):
        scores = decompose(doc.text).scores
        for labels, own in zip(doc.role_labels.astype(bool), scores, strict=True):
            best = int(np.argmax(own))
            right = [r for r, on in zip(ROLES, labels, strict=True) if on]
            if right:
                said = ROLES[best]
                rows.append(
                    [right[0], said, right[0] if said not in right else said, float(own[best]), said in right]
                )
    return ClassifierReport("条款角色", pd.DataFrame(rows, columns=COLUMNS))


def tag_report(view: View, levels: Sequence[str] = LEVELS) -> ClassifierReport:
    """行业标签: proposals from 企业名称 and 经营范围 against the industry codes of a night: an officer's (确认行业代码) where
    one has looked, else the department's.

    >>> sorted(set(tag_report(view).answers["类型"])) == sorted(set(LEVELS))
    True
    """
    names, scopes, given, confirmed = (
        _texts(view, name) for name in ("企业名称", "经营范围", "行业代码", CONFIRMED)
    )
    codes = [own or code for own, code in zip(confirmed, given, strict=True)]
    known = [i for i, code in enumerate(codes) if code]
    found = text_tags([names[i] for i in known], [scopes[i] for i in known], [codes[i] for i in known])
    rows = []
    for i, one in zip(known, found, strict=True):
        for level in levels:
            first = next((t for t in one.tags if t.level == level), None)
            if first is not None and one.agrees.get(level) is not None:
                right = bool(one.agrees[level])
                rows.append([level, first.code, first.code if right else codes[i], first.score, right])
    return ClassifierReport("行业标签", pd.DataFrame(rows, columns=COLUMNS))


def _texts(view: View, name: str) -> list[str]:
    cats = view.columns.category(name, None)
    return [cats.names[i] if i >= 0 else "" for i in cats.codes.tolist()]


def disagreeing(view: View) -> pd.DataFrame:
    """不一致: firms whose text is surely about another 大类 than the department's code says, the surest first.

    >>> list(disagreeing(view).columns[:2])
    ['统一社会信用代码', '企业名称']
    """
    from profiles.portrait_tags import disagreements

    rows = [
        [d.firm, d.name, d.department, d.department_name, d.proposed, d.proposed_name, d.score]
        for d in disagreements(view.columns)
    ]
    return pd.DataFrame(rows, columns=[CODE, NAME, "部门代码", "部门行业", "文本代码", "文本行业", "把握"])
