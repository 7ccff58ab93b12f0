"""The table of the ground truth: every known content that is planted, and the unknown ones beside them."""

from collections.abc import Callable
from functools import partial

from synthetic.copies import ALTERATIONS
from synthetic.planted import By, Need, Planted, State, Where
from synthetic.truth_contents import (
    altered,
    as_thumbnail,
    behind_junk,
    copied,
    in_7z,
    in_docx,
    in_encrypted_zip,
    in_floppy,
    in_mail,
    in_pdf,
    in_qcow2,
    in_tar_gz,
    in_thumbcache,
    in_thumbs_db,
    in_zip,
    in_zip_in_zip,
    noise,
    two_blocks,
)
from synthetic.videos import COPIES, Copy

ALBUM = "album/one.jpg"
PICTURES, DOCUMENTS, DOWNLOADS = (f"Users/anna/{name}" for name in ("Pictures", "Documents", "Downloads"))
MEMBERS = frozenset({Need.MEMBERS})
CARVING = frozenset({Need.CARVING})
APPEARANCE = frozenset({Need.APPEARANCE})
VIDEOS = frozenset({Need.VIDEOS})

_SMALLER = Copy(COPIES["half the size"].alter, "avi", "mpeg4", options={"b": 200_000})
_ALTERED = {
    "turned.jpg": ("turned by 90 degrees", "turn by 90"),
    "mirrored.jpg": ("mirrored", "mirror"),
    "worse.jpg": ("saved at a quality of 30", "JPEG q30"),
    "half.jpg": ("scaled to half", "resize to 50 %"),
    "cropped.jpg": ("cropped by 5 % at the left", "crop 5 % left"),
}

LISTED = (
    Planted(name="file.jpg", what="a picture", where=Where.NTFS, path=f"{PICTURES}/IMG_0001.jpg"),
    Planted(
        name="renamed.jpg", what="a picture with a wrong extension", where=Where.NTFS, path=f"{DOCUMENTS}/budget.xls"
    ),
    Planted(
        name="stream.jpg",
        what="a picture",
        where=Where.NTFS,
        state=State.STREAM,
        path=f"{DOCUMENTS}/notes.txt:extra",
    ),
    Planted(name="card.jpg", what="a picture", where=Where.FAT32, path="DCIM/100SYNTH/DSC_0001.JPG"),
    Planted(name="home.png", what="a picture", where=Where.EXT4, path="home/anna/walk.png"),
    Planted(name="film.mp4", what="a video under another name", where=Where.NTFS, path=f"{DOWNLOADS}/update.bin"),
    Planted(
        name="deleted.jpg",
        what="a picture",
        where=Where.NTFS,
        state=State.DELETED,
        path=f"{PICTURES}/gone.jpg",
    ),
    Planted(
        name="erased.jpg",
        what="a picture",
        where=Where.FAT32,
        state=State.DELETED,
        path="DCIM/100SYNTH/DSC_0002.JPG",
    ),
)
ALTERED = (
    *(
        Planted(
            name=name,
            what=what,
            where=Where.NTFS,
            path=f"{PICTURES}/{name}",
            by=By.PDQ,
            needs=APPEARANCE,
            made=partial(altered, ALTERATIONS[alteration]),
        )
        for name, (what, alteration) in _ALTERED.items()
    ),
    Planted(
        name="smaller.mp4",
        what="a video encoded again, at half the size",
        where=Where.NTFS,
        path=f"{DOWNLOADS}/smaller.avi",
        by=By.PDQ,
        needs=VIDEOS,
        made=partial(copied, _SMALLER),
    ),
    Planted(
        name="clip.mp4",
        what="a clip cut out of a video",
        where=Where.NTFS,
        path=f"{DOWNLOADS}/clip.mp4",
        by=By.PDQ,
        needs=VIDEOS,
        made=partial(copied, COPIES["last three quarters"]),
    ),
)


def _inside(name: str, what: str, made: Callable[[str], bytes], path: str, inside: str, *needs: Need) -> Planted:
    needed = MEMBERS | frozenset(needs)
    return Planted(name=name, what=what, where=Where.NTFS, path=path, inside=inside, needs=needed, made=made)


