# ruff: noqa: B018
# %% [markdown]
# # 分解质量：机器拆出来的条件，人写的规则里有没有
#
# 政策库里每条规则都带原文（`quote`）。让机器重新拆这几份文件，两边对照：人写了、机器没拆出的是漏；机器拆了、人没写的是多。
# 这是内置样例上的对照，不是独立评测；真要比高低，用没见过的文件。

# %%
import re

import pandas as pd

from analysis import charts, disagreeing, open_night, show, tag_report
from policies.decompose.pipeline import decompose

night = open_night()
library = night.library
DOCUMENTS = ["bs-2025-06", "bs-2025-08"]


def alike(a: str, b: str) -> bool:
    return a in b or b in a


written, proposed = [], []
for name in DOCUMENTS:
    loaded = library.documents[name]
    machine = decompose(re.sub(r"(?m)^#+ ", "", loaded.document.text)).as_json()
    parts = [machine["general"], *machine["items"]]
    found = [p for part in parts for kind in ("conditions", "exclusions") for p in part[kind]]
    quotes = {
        c.quote
        for i in loaded.items
        if i.program
        for n in i.program.conditions
        for c in n.condition.walk()
        if c.quote
    }
    written += [
        {"文件": name, "原文": q, "拆出": any(alike(q, p["quote"]) for p in found)} for q in sorted(quotes)
    ]
    proposed += [
        {
            "文件": name,
            "原文": p["quote"],
            "把握": p["score"],
            "有规则": any(alike(p["quote"], q) for q in quotes),
        }
        for p in found
    ]
written, proposed = pd.DataFrame(written), pd.DataFrame(proposed)
counts = written.groupby("文件")["拆出"].agg(占全部="mean", 拆出="sum", 全部="count")
show(counts)

# %% [markdown]
# 漏掉的原文，逐条看：

# %%
show(written.loc[~written["拆出"], ["文件", "原文"]], 15)

# %% [markdown]
# 机器的“把握”可信吗？把握高的一档，对上人写规则的比例也应当高。

# %%
steps = pd.cut(proposed["把握"], [0, 0.4, 0.6, 0.8, 1.0], labels=["0.4以下", "0.4–0.6", "0.6–0.8", "0.8以上"])
by_step = proposed.groupby(steps, observed=True)["有规则"].agg(["mean", "count"])
charts.bars(by_step.index, by_step["mean"] * 100, "各档把握里对上规则的比例", "%")

# %% [markdown]
# 多拆的，把握大的在前：要么是机器错，要么是人漏写了一条。

# %%
show(proposed[~proposed["有规则"]].sort_values("把握", ascending=False), 15)

# %% [markdown]
# 行业标签也是机器提的：部门给了行业代码的企业，拿来对照。把握准不准、弃权多少、哪一级错得多；部门与文本不一致的，请人看，不改谁的数据。

# %%
tags = tag_report(night)
tags

# %%
show(disagreeing(night))

# %%
assert tags.ece < 0.1 and len(tags.by_type) == 4
assert written["拆出"].mean() > 0.5
assert by_step["count"].sum() == len(proposed) > 0
