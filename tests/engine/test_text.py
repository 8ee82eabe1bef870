"""分词: the clause cache gives what segmenting the whole text gives, and segments a clause once."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.text import ClauseWords, tokens

PIECES = ["货物进出口", "技术开发、技术咨询", "年产1,000吨", "3", "③", "ABC", "（不含许可）", "½", "首台（套）", "1.5,", "５，０００万", "\n", " "]  # fmt: skip
scopes = st.lists(
    st.one_of(st.sampled_from(PIECES), st.sampled_from(list("；;，,。、.0")), st.text(max_size=4)),
    max_size=12,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(st.lists(scopes, max_size=5))
@example(["1,,2", "a,b", "", "5，,3；、，", "\x00,\x01", "销售1,000,吨，2,。"])
def test_the_cache_changes_no_word(texts):
    cut = ClauseWords()
    assert list(cut.rows(texts)) == [tokens(text) for text in texts]
    assert list(cut.rows(reversed(texts))) == [tokens(text) for text in reversed(texts)]


def test_a_clause_is_segmented_once():
    cut = ClauseWords()
    list(cut.rows(["货物进出口；技术开发、技术咨询", "技术咨询，货物进出口。技术开发"] * 50))
    assert cut.segmented == 3
    list(cut.rows([f"垫片（年产{n}吨）的销售，１，{n}00片" for n in range(50)]))
    assert cut.segmented == 5  # what differs in numbers only is one
