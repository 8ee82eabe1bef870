"""分档的说法: every step says where it begins and where it ends, whatever the scale."""

from __future__ import annotations

from pathlib import Path

import policies
from desk.evidence import say_form
from policies.library import load_library
from profiles.dictionary import builtin_dictionary


def test_a_step_says_both_its_ends() -> None:
    library = load_library(Path(policies.__file__).with_name("library"), builtin_dictionary())
    told = {p.item.id: say_form(p.item.benefit.form) for p in library.programs if p.item.benefit}
    marginal = told["bs-2025-06/rd-intensity"]
    assert marginal == (
        "按 研发费用[Y] 超额分档：超过 300万元、不超过 1000万元：3%；超过 1000万元、不超过 5000万元：2%；超过 5000万元：1%"
    )
    assert told["bs-2025-04/digital-scale"] == (
        "按 营业收入[Y] 全额分档：不到 1亿元：10万元；满 1亿元、不到 5亿元：20万元；满 5亿元：50万元"
    )
