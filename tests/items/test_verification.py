"""A source against the digests that its container claims."""

import subprocess
from pathlib import Path

from suite import Corpus, Demo, Tool, Triage

from triage.items.verification import Verification
from triage.sources.opening import open_source


def test_a_sound_image_is_what_it_claims(demo: Demo, tool: Tool, triage: Triage, tmp_path: Path) -> None:
    command = [tool("ewfacquire"), "-u", "-q", "-d", "sha1", "-t", str(tmp_path / "disk"), str(demo.image)]
    subprocess.run(command, check=True, capture_output=True)
    source = open_source(tmp_path / "disk.E01")
    assert {name for name, _ in source.info.stored_digests} == {"md5", "sha1"}
    check = Verification(source)
    assert list(check.steps())[-1] == demo.image.stat().st_size
    assert check.troubles() == ()
    source.close()
    words = ("--case", tmp_path / "case", "--exhibit", "A/1", "--library", demo.library, "--json")
    ran = triage("examine", tmp_path / "disk.E01", *words, "--verify-source")
    assert ran.json["bytes_read"] > demo.image.stat().st_size
    assert "damaged" not in {reason["code"] for reason in ran.json["recommendation"]["reasons"]}


def test_an_image_with_another_content_is_told(corpus: Corpus, triage: Triage, tmp_path: Path) -> None:
    image = corpus.path("real/be/email_test.E01")
    ran = triage("examine", image, "--case", tmp_path, "--exhibit", "A/1", "--verify-source", "--json")
    assert "damaged" in {reason["code"] for reason in ran.json["recommendation"]["reasons"]}
    assert "has not the MD5 that the image claims" in ran.err


def test_without_a_claim_nothing_is_read(demo: Demo) -> None:
    source = open_source(demo.image)
    check = Verification(source)
    assert list(check.steps()) == []
    assert check.troubles() == ()
    source.close()
