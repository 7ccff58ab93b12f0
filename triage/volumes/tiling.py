"""Holding a partition table against its source: regions that tile it, and what does not fit.

The rule for what overlaps:

- A partition that begins at or past the end of the source is no region, only a trouble; one that ends past it is cut.
- Of partitions that begin at the same byte the largest is the region (of equals, the first in table order).
- A partition that begins inside another keeps its own start: the earlier one is cut there, and what it had
  behind the later one's end is a gap "rest of" it.
- A partition wins over the bytes of the table itself.

Nothing of this passes in silence: each leaves a trouble that names both.
"""

from triage.model.evidence import Region
from triage.model.runs import ByteRun, Runs, intersect, merge, subtract
from triage.model.trouble import Trouble, TroubleCode
from triage.volumes.table import Partition, Table, trouble


def tile(table: Table, size: int) -> tuple[tuple[Region, ...], tuple[Trouble, ...]]:
    """Return the regions that tile a source of `size` bytes from 0, and the troubles of fitting them."""
    troubles: list[Trouble] = []
    fitting = _fit(table.partitions, size, troubles)
    apart, rests = _separate(_one_a_start(fitting, troubles), troubles)
    regions = [
        Region(
            run=each.run,
            name=each.name,
            scheme=table.scheme,
            is_volume=each.is_volume,
            description=each.description,
        )
        for each in apart
    ]
    taken = merge(each.run for each in apart)
    free = subtract((ByteRun(0, size),), taken)
    own = intersect(merge(table.own), free)
    regions.extend(_numbered(own, "partition table", table.scheme, {}))
    regions.extend(_numbered(subtract(free, own), "gap", table.scheme, rests))
    return tuple(sorted(regions, key=lambda region: region.run)), tuple(troubles)


def _fit(partitions: tuple[Partition, ...], size: int, troubles: list[Trouble]) -> list[Partition]:
    """Return what lies in the source, cut at its end."""
    inside: list[Partition] = []
    for each in partitions:
        start, end = each.run.offset, each.run.end
        if start >= size:
            text = f"{each.name} begins at {start}, past the end of the source ({size} bytes)"
            troubles.append(trouble(TroubleCode.DAMAGED, start, text))
        elif end > size:
            text = f"{each.name} ends at {end}, past the end of the source ({size} bytes); what is there is read"
            troubles.append(trouble(TroubleCode.DAMAGED, start, text, size - start))
            inside.append(_cut(each, size))
        elif each.run.length:
            inside.append(each)
    return inside


def _one_a_start(partitions: list[Partition], troubles: list[Trouble]) -> list[Partition]:
    """Return partitions by start, the largest of those that share one."""
    chosen: dict[int, Partition] = {}
    for each in partitions:
        start = each.run.offset
        held = chosen.setdefault(start, each)
        if held is each:
            continue
        kept, dropped = (held, each) if held.run.length >= each.run.length else (each, held)
        chosen[start] = kept
        text = f"{held.name} and {each.name} both begin at {start}; {kept.name} is read, {dropped.name} is not"
        troubles.append(trouble(TroubleCode.AMBIGUOUS, start, text, dropped.run.length))
    return [chosen[start] for start in sorted(chosen)]


def _separate(partitions: list[Partition], troubles: list[Trouble]) -> tuple[list[Partition], dict[int, str]]:
    """Return partitions that no longer overlap, and the names of those whose rest begins a gap, by its offset."""
    apart: list[Partition] = []
    rests: dict[int, str] = {}
    reaching: Partition | None = None
    for each in partitions:
        start = each.run.offset
        if reaching is not None and start < reaching.run.end:
            text = f"{each.name} begins at {start}, inside {reaching.name}, which is cut there"
            shared = min(each.run.end, reaching.run.end) - start
            troubles.append(trouble(TroubleCode.AMBIGUOUS, start, text, shared))
            if apart[-1].run.end > start:
                apart[-1] = _cut(apart[-1], start)
            if each.run.end < reaching.run.end:
                rests[each.run.end] = reaching.name
        if reaching is None or each.run.end > reaching.run.end:
            reaching = each
        apart.append(each)
    return apart, rests


def _cut(partition: Partition, end: int) -> Partition:
    return Partition(
        run=ByteRun(partition.run.offset, end - partition.run.offset),
        label=partition.label,
        description=partition.description,
        is_volume=partition.is_volume,
    )


def _numbered(runs: Runs, name: str, scheme: str, rests: dict[int, str]) -> list[Region]:
    """Return regions of bytes in no partition, numbered by offset."""
    return [
        Region(
            run=run,
            name=f"{name} {number}",
            scheme=scheme,
            is_volume=False,
            description=f"rest of {rests[run.offset]}" if run.offset in rests else "",
        )
        for number, run in enumerate(runs, 1)
    ]
