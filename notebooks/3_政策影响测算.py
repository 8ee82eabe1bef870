# ruff: noqa: B018
# %% [markdown]
# # 政策影响测算：提高门槛，谁受损
#
# 提高门槛之前要答三个问题：谁退出，少多少钱，已经告知或在办的有没有受损。

# %%
import shutil
import tempfile
from pathlib import Path

import policies
from analysis import compare, compare_all, open_night, show

night = open_night()
ITEM = "bs-2025-06/rd-intensity"
higher = night.with_rule(ITEM, conditions={"intensity": "研发费用[Y] / 营业收入[Y] >= 10%"})
impact = compare(night, higher, ITEM)
impact

# %% [markdown]
# 对大、中、小、微企业，各行业、各区域是否公平。

# %%
show(impact.groups, 40)

# %% [markdown]
# 已经告知、确认或在办，改后会少拿的企业。有一家也要先想好怎么交代。

# %%
show(impact.promised)

# %% [markdown]
# 整份新文件也一样：把文件夹放在任何地方，草稿按有效算，它替代的文件算停。这里拿内置的一份，抬高一个门槛，再拿掉一个事项。

# %%
folder = Path(tempfile.mkdtemp()) / "bs-2025-06"
shutil.copytree(Path(policies.__file__).with_name("library") / "bs-2025-06", folder)
rule = folder / "items" / "rd-intensity.yaml"
rule.write_text(
    rule.read_text(encoding="utf-8").replace("研发费用[Y] >= 300万元", "研发费用[Y] >= 500万元"),
    encoding="utf-8",
)
(folder / "items" / "patent-grant.yaml").unlink()
whole = compare_all(night, night.with_document(folder))
shutil.rmtree(folder.parent)
whole

# %%
assert {p.item for p in whole.parts} == {ITEM, "bs-2025-06/patent-grant"}
assert whole.groups.groupby("按")["出"].sum().nunique() == 1
assert len(impact.gained) == 0
assert impact.after["fits"] == impact.before["fits"] - len(impact.lost)
assert set(impact.promised["统一社会信用代码"]) <= set(impact.firms["统一社会信用代码"])
