# ruff: noqa: B018
# %% [markdown]
# # 回测：拿真付过的名单验规则
#
# 真用时给公示名单的文件，Excel、Word、PDF、网页都行：`backtest(night, ITEM, "2025年公示名单.docx")`。有代码按代码认；只有名称的，名称完全对得上且只有一家才认；
# 认不出的列出来，附上名称相近的候选请人补代码，从不猜；读不出的行算在查全的分母里。
#
# 这里没有真名单，就造一份：二十家符合的、三家不符合的、一家写错名称的。

# %%
import pandas as pd

from analysis import backtest, open_night, show

CODE, NAME = "统一社会信用代码", "企业名称"
night = open_night()
ITEM = "bs-2025-03/unemployment-refund"
hits = night.hits(ITEM)
paid = pd.concat([hits[hits["verdict"] == "符合"].head(20), hits[hits["verdict"] == "不符合"].head(3)])
paid = paid.assign(金额=1000.0)[[CODE, NAME, "金额"]]
wrong = pd.DataFrame([{CODE: "", NAME: "查无此名有限公司", "金额": 1000.0}])
result = backtest(night, ITEM, pd.concat([paid, wrong]))
result

# %% [markdown]
# 付了却判不符合：要么规则写严了，要么数据不对，要么当年付错了。归因表说是哪一条。

# %%
show(result.blame)

# %% [markdown]
# 符合而没付：应享未享，或规则少写了一条。

# %%
show(result.unpaid[[CODE, NAME, "paid_high"]].sort_values("paid_high", ascending=False))

# %%
assert len(result.matched) == 20 and len(result.missed) == 3 and len(result.unlinked) == 1
assert len(result.blame) > 0 and result.recall == 20 / 24
