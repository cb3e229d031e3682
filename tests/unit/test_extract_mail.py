"""Mails and mailboxes: who, when and about what first, then the words, then what is attached."""

import base64
from email.message import EmailMessage

import pytest

from indexer import kinds
from indexer.extract import mail
from indexer.extract.answer import Reason, Unreadable
from indexer.extract.mail import extract_mail, extract_mailbox, mail_members, mailbox_members
from indexer.extract.signed import extract_envelope
from indexer.extract.unpacking import members_of

HEADS = b"From: =?gb2312?B?zfW3vA==?= <wang@a.example>\r\nTo: li@a.example\r\nDate: Fri, 1 Mar 2024 09:30:00 +0800\r\n"


def text(data: bytes) -> str:
    return "\n".join(extract_mail(data).pages)


def a_letter(subject: str, words: str, cte: str = "base64") -> EmailMessage:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "王芳 <wang@a.example>", "li@a.example", subject
    letter.set_content(words, charset="gb18030", cte=cte)
    return letter


def test_a_mail_in_gbk_tells_who_when_and_what() -> None:
    subject = base64.b64encode("关于物业费".encode("gbk"))
    cut = len(subject) // 2 // 4 * 4
    heads = b"Subject: =?GBK?B?%s?=\r\n =?GBK?B?%s?=\r\n" % (subject[:cut], subject[cut:])  # a sign is torn in two
    body = b"Content-Type: text/plain; charset=gb2312\r\n\r\n" + "请于三月底前缴清。\r\n".encode("gbk")
    found = extract_mail(HEADS + heads + body)
    assert found.title == "关于物业费"
    assert found.created == "2024-03-01"
    assert found.pages[0].split("\n") == [
        "From: 王芳 <wang@a.example>",
        "To: li@a.example",
        "Date: 2024-03-01 09:30:00 +0800",
        "Subject: 关于物业费",
        "",
        "请于三月底前缴清。",
    ]


@pytest.mark.parametrize("charset", [b"", b"; charset=us-ascii", b"; charset=nonsense", b'; charset="utf-8"'])
def test_a_mail_that_declares_nothing_or_wrongly_is_read_all_the_same(charset: bytes) -> None:
    words = "请各位业主于三月底前到物业服务中心缴清本年度的费用。"
    data = (
        HEADS
        + b"Subject: "
        + "关于物业费的通知".encode("gbk")
        + b"\r\nContent-Type: text/plain"
        + charset
        + b"\r\n\r\n"
    )
    found = text(data + words.encode("gbk"))
    assert "Subject: 关于物业费的通知" in found
    assert words in found


def test_what_a_mail_says_twice_is_read_once_and_what_only_one_says_is_kept() -> None:
    letter = a_letter("会议", "会议改期，请转告。")
    letter.add_alternative("<p>会议<b>改期</b>，请转告。</p><script>坏</script>", subtype="html")
    assert text(letter.as_bytes()).count("会议改期，请转告。") == 1
    assert "坏" not in text(letter.as_bytes())
    other = a_letter("会议", "只在纯文本里的话")
    other.add_alternative("<p>只在网页里的话</p>", subtype="html")
    assert {"只在纯文本里的话", "只在网页里的话"} <= set(text(other.as_bytes()).split("\n"))


def test_attachments_are_named_and_come_out_whole() -> None:
    letter = a_letter("附件", "见附件。")
    letter.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="验收报告.pdf")
    letter.add_attachment("清单内容".encode("gbk"), maintype="application", subtype="octet-stream", filename="清单.txt")
    letter.add_attachment(a_letter("里面/的信", "里面的话"))
    lines = text(letter.as_bytes()).split("\n")
    for words in ("见附件。", "验收报告.pdf", "清单.txt", "里面_的信.eml"):
        assert words in lines, words
    found = {member.path: b"".join(member.chunks()) for member in mail_members(letter.as_bytes())}
    assert list(found) == ["验收报告.pdf", "清单.txt", "里面_的信.eml"]
    assert found["清单.txt"] == "清单内容".encode("gbk")
    assert "里面的话" in text(found["里面_的信.eml"])


def test_names_that_were_typed_in_gbk_are_read() -> None:
    inner = HEADS + b"Subject: " + "电梯维修".encode("gbk") + b"\r\n\r\nInner words.\r\n"
    data = (
        b"\xef\xbb\xbf" + HEADS + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n"
        b'--B\r\nContent-Type: application/pdf; name="' + "合同.pdf".encode("gbk") + b'"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n"
        b"--B\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"\r\n--B--\r\n"
    )
    assert [member.path for member in mail_members(data)] == ["合同.pdf", "电梯维修.eml"]
    assert text(data).endswith("合同.pdf\n\n电梯维修.eml")


