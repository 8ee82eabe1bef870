# ruff: noqa: B018
# %% [markdown]
# # 开始：从零到一份名单
#
# 先在终端运行一次 `make demo`（或 `huiqi demo`），它生成虚构企业并比对一夜。笔记只读不写，怎么试都不会告知任何人。
#
# `show(表)` 把表画得好读：只列开头几行，金额按万元，不知道的写“—”。表本身仍是 pandas 的表，金额是元，照常计算。

# %%
import pandas as pd

from analysis import charts, open_night, show

night = open_night()
night

# %% [markdown]
# 每个事项一行：多少家符合、多少家待核实（缺数据或要人判断）、最低和最高应付。

# %%
items = night.items.sort_values("fits", ascending=False)
show(items[["item", "title", "fits", "open", "low", "high"]])

# %% [markdown]
# 挑一个事项，看每一条挡下多少家。

# %%
ITEM = "bs-2025-06/rd-intensity"
funnel = night.funnel(ITEM)
charts.funnel_chart(funnel)

# %% [markdown]
# 名单，钱多的在前；和其中一家逐条的依据（`explain` 写代码或企业名称都行）。

# %%
hits = night.hits(ITEM)
fits = hits[hits["verdict"] == "符合"].sort_values("paid_high", ascending=False)
show(fits[["统一社会信用代码", "企业名称", "paid_low", "paid_high"]])

# %%
why = night.explain(fits["统一社会信用代码"].iloc[0], ITEM)
show(
    pd.DataFrame(
        [(e.id, str(e.verdict), e.quote, e.gap) for e in why.evidence],
        columns=["条件", "结论", "原文", "差距"],
    )
)

# %%
assert why.verdict == "符合" and all(e.verdict == "符合" for e in why.evidence)
assert funnel["剩下"].iloc[-1] == (hits["verdict"] != "不符合").sum()
