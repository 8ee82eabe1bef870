"""The second look for items: it adds where a document gives something, and never where it gives nothing."""

from __future__ import annotations

import numpy as np

from policies.decompose.linear import LinearModel
from policies.decompose.more_items import candidate_rows, candidates, more_items
from policies.decompose.pieces import LABELS
from policies.decompose.pipeline import first_items, read_pieces, stored_models
from policies.decompose.roles import chosen_roles, role_scores
from policies.segment import segment

GIVES = """某市若干措施
一、对首次认定为高新技术企业的，给予一次性奖励20万元。
二、对新获批省级工程研究中心的企业，给予50万元补助。
三、为入园企业办理登记手续，原有名称不变，组织参加展会对接。
四、将企业负责人列为政协委员推荐人选。
五、各有关部门要加强组织领导，做好宣传。
"""
PLAN = """某市行动计划
一、加快建设产业园区，推动企业集聚发展。
二、为入园企业办理登记手续，原有名称不变。
"""


def calling(share: float) -> LinearModel:
    """A model that gives every candidate the same share."""
    margin = float(np.log(share / (1 - share)))
    one = np.ones(1)
    return LinearModel(["more"], {}, np.zeros((0, 1)), one * margin, one, 0 * one, one * 0.3)


def looked(text: str, share: float) -> tuple[int, int, int]:
    models = stored_models()
    clauses = segment(text)
    scores = role_scores(clauses, models["roles"])
    reading = read_pieces(text, clauses, scores, models)
    _, items = first_items(reading, chosen_roles(scores, models["roles"]), models)
    # as a model would score a sentence that may give something in words it has hardly met
    told = {k for i in items for k in i.clauses}
    weak = next(k for k, a in enumerate(reading.atoms) if a.clause not in told and "名称" in a.text)
    reading.labels[weak, LABELS.index("benefit")] = 0.2
    found = candidates(reading, items)
    assert reading.atoms[weak].clause in {k for i in found for k in i.clauses}
    assert len(list(candidate_rows(reading, items, found))) == len(found)
    assert not any(set(i.clauses) & told for i in found)
    return len(items), len(found), len(more_items(reading, items, calling(share)))


def test_what_the_model_calls_becomes_an_item_beside_hard_ones() -> None:
    first, found, all_of_them = looked(GIVES, 0.9)
    assert first >= 2 and found >= 1
    assert all_of_them == first + found
    assert looked(GIVES, 0.1)[2] == first


def test_a_document_that_gives_nothing_hard_stays_as_it_is() -> None:
    first, _, all_of_them = looked(PLAN, 0.9)
    assert all_of_them == first
