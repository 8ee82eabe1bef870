"""主语: who a clause speaks of (an office, a firm, whoever is given something, nobody) and in what mood."""

from __future__ import annotations

import re
from functools import lru_cache

from .phrases import URGE

_OFFICE = r"各[^，。；]{0,10}[省市县区镇]）?|[市县区]两?级政府|局|厅|委员会|委|部门|政府|管委会|小组|办公室|银行|财政|办|院|镇街|街道|乡镇|各地|地方|各区|各级|专家|评审组|承办机构|受理机构|经办机构|中心(?!应符合)"
_FIRM = (
    r"企业|单位|申[请报领]人|申[请报领]者|申[请报领]方|个人|机构|项目|团队|人才|人员|法人|组织|毕业生|纳税人|借款人|受助人|基地|平台|园区|产品|公司|申请者|权利人|专利权人|劳动者|家庭|"
    r"工作室|合作社|载体|投资者|居民|企业家|职工|我[省市县区]企业"
)
_AFTER = r"应|须|必须|需|要|将|可|不得|只能|会同|负责|对|组织|根据|按|审|受理|统筹|和|、|与|及|或|，|在|通过|以|于|凭|持|向|登|符合|具|已|有|未|提|报|填|自|完成|如|收到|（|发[生现]|变更|[取获]得|被|因|承担|使用|申请|建立|从事"
_HEAD = re.compile(rf"(?P<n>(?P<o>{_OFFICE})|(?P<f>{_FIRM}))(?={_AFTER})")
_NOT_SUBJECT = re.compile(
    r"对|给|为|向|到|支持|鼓励|引导|推动|按照|根据|《|将|的|在|符合|经(?!办)|属于|具有|获|享受"
)
_TARGET = re.compile(r"^(?:[^，。]{0,6}，)?(?:对|凡|给|为[^了，]{2,20}提供)")
_FRONT = re.compile(
    r"^(?:其中|同时|此外|另外|并|如果?|若|由|经|请|凡|原则上|各|有关|相关|所有|上述|以上|符合条件的|有条件的)+，?"
)
# On what ground somebody acts says nothing of who does.
_GROUND = re.compile(r"^(?:按照?|根据|依据|依照)[^，。；]{2,40}(?:要求|规定|原则|分工|标准|精神)，")
_MUST = re.compile(r"应当?|必须|须|需(?!求)|不得|只能|要(?=[在按于有对做加建切及严定积认引优立统])|请")
_MAY = re.compile(r"可(?!持续|靠|行|能)|可以|允许|有权")
_HAS = re.compile(r"具有|具备|拥有|符合|属于|取得|已|未|无|在.{2,20}注册")
_DOES = re.compile(r"负责|组织|审核|受理|会同|提交|报送|公示|拨付|办理|填报|登录|登陆|汇总|下达")


@lru_cache(maxsize=8192)
def subject_of(body: str) -> tuple[str, str]:
    """主语: (office, firm, target or none; must, may, has, does or says) of a squeezed clause without its label."""
    head = _FRONT.sub("", _GROUND.sub("", body))
    who = "none"
    if URGE.match(head):  # 建设…中心 speaks of nobody
        who = "none"
    elif _TARGET.search(head):
        who = "target"
    else:
        m = _HEAD.search(head[:44])
        if m and not _NOT_SUBJECT.search(head[: m.start()]):
            who = "office" if m["o"] else "firm"
    rest = head[:60]
    mode = (
        "must"
        if _MUST.search(rest)
        else "may"
        if _MAY.search(rest)
        else "does"
        if _DOES.search(rest)
        else "says"
    )
    if mode in ("says",) and _HAS.search(rest):
        mode = "has"
    return who, mode
