"""A small case of a real examination: a card with known pictures, an altered one, and a name meant to do harm."""

from contextlib import closing
from pathlib import Path

from images import pictures
from images.fat import fat16
from images.tree import File
from suite import Demo

from triage.model.blocks import BlockStratum
from triage.session.examination import Examination, Order
from triage.store.case import Case

REFERENCE = "ABC/1"
HOSTILE = "[red]\u202egpj.x\u2066[@click=app.bell]" + "y" * 90 + ".jpg"
SAMPLE = BlockStratum(label="the whole device", blocks=250_000, grid=1024, grid_read=1024, drawn=60_000)


def card() -> bytes:
    """Return a FAT16 file system with three known pictures, one altered, and files that match nothing."""
    known = [pictures.jpeg(pictures.scene(seed)) for seed in range(3)]
    altered = pictures.jpeg(pictures.resized(pictures.scene(3), 0.5), 60)
    files = [
        File(path="DCIM/100SYNTH/IMG_0001.JPG", data=known[0]),
        File(path="DCIM/100SYNTH/IMG_0002.JPG", data=altered),
        File(path=f"DCIM/100SYNTH/{HOSTILE}", data=known[1]),
        File(path="DCIM/101SYNTH/IMG_0003.JPG", data=known[2]),
        *(File(path=f"notes/{number}.txt", data=b"bread, apples, tea " * (number + 1)) for number in range(4)),
    ]
    return fat16(files, 16 << 20)


def examined(folder: Path, demo: Demo) -> Path:
    """Examine the card into a case below a folder and return that; a sample of blocks is recorded as well."""
    source, case = folder / "card.img", folder / "case"
    source.write_bytes(card())
    with (
        Examination(Order(source=source, case=case, exhibit=REFERENCE, library=demo.library)) as examination,
        closing(examination.events()) as events,
    ):
        for _ in events:
            pass
    with Case.open(case) as opened:
        opened.samples.record(REFERENCE, [SAMPLE])
    return case
