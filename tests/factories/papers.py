"""Made papers of every kind, each with what a clerk would write into its record; None: it does not say."""

from dataclasses import dataclass
from datetime import date

TODAY = date(2024, 12, 31)


@dataclass(frozen=True)
class Sample:
    """The pages of a paper and what should be proposed for it."""

    name: str
    pages: tuple[str, ...]
    title: str | None = None
    drawn_up: str | None = None
    document_number: str | None = None
    responsible: str | None = None
    media_type: str = "text/plain"
    about: tuple[str, str, str] = ("", "", "")
    """Title, author and day of making, from the file's properties."""


def one(
    name: str,
    text: str,
    title: str | None = None,
    day: str | None = None,
    number: str | None = None,
    who: str | None = None,
    kind: str = "text/plain",
    about: tuple[str, str, str] = ("", "", ""),
) -> Sample:
    """Return a paper whose pages a form feed divides."""
    return Sample(name, tuple(text.split("\f")), title, day, number, who, kind, about)


BODY = "  各单位要高度重视，认真组织实施，确保各项措施落到实处。\n" * 6
COMPANY = "某某物业管理有限公司"

OFFICIAL = (
    one(
        "a notice with everything in its head",
        f"000012\n机密★1年\n特急\n{COMPANY}文件\n物管发〔2024〕12号\n\n关于做好防汛工作的通知\n\n"
        f"各项目部：\n{BODY}\n{COMPANY}\n2024年6月5日\n",
        "关于做好防汛工作的通知",
        "2024-06-05",
        "物管发〔2024〕12号",
        COMPANY,
    ),
    one(
        "the issuer in the title, below the number",
        "国务院办公厅文件\n国办发〔2024〕3号\n\n国务院办公厅\n关于进一步加强物业管理工作的意见\n\n"
        f"各省、自治区、直辖市人民政府：\n{BODY}国务院办公厅\n2024年1月18日\n（此件公开发布）",
        "国务院办公厅关于进一步加强物业管理工作的意见",
        "2024-01-18",
        "国办发〔2024〕3号",
        "国务院办公厅",
    ),
    one(
        "a title over two lines",
        "京物〔2021〕3号\n\n关于印发《北京市物业服务企业\n信用信息管理办法》的通知\n\n各区房管局：\n"
        f"{BODY}北京市某某委员会\n二〇二一年三月五日\n",
        "关于印发《北京市物业服务企业信用信息管理办法》的通知",
        "2021-03-05",
        "京物〔2021〕3号",
        "北京市某某委员会",
    ),
    one(
        "a number in square brackets, a signer beside it",
        "某某县住房和城乡建设局\n\n物管字[2023]第5号    签发人：李某某\n关于申请维修资金的请示\n"
        f"县政府：\n{BODY}某某县住房和城乡建设局\n2023年9月1日",
        "关于申请维修资金的请示",
        "2023-09-01",
        "物管字[2023]第5号",
        "某某县住房和城乡建设局",
    ),
    one(
        "a number in round brackets, set apart",
        f"京物 (2021) 3 号\n关于公布检查结果的通报\n各企业：\n{BODY}某某协会\n2021.3.5\n",
        "关于公布检查结果的通报",
        "2021-03-05",
        "京物 (2021) 3 号",
        "某某协会",
    ),
    one(
        "a reply",
        f"建物函〔2020〕77号\n\n关于同意成立业主委员会的批复\n某某小区业主：\n{BODY}某某街道办事处\n2020年11月11日",
        "关于同意成立业主委员会的批复",
        "2020-11-11",
        "建物函〔2020〕77号",
        "某某街道办事处",
    ),
    one(
        "another paper's number in the text alone",
        "关于电梯年检的通知\n各楼栋业主：\n  根据国办发〔2024〕12号文件精神，定于近期年检。\n"
        f"{BODY}某某物业服务中心\n2024年4月2日",
        "关于电梯年检的通知",
        "2024-04-02",
        None,
        "某某物业服务中心",
    ),
    one(
        "two numbers in the head",
        f"甲物发〔2024〕1号\n乙物发〔2024〕9号\n关于联合检查的通知\n各单位：\n{BODY}2024年2月3日",
        "关于联合检查的通知",
        "2024-02-03",
        None,
        None,
    ),
    one(
        "signed by two bodies",
        f"关于联合检查的通知\n各单位：\n{BODY}甲某物业公司\n乙某物业公司\n2024年2月3日",
        "关于联合检查的通知",
        "2024-02-03",
        None,
        None,
    ),
    one(
        "the printer's day last",
        f"物办〔2022〕8号\n关于放假安排的通知\n各部门：\n{BODY}综合办公室\n2022年9月20日\n\n"
        "抄送：各项目部\n综合办公室    2022年9月21日印发",
        "关于放假安排的通知",
        "2022-09-20",
        "物办〔2022〕8号",
        "综合办公室",
    ),
    one(
        "signed on the second page",
        f"物办〔2022〕9号\n关于调整收费的通告\n全体业主：\n{BODY}\f{BODY}某某花园管理处\n2022年10月8日",
        "关于调整收费的通告",
        "2022-10-08",
        "物办〔2022〕9号",
        "某某花园管理处",
    ),
    one(
        "a decree of rules",
        "# 某某市物业管理条例\n(2021年4月16日某某市人民代表大会常务委员会通过)\n第一章 总则\n"
        f"第一条 为了规范物业管理，制定本条例。\n{BODY}第九十条 本条例自2022年1月1日起施行。",
        "某某市物业管理条例",
        "2021-04-16",
        None,
        None,
    ),
)