INSIDE = (
    _inside("zip.jpg", "in a ZIP archive", in_zip, f"{DOCUMENTS}/album.zip", ALBUM),
    _inside(
        "zips.jpg", "in a ZIP archive in a ZIP archive", in_zip_in_zip, f"{DOCUMENTS}/old.zip", f"inner.zip/{ALBUM}"
    ),
    _inside("tar.jpg", "in a tar.gz archive", in_tar_gz, f"{DOCUMENTS}/album.tar.gz", f"album.tar/{ALBUM}"),
    _inside("7z.jpg", "in a 7z archive", in_7z, f"{DOCUMENTS}/album.7z", ALBUM),
    _inside("docx.jpg", "in a text document", in_docx, f"{DOCUMENTS}/letter.docx", "word/media/image1.jpg"),
    _inside("pdf.jpg", "in a PDF", in_pdf, f"{DOCUMENTS}/letter.pdf", "object-2.jpg"),
    _inside("mail.jpg", "attached to a mail", in_mail, f"{DOCUMENTS}/walk.eml", "walk.jpg"),
    _inside("thumbs.jpg", "in a thumbs.db", in_thumbs_db, f"{DOCUMENTS}/Thumbs.db", "walk.jpg"),
    _inside("cache.jpg", "in a thumbcache", in_thumbcache, f"{DOCUMENTS}/thumbcache_256.db", "a1b2c3d4e5f60718.jpg"),
    _inside("raw.jpg", "in a raw disk image", in_floppy, f"{DOCUMENTS}/floppy.img", "ONE.JPG"),
    _inside("qcow2.jpg", "in the disk of a virtual machine", in_qcow2, f"{DOCUMENTS}/machine.qcow2", "ONE.JPG"),
    _inside(
        "exif.jpg",
        "as the EXIF thumbnail of another picture",
        as_thumbnail,
        f"{DOCUMENTS}/other.jpg",
        "exif-thumbnail.jpg",
        Need.THUMBNAILS,
    ),
)
NAMELESS = (
    *(
        Planted(
            name=f"free.{ending}",
            what=kind,
            where=Where.EXT4,
            state=State.NAMELESS,
            path=f"home/anna/free.{ending}",
            needs=CARVING,
        )
        for kind, ending in (("JPEG", "jpg"), ("PNG", "png"), ("GIF", "gif"), ("WebP", "webp"), ("MP4", "mp4"))
    ),
    Planted(name="slack.jpg", what="a small picture", where=Where.EXT4, state=State.SLACK, needs=CARVING),
    Planted(
        name="former.jpg",
        what="a picture",
        where=Where.EXT4,
        state=State.FORMER,
        needs=CARVING,
    ),
    Planted(name="gap.jpg", what="a picture", where=Where.GAP, state=State.BARE, needs=CARVING),
    Planted(
        name="blocks.jpg",
        what="a picture without its head",
        where=Where.GAP,
        state=State.BLOCKS,
        by=By.BLOCK,
        needs=frozenset({Need.BLOCKS}),
    ),
)
MISSED = (
    Planted(
        name="overwritten.jpg",
        what="a picture, its second half overwritten",
        where=Where.NTFS,
        state=State.OVERWRITTEN,
        path=f"{PICTURES}/lost.jpg",
        beyond="its digest is another, half of the picture is gone, and fewer than four of its blocks are left",
    ),
    Planted(
        name="pieces.jpg",
        what="a picture",
        where=Where.FAT32,
        state=State.FRAGMENTED,
        path="DCIM/100SYNTH/DSC_0003.JPG",
        beyond="FAT forgets where a deleted file goes on, pieces are not put together, and they are short",
    ),
    Planted(
        name="junk.jpg",
        what="a picture behind 512 bytes of noise",
        where=Where.NTFS,
        path=f"{DOCUMENTS}/state.dat",
        made=behind_junk,
        beyond="its digest is another, nothing is carved in allocated files, and its blocks begin where none should",
    ),
    Planted(
        name="few.jpg",
        what="two of its blocks in a file of noise",
        where=Where.NTFS,
        path=f"{DOCUMENTS}/cache.dat",
        made=two_blocks,
        beyond="a run of fewer than four blocks is no finding",
    ),
    Planted(
        name="collage.jpg",
        what="one of four pictures in a collage",
        where=Where.NTFS,
        path=f"{PICTURES}/collage.jpg",
        made=partial(altered, ALTERATIONS["2 x 2 collage"]),
        beyond="a part of a picture does not look like the whole",
    ),
    Planted(
        name="locked.jpg",
        what="in an encrypted ZIP archive",
        where=Where.NTFS,
        path=f"{DOCUMENTS}/private.zip",
        made=in_encrypted_zip,
        beyond="encrypted",
        told="encrypted",
    ),
    Planted(
        name="volume.jpg",
        what="in an encrypted volume",
        where=Where.LUKS,
        state=State.ENCRYPTED,
        beyond="encrypted",
        told="encrypted",
    ),
)
PLANTED = (*LISTED, *ALTERED, *INSIDE, *NAMELESS, *MISSED)

UNKNOWN = (
    Planted(name="unknown 1.jpg", what="a picture", where=Where.NTFS, path=f"{PICTURES}/IMG_0002.jpg"),
    Planted(name="unknown 2.png", what="a picture", where=Where.EXT4, path="home/anna/file.jpg"),
    Planted(name="unknown 3.mp4", what="a video", where=Where.NTFS, path=f"{DOWNLOADS}/film.mp4"),
    Planted(name="unknown 4.jpg", what="a picture", where=Where.FAT32, path="DCIM/100SYNTH/DSC_0004.JPG"),
    Planted(
        name="unknown 5.jpg",
        what="a picture",
        where=Where.NTFS,
        state=State.DELETED,
        path=f"{PICTURES}/IMG_0003.jpg",
    ),
    _inside("unknown 6.jpg", "in a ZIP archive", in_zip, f"{DOCUMENTS}/other.zip", ALBUM),
    _inside("unknown 7.jpg", "in a PDF", in_pdf, f"{DOCUMENTS}/other.pdf", "object-2.jpg"),
    Planted(
        name="unknown 8.jpg", what="a picture", where=Where.EXT4, state=State.NAMELESS, path="home/anna/unknown.jpg"
    ),
    Planted(name="unknown 9.jpg", what="a picture", where=Where.GAP, state=State.BARE),
    Planted(
        name="unknown 10.bin",
        what="noise of the size of a known file",
        where=Where.NTFS,
        path=f"{DOCUMENTS}/state.bin",
        made=lambda name: noise(name, len(LISTED[0].made(LISTED[0].name))),
    ),
)
"""Look-alikes: none of these may be found."""