def test_a_mail_whose_parts_nothing_parts_is_read() -> None:
    assert "No bound" in text(HEADS + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed\r\n\r\nNo bound\r\n")


def test_a_saved_web_page_is_read_as_a_page() -> None:
    data = (
        b"From: <Saved by Blink>\r\nSubject: =?utf-8?Q?=E5=85=AC=E5=91=8A?=\r\nMIME-Version: 1.0\r\nContent-Type: "
        b'multipart/related; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: '
        b"quoted-printable\r\n\r\n<meta charset=3Dgbk><p>=CD=A8=D6=AA</p>\r\n--b\r\nContent-Type: text/css\r\n"
        b"Content-Location: cid:x\r\n\r\n.a{}\r\n--b--\r\n"
    )
    assert text(data).split("\n")[-1] == "通知"
    assert list(mail_members(data)) == [], "its styles and pictures are no attachments"


def a_mailbox() -> bytes:
    mails = [
        b"From a@b.example Fri Mar  1 09:30:00 2024\n" + a_letter(f"第{number}封", words, "8bit").as_bytes() + b"\n"
        for number, words in enumerate(("一", "二二\n" * 20_000, "三"), 1)
    ]
    mails[0] += b"A line:\nFrom 09:30 on 1 March 2024 nothing new begins\n\n>From a quoted line\n\n"
    return b"".join(mails)


def test_a_mailbox_is_the_list_of_its_mails() -> None:
    found = extract_mailbox(a_mailbox())
    assert found.pages == (
        "王芳 <wang@a.example> · 第1封\n王芳 <wang@a.example> · 第2封\n王芳 <wang@a.example> · 第3封",
    )


def test_a_mailbox_of_one_mail_is_read_as_that_mail() -> None:
    """Some programs put a mailbox's first line before a mail that they save."""
    letter = a_letter("维保合同", "合同见附件。")
    letter.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="合同.pdf")
    saved = b"From a@b.example Wed Jul 20 17:35:09 2016\n" + letter.as_bytes()
    assert "合同见附件。" in extract_mailbox(saved).pages[0]
    assert [member.path for member in mailbox_members(saved)] == ["合同.pdf"]


def test_each_mail_of_a_mailbox_comes_out_as_it_was_sent() -> None:
    found = {member.path: b"".join(member.chunks()) for member in mailbox_members(a_mailbox())}
    assert list(found) == ["0001 第1封.eml", "0002 第2封.eml", "0003 第3封.eml"]
    assert text(found["0001 第1封.eml"]).split("\n")[-3:] == [
        "From 09:30 on 1 March 2024 nothing new begins",
        "",
        "From a quoted line",
    ]
    assert text(found["0002 第2封.eml"]).count("二二") == 20_000


@pytest.mark.parametrize("depth", [200, 5_000])
def test_mails_in_mails_without_end_are_a_bomb(depth: int) -> None:
    with pytest.raises(Unreadable) as refused:
        extract_mail(b"Subject: x\r\nContent-Type: message/rfc822\r\n\r\n" * depth + b"Subject: y\r\n\r\nz")
    assert refused.value.failure.reason is Reason.BOMB


def test_parts_in_parts_without_end_are_a_bomb() -> None:
    parts = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(200))
    with pytest.raises(Unreadable) as refused:
        extract_mail(HEADS + parts)
    assert refused.value.failure.reason is Reason.BOMB


def test_a_mail_that_only_a_key_opens_is_sealed() -> None:
    kind = b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nAAAA"
    with pytest.raises(Unreadable) as refused:
        extract_mail(HEADS + kind)
    assert refused.value.failure.reason is Reason.SEALED


def signed(words: bytes, *, endless: bool = False) -> bytes:
    """Return an envelope (CMS) as programs write it, of known length or not, with what matters here and no more."""

    def part(tag: int, body: bytes) -> bytes:
        if endless and tag & 0x20:
            return bytes((tag, 0x80)) + body + b"\0\0"
        return bytes((tag, 0x82)) + len(body).to_bytes(2) + body

    kind, data = (b"\x06\x09" + bytes.fromhex("2a864886f70d0107") + last for last in (b"\x02", b"\x01"))
    whole = part(0x24, part(0x04, words[:5]) + part(0x04, words[5:])) if endless else part(0x04, words)
    about = b"\x02\x01\x01" + part(0x31, b"") + part(0x30, data + part(0xA0, whole))
    return part(0x30, kind + part(0xA0, part(0x30, about)))


@pytest.mark.parametrize("endless", [False, True])
def test_of_a_mail_that_is_signed_as_a_whole_what_was_signed_is_read(endless: bool) -> None:
    envelope = signed("Content-Type: text/plain; charset=utf-8\r\n\r\n供水检测报告".encode(), endless=endless)
    kind = b"Subject: water\r\nContent-Type: application/pkcs7-mime; smime-type=signed-data\r\n"
    data = HEADS + kind + b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(envelope)
    assert "Subject: water" in text(data)
    assert "供水检测报告" in text(data)
    assert [member.path for member in members_of(kinds.ENVELOPE, "信.eml.p7m", envelope)] == ["信.eml"]
    with pytest.raises(Unreadable) as torn:
        extract_envelope(envelope[:40])
    assert torn.value.failure.reason is Reason.BROKEN
    with pytest.raises(Unreadable) as sealed:
        extract_envelope(envelope.replace(b"\x01\x07\x02", b"\x01\x07\x03"))
    assert sealed.value.failure.reason is Reason.SEALED


def test_a_mail_that_is_nothing_but_a_file_gives_the_file() -> None:
    fax = HEADS + b'Content-Type: image/tiff; name="1.tif"\r\n\r\nII*'
    assert [(member.path, b"".join(member.chunks())) for member in mail_members(fax)] == [("1.tif", b"II*")]
    enclosed = HEADS + b"Content-Type: message/rfc822\r\n\r\nX-No: subject\r\n\r\nwords"
    assert [member.path for member in mail_members(enclosed)] == ["mail.eml"]
    assert "words" in text(HEADS + b'Content-Type: text/plain; name="a.txt"\r\n\r\nwords')


def test_of_much_laid_out_text_the_beginning_is_read_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    head = b"From: a@b.example\nSubject: s\nContent-Type: text/html; charset=utf-8\n\n"
    body = b"<p>first</p><p>second</p>"
    assert not extract_mail(head + body).cut
    monkeypatch.setattr(mail, "MOST_RICH", body.index(b"<p>second"))
    found = extract_mail(head + body)
    assert found.cut
    assert "first" in found.pages[0]
    assert "second" not in found.pages[0]