CONTRACTS = (
    one(
        "a service contract",
        f"合同编号：HT-2023-001\n\n前期物业服务合同\n\n甲方：某某房地产开发有限公司\n乙方：{COMPANY}\n"
        f"  根据有关法律，订立本合同。\n第一条 服务内容\n{BODY}\n甲方（盖章）：        乙方（盖章）：\n"
        "2023年7月1日",
        "前期物业服务合同",
        "2023-07-01",
        "HT-2023-001",
        "某某房地产开发有限公司",
    ),
    one(
        "a title broken in two",
        "某某花园小区\n电梯维护保养合同\n\n甲方（委托方）：某某小区业主委员会\n乙方：某某电梯公司\n"
        f"{BODY}签订日期：2022-05-06",
        "某某花园小区电梯维护保养合同",
        "2022-05-06",
        None,
        "某某小区业主委员会",
    ),
    one(
        "broken in the middle of a word",
        f"商品房买卖\n合同\n\n出租方：张某某\n编号：2019-088\n{BODY}",
        "商品房买卖合同",
        None,
        "2019-088",
        "张某某",
    ),
    one(
        "letters set apart",
        f"物 业 服 务 合 同\n\n甲 方：某某大学后勤处\n乙 方：{COMPANY}\n{BODY}",
        "物业服务合同",
        None,
        None,
        "某某大学后勤处",
    ),
    one(
        "an agreement added",
        "补充协议（二）\n甲方：某某置业有限公司\n乙方：某某保安公司\n  双方于2020年3月1日签订了合同。\n"
        f"{BODY}甲方：\n乙方：\n2021年6月30日",
        "补充协议（二）",
        "2021-06-30",
        None,
        "某某置业有限公司",
    ),
    one(
        "blanks where parties would stand",
        f"房屋租赁合同\n\n合同编号：________\n甲方：____________\n乙方：____________\n{BODY}    年   月   日",
        "房屋租赁合同",
    ),
    one(
        "two parties called the first",
        f"三方协议书\n甲方：某某公司\n甲方：另一公司\n乙方：第三公司\n{BODY}",
        "三方协议书",
    ),
    one(
        "a sentence that names a contract", f"合同\n  根据双方签订的物业服务合同，现就有关事项说明如下。\n{BODY}", None
    ),
    one("numbers that differ", f"物业服务合同\n合同编号：A-2021-1\n合同编号：A-2021-2\n{BODY}", "物业服务合同"),
    one(
        "a better label",
        f"物业服务合同\n编号：2021-55\n合同编号：WY-HT-2021-55\n{BODY}",
        "物业服务合同",
        None,
        "WY-HT-2021-55",
    ),
    one("a day as number", f"保洁服务合同\n编号：2021-05-06\n{BODY}", "保洁服务合同", "2021-05-06"),
)

