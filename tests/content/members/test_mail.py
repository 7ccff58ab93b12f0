import base64
import mailbox
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from pathlib import Path

import pytest
from content.members.made import contents, found, picture, told
from content.members.makers import message

from triage.content.members.mail import MAILBOX, MESSAGE, mail_type

JPEG, PNG = picture(), picture("PNG")


def test_attachments_are_given_as_they_were() -> None:
    data = message(files={"photo.jpg": JPEG, "übung.jpg": PNG}).as_bytes()
    assert contents(data) == {"part-1.txt": b"hello\nFrom here on\n", "photo.jpg": JPEG, "übung.jpg": PNG}
    assert contents(data.replace(b"\n", b"\r\n"))["photo.jpg"] == JPEG


def test_attached_messages_are_gone_through() -> None:
    outer = message("outer", {"a.jpg": JPEG})
    outer.add_attachment(message("inner", {"b.png": PNG}))
    inside = contents(outer.as_bytes())
    assert (inside["a.jpg"], inside["b.png"], len(inside)) == (JPEG, PNG, 4)


def test_an_attached_message_that_is_encoded_is_for_the_next_level() -> None:
    outer = MIMEMultipart()
    outer["From"], outer["Date"] = "a@example.org", "Mon, 1 Jan 2024 00:00:00 +0000"
    part = MIMEBase("message", "rfc822")
    inner = message("inner", {"b.png": PNG}).as_bytes()
    part["Content-Transfer-Encoding"] = "base64"
    part.set_payload(base64.encodebytes(inner).decode())
    outer.attach(part)
    assert contents(outer.as_bytes()) == {"part-1.eml": inner}


def test_messages_are_known_by_their_fields() -> None:
    plain = b"Subject: a\nFrom: b@example.org\nDate: Mon, 1 Jan 2024 00:00:00 +0000\n\ntext"
    assert list(contents(plain, "text/plain")) == ["part-1.txt"]
    assert found(b"Subject: a text that begins with a colon\n\nand goes on\n", "text/plain") == []
    assert found(b"plain text\n", "text/plain") == []


def test_a_mailbox_is_cut_into_messages(tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "box")
    for number in range(3):
        box.add(message(f"{number}", {f"{number}.jpg": JPEG}))
    box.close()
    data = (tmp_path / "box").read_bytes()
    messages = contents(data)
    assert list(messages) == ["message-1.eml", "message-2.eml", "message-3.eml"]
    for number, each in enumerate(messages.values()):
        assert contents(each, "message/rfc822")[f"{number}.jpg"] == JPEG


@pytest.mark.parametrize("text", [b"!!!! no base64 at all !!!!", b"QUJD=QUJ"])
def test_damaged_base64_is_told(text: bytes) -> None:
    head = b"From: a\nDate: b\nMIME-Version: 1.0\nContent-Type: image/jpeg\nContent-Transfer-Encoding: base64\n\n"
    assert [(code, given) for _, code, given in told(found(head + text))] == [("damaged", True)]


def test_a_message_that_is_cut_is_told() -> None:
    data = message(files={"photo.jpg": JPEG}).as_bytes()
    inside = told(found(data[: len(data) // 2]))
    assert inside[-1] == ("", "damaged", False)
    assert [name for name, _, _ in inside[:-1]] == ["part-1.txt", "photo.jpg"]


def test_parts_in_parts_without_end_end() -> None:
    head = b"From: a\nMessage-ID: b\n"
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level) for level in range(3000)
    )
    assert len(found(head + nested)) <= 2
    lines = head + b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\nx: boundary=b\n\n" * 9000
    assert told(found(lines)) == [("", "limit", False)]
    assert len(found((head + b"Content-Type: message/rfc822\n\n") * 3000)) <= 2


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\n\n", b"\xef\xbb\xbf\r\n"])
def test_a_byte_order_mark_and_empty_lines_before_the_fields_hide_nothing(before: bytes) -> None:
    mail = bytes(message("hello", {"beach.jpg": JPEG}))
    assert mail_type(before + mail) == MESSAGE
    assert contents(before + mail, MESSAGE)["beach.jpg"] == JPEG
    box = before + b"From a@example.org Sat Jan  3 01:05:34 2026\n" + mail
    assert mail_type(box) == MAILBOX
    assert contents(box, MAILBOX)["message-1.eml"].startswith(b"From: a@example.org")


def test_fields_without_end_and_parts_of_mime_tell_a_message() -> None:
    assert mail_type(b"X-Foo: 1\nComments: " + b"x" * 5000) == MESSAGE
    assert mail_type(b"X-Foo: 1\nComments: no more\n\n" + b"x" * 5000) is None
    assert mail_type(b"Snapshot-Location: a\nContent-Type: multipart/related;\n boundary=b\n\n--b\n") == MESSAGE
    assert mail_type(b"Title: a\n\nContent-Type: multipart/related; boundary=b\n") is None
