import hashlib

import pytest
from synthetic.published import InMemory

from triage.hashsets.formats import READERS
from triage.hashsets.formats.decoding import is_binary

MD5 = hashlib.md5(b"invented").hexdigest()
SHA1 = hashlib.sha1(b"invented").hexdigest()
SHA256 = hashlib.sha256(b"invented").hexdigest()


def chosen(content: bytes | str) -> str | None:
    published = InMemory(content)
    readers = (reader for reader in READERS if reader.binary or not is_binary(published.head))
    return next((reader.name for reader in readers if reader.recognise(published)), None)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (f"{MD5}  name.jpg\n", "text"),
        (f"{SHA256}\n{SHA256}\n", "text"),
        (f"SHA256 (a,b.jpg) = {SHA256}\n", "text"),
        (f"  12  {MD5}  a;b\n", "text"),
        (f"# MD5\n{MD5}  a,md5\n", "text"),
        (f"%%%% HASHDEEP-1.0\n%%%% size,md5,filename\n7,{MD5},x\n", "hashdeep"),
        (f"md5\n{MD5}\n", "csv"),
        (f"{MD5},name\n", "csv"),
        (f"name|{MD5}\n", "csv"),
        (f"{SHA1}\t{MD5}\tname\n", "csv"),
        (f'"SHA-1","MD5","CRC32","FileName","FileSize"\n"{SHA1}","{MD5}","","x",1\n', "csv"),
        (f'"file_id","hashset_id","file_name","directory","hash"\n1,1,"x",,"{MD5}"\n', "csv"),
        (b"HASH\r\n\xff\0\x02\0\0\0\x01\0\0\0" + bytes(1200), "encase"),
    ],
)
def test_each_format_is_taken_by_its_reader(content: bytes | str, name: str) -> None:
    assert chosen(content) == name
    if isinstance(content, str):
        assert {chosen(content.encode(encoding)) for encoding in ("utf-8-sig", "utf-16", "utf-16-le")} == {name}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        "dear reader,\nthis is no list\n",
        "name,size\nx,1\n",
        '"hashset_id","name","vendor","package","version"\n671,"Z00236","x","y","z"\n',
        bytes(range(256)) * 300,
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        "x" * 100_000,
        ",".join("c" * 10_000) + "\n",
    ],
)
def test_what_is_no_hash_set_is_taken_by_none(content: bytes | str) -> None:
    assert chosen(content) is None