OTHERS = (
    one(
        "minutes",
        f"业主委员会会议纪要\n\n时间：2024年3月5日下午\n地点：一楼会议室\n主持人：王某\n{BODY}",
        "业主委员会会议纪要",
        "2024-03-05",
    ),
    one(
        "a plain notice",
        f"停水通知\n\n尊敬的业主：\n  因管道维修，定于5月6日停水。\n{BODY}{COMPANY}客服中心\n2023年5月5日",
        "停水通知",
        "2023-05-05",
        None,
        f"{COMPANY}客服中心",
    ),
    one(
        "the name before the date",
        f"温馨提示公告\n各位住户：\n{BODY}某某花园物业服务中心  2023年8月8日",
        "温馨提示公告",
        "2023-08-08",
        None,
        "某某花园物业服务中心",
    ),
    one(
        "a form",
        "业主装修申请表\n\n编号：ZX-0012\n申请人：李某某\n房号\t3-2-501\n日期：2022年2月2日",
        "业主装修申请表",
        "2022-02-02",
        "ZX-0012",
        "李某某",
    ),
    one(
        "a table",
        "消防设备清单\n序号\t名称\t数量\n1\t灭火器\t20\n2\t消火栓\t6\n编制人：赵某",
        "消防设备清单",
        None,
        None,
        "赵某",
    ),
    one(
        "a report",
        f"2023年度物业服务工作总结\n\n编制单位：某某物业管理处\n{BODY}",
        "2023年度物业服务工作总结",
        None,
        None,
        "某某物业管理处",
    ),
    one("a cover and its contents", f"目录\n一、概况\n二、措施\n\f{BODY}", None),
    one("no title at all", f"今天下雨了，我们去看了看地下车库的水泵，一切正常。\n{BODY}", None),
    one(
        "a judgment",
        "北京市某某区人民法院\n民事判决书\n（2023）京01民终123号\n原告：某某物业公司\n"
        f"{BODY}二〇二三年五月十日\n书记员 王某",
        "民事判决书",
        "2023-05-10",
        "（2023）京01民终123号",
    ),
    one(
        "a future day",
        f"关于换届的公告\n全体业主：\n  任期至2028年12月31日。\n{BODY}某某业主委员会\n2028年1月1日",
        "关于换届的公告",
        None,
        None,
        None,
    ),
    one(
        "blotted numbers",
        "转让证明书\n证明人：***********\n身份证号：******************\n作者：***********",
        "转让证明书",
    ),
    one(
        "properties that programs make",
        "一段没有标题的话，说明了一些情况，也没有日期。",
        None,
        "2020-01-02",
        None,
        None,
        "application/pdf",
        ("Microsoft Word - 通知.doc", "Administrator", "D:20200102030405"),
    ),
    one(
        "properties that a person wrote",
        "一段没有标题的话，说明了一些情况，也没有日期。",
        "某某花园物业服务方案",
        "2020-01-02",
        None,
        "陈大文",
        "application/pdf",
        ("某某花园物业服务方案", "陈大文", "2020-01-02"),
    ),
    one("a slide", "第一页\n欢迎", None, None, None, None, "application/pdf", ("幻灯片 1", "user", "")),
    one(
        "a name of a file as title",
        "没有标题的一段话。",
        None,
        None,
        None,
        None,
        "application/pdf",
        ("通知终稿.docx", "lenovo", ""),
    ),
)

TRADITIONAL = (
    one(
        "a letter of an office",
        "某某市政府 函\n發文日期：中華民國113年3月5日\n發文字號：府授人字第1130012345號\n\n"
        f"主旨：檢送會議紀錄一份，請查照。\n{BODY}",
        None,
        "2024-03-05",
        "府授人字第1130012345號",
    ),
    one(
        "a house's notice",
        f"物業字第○○號\n\n關於電梯保養的通告\n\n各住戶：\n{BODY}某某大廈管理處\n民國113年4月1日",
        "關於電梯保養的通告",
        "2024-04-01",
        "物業字第○○號",
        "某某大廈管理處",
    ),
    one(
        "minutes of the assembly",
        f"區分所有權人會議紀錄\n\n時間：民國一百一十二年十二月十日\n地點：交誼廳\n{BODY}",
        "區分所有權人會議紀錄",
        "2023-12-10",
    ),
    one(
        "a contract",
        "物業管理服務契約書\n\n合約編號：TW-112-08\n甲方：某某社區管理委員會\n乙方：某某物業公司\n"
        f"{BODY}中華民國112年8月8日",
        "物業管理服務契約書",
        "2023-08-08",
        "TW-112-08",
        "某某社區管理委員會",
    ),
    one(
        "a checklist",
        "消防設備檢查表\n填報單位\n日期：2024/03/05\n編製人：陳小明",
        "消防設備檢查表",
        "2024-03-05",
        None,
        "陳小明",
    ),
)

