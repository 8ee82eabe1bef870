"""统一社会信用代码: both check characters, against an independent implementation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from profiles.codes import CHARSET, check_character, is_code, proposals, tidy_code, valid_codes, why_not

# Made up, valid by both standards.
CODES = ("91120116MA05J7AB5W", "91350100M000100Y43", "911101080000000007")


def organisation_check(eight: str) -> str:
    """GB 11714 as the standard writes it, one character at a time."""
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    total = sum(letters.index(c) * w for c, w in zip(eight, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    return {10: "X", 11: "0"}.get(11 - total % 11, str(11 - total % 11))


def make(body: str) -> str:
    first = "91120116" + body + organisation_check(body)
    return first + check_character(first)


bodies = st.text(alphabet=CHARSET, min_size=8, max_size=8)


@given(bodies)
def test_valid_codes_agree_with_stdnum(body):
    code = make(body)
    assert is_code(code)
    assert uscc.is_valid(code)


@given(bodies, st.integers(0, 17), st.sampled_from(CHARSET))
def test_one_wrong_character_is_found(body, place, other):
    code = make(body)
    wrong = code[:place] + other + code[place + 1 :]
    assert is_code(wrong) == (wrong == code)


@given(st.lists(st.text(max_size=20), max_size=10))
def test_whole_columns_answer_as_single_codes_do(texts):
    assert list(valid_codes(texts)) == [is_code(text) for text in texts]


@given(bodies)
def test_the_organisation_code_inside_is_checked_too(body):
    code = make(body)
    wrong = next(c for c in "0123456789" if c != code[16])
    first = code[:16] + wrong
    # Right by GB 32100 alone, which is all stdnum looks at.
    assert uscc.is_valid(first + check_character(first))
    assert not is_code(first + check_character(first))
    assert why_not(first + check_character(first)) == "第17位组织机构代码校验码不符"


@given(bodies.filter(lambda body: "0" in body or "1" in body))
def test_slips_are_proposed_and_never_mended(body):
    code = make(body)
    written = code[:8] + code[8:].replace("0", "O").replace("1", "I")
    assert not is_code(written)
    assert tidy_code(written) == written
    assert code in proposals(written)


def test_tidying_changes_no_character():
    assert tidy_code(" 9112 0116-ma05j7ab5ｗ\t") == "91120116MA05J7AB5W"
    assert tidy_code("'O1") == "O1"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "没有统一社会信用代码"),
        ("120116000012345", "是15位旧注册号"),
        ("717868480", "是9位组织机构代码"),
        ("9112", "代码应当18位，实有4位"),
        ("9112011660O556475E", "代码里有标准不用的字符“O”"),
        ("911201166005564750", "第18位校验码不符"),
        ("A246480MAM61102119", "第3至8位（登记机关区划）应当都是数字"),
    ],
)
def test_what_is_wrong_is_said(written, said):
    assert why_not(written) == said
