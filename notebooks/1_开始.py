# ruff: noqa: B018
# %% [markdown]
# # 开始：从零到一份名单
#
# 先在终端运行一次 `huiqi demo`，它生成虚构企业并比对一夜。笔记只读不写，怎么试都不会告知任何人。

# %%
from analysis import charts, open_night

night = open_night()
night

# %% [markdown]
# 每个事项一行：多少家符合、多少家待核实（缺数据或要人判断）、最低和最高应付（元）。

# %%
items = night.items.sort_values("fits", ascending=False)
items[["item", "title", "fits", "open", "low", "high"]].head(10)

# %% [markdown]
# 挑一个事项，看每一条挡下多少家。

# %%
ITEM = "bs-2025-06/rd-intensity"
funnel = night.funnel(ITEM)
charts.funnel_chart(funnel)

# %% [markdown]
# 名单，和其中一家逐条的依据。

# %%
hits = night.hits(ITEM)
fits = hits[hits["verdict"] == "符合"]
fits[["统一社会信用代码", "企业名称", "paid_low", "paid_high"]]

# %%
why = night.explain(fits["统一社会信用代码"].iloc[0], ITEM)
[(e.id, str(e.verdict), e.quote, e.gap) for e in why.evidence]

# %%
assert why.verdict == "符合" and all(e.verdict == "符合" for e in why.evidence)
assert funnel["剩下"].iloc[-1] == (hits["verdict"] != "不符合").sum()