MAILS = (
    one(
        "a mail",
        "From: 王小明 <wang@example.com>\nTo: 物业 <wy@example.com>\nDate: 2024-03-05 10:00\n"
        "Subject: 关于三号楼漏水\n\n您好，三号楼漏水了。\n2024年3月1日",
        "关于三号楼漏水",
        "2024-03-01",
        None,
        "王小明",
        "message/rfc822",
    ),
    one(
        "a mail without a subject",
        "From: wang@example.com\nTo: b@example.com\nDate: 2024-03-05\n\n您好",
        None,
        "2024-03-05",
        None,
        "wang@example.com",
        "message/rfc822",
    ),
    one(
        "a mail that only answers",
        'From: "Li, Anna" <a@example.com>\nTo: b@example.com\nDate: 2024-03-05\nSubject: Re:\n\nok',
        None,
        "2024-03-05",
        None,
        "Li, Anna",
        "message/rfc822",
    ),
    one(
        "a box of mails",
        "From: a@example.com\nDate: 2024-03-05\nSubject: 一封\n\n一",
        None,
        "2024-03-05",
        None,
        None,
        "application/mbox",
    ),
)

BARE = (
    one(
        "a notice with nothing but its kind above it",
        "通　告\n\n　　因施工，定于2024年8月3日停水。\n　　特此通告。\n\n和园物业客服中心\n2024年8月1日",
        "通告",
        "2024-08-01",
        None,
        "和园物业客服中心",
    ),
    one(
        "a lease, whose term is no day of signing",
        "房屋租赁合同\n出租方（甲方）：张三\n租期自2023年7月1日至2024年6月30日止。\n"
        "甲方签字：张三\n2023年6月25日　2023年6月25日\n",
        "房屋租赁合同",
        "2023-06-25",
        None,
        "张三",
    ),
    one("a slip", "投诉处理单\n编号：TS2024\n日期：2024-03-15\n", "投诉处理单", "2024-03-15", "TS2024"),
)

ENGLISH = (
    one(
        "an agreement",
        "Contract No.: PM-2023-17\n\nProperty Management Agreement\n\n"
        "This agreement is made on 5 March 2023 between the parties.\n",
        "Property Management Agreement",
        "2023-03-05",
        "PM-2023-17",
    ),
    one(
        "a notice of a house",
        "NOTICE OF ANNUAL GENERAL MEETING\n\nDear owners,\nThe meeting will be held in the hall.\n\n"
        "Issued by: The Management Office\nMarch 5, 2024",
        "NOTICE OF ANNUAL GENERAL MEETING",
        "2024-03-05",
        None,
        "The Management Office",
    ),
    one(
        "a letter",
        "Our ref: MO/2024/003\n\nDear Sir,\nwe refer to your report on the lift.\nYours faithfully",
        None,
        None,
        "MO/2024/003",
    ),
    one(
        "a report",
        "Annual Maintenance Report\nPrepared by: Anna Li\nDate: 2024/3/5\nThe lifts were inspected.",
        "Annual Maintenance Report",
        "2024-03-05",
        None,
        "Anna Li",
    ),
    one("a sentence", "The contract was signed in the hall.\nIt rained.", None),
    one("poor words", "Lorem ipsum dolor sit amet, consetetur sadipscing elitr", None),
)

PAPERS = (*OFFICIAL, *CONTRACTS, *OTHERS, *TRADITIONAL, *MAILS, *BARE, *ENGLISH)
