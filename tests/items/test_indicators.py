"""What names indicate: programs and folders to know of, and a force's words; by any form of the same name."""

import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.items.indicator_rules import IndicatorRule, load_rules
from triage.items.indicators import KEYWORD, Indicators
from triage.items.keywords import Keywords
from triage.items.names import folded
from triage.model.errors import UsageError

SHIPPED = Indicators.load()
RULE = 'group = "g"\nlabel = "l"\ntext = "t"\n'

# What is told by the shipped table, by group.
EXAMPLES = [
    ("Program Files/VeraCrypt/VeraCrypt.exe", ["encryption"]),
    ("Users/ann/Downloads/VeraCrypt Setup 1.26.7.exe", ["encryption"]),
    ("Users/ann/secret.hc", ["encryption"]),
    ("Users/ann/BitLocker Recovery Key 0A1B.TXT", ["encryption"]),
    ("media/vault.cryptomator", ["encryption"]),
    ("Tools/SDelete64.exe", ["wiping"]),
    ("Users/ann/AppData/Local/eMule/config/known.met", ["file-sharing"]),
    ("home/ann/.aMule", ["file-sharing"]),
    ("Users/ann/AppData/Roaming/uTorrent/resume.dat", ["file-sharing"]),
    ("Games/Bit/resume.dat", []),
    ("Users/ann/Desktop/linux.torrent", ["file-sharing"]),
    ("Users/ann/Desktop/Tor Browser", ["anonymity"]),
    ("torbrowser-install-win64-13.0_ALL.exe", ["anonymity"]),
    ("Users/ann/OneDrive", ["cloud"]),
    ("Users/ann/OneDrive - Work", ["cloud"]),
    ("Users/ann/OneDrive/Pictures/a.jpg", []),
    ("onedrive", []),
    ("Users/ann/Apple/MobileSync/Backup/0af1/Manifest.plist", ["phone-backup"]),
    ("app/Manifest.plist", []),
    ("phone.ab", ["phone-backup"]),
    ("ProgramData/Apple/Lockdown/0af1.plist", ["phone-backup"]),
    ("ProgramData/Apple/Lockdown/SystemConfiguration.plist", []),
    ("machines/old.vmdk", ["virtual-machine"]),
    ("disk.E01", ["disk-image"]),
    ("Users/ann/NTUSER.DAT", ["user-account"]),
    ("Windows.old/Users/bob/ntuser.dat", ["user-account"]),
    ("Users/Default/NTUSER.DAT", []),
    ("Users/ann/Library", ["user-account"]),
    ("old/Users/ann/Library", []),
    ("home/ann/.bashrc", ["user-account"]),
    ("etc/skel/.bashrc", []),
    ("Users/ann/Pictures/a.jpg", []),
    ("ab", []),
    (".hc", ["encryption"]),
    ("", []),
]


def indicators(*rules: IndicatorRule, words: tuple[str, ...] = ()) -> Indicators:
    return Indicators(rules, Keywords(words))


def rule(label: str, **patterns: tuple[str, ...]) -> IndicatorRule:
    return IndicatorRule(group="g", label=label, text="t", **patterns)


def labels(told: Indicators, path: str) -> list[str]:
    return [one.label for one in told.of([path])[0]]


@pytest.mark.parametrize(("path", "groups"), EXAMPLES)
def test_names_are_told_by_the_shipped_table(path: str, groups: list[str]) -> None:
    assert [one.group for one in SHIPPED.of([path])[0]] == groups


def test_a_batch_is_told_in_its_order_whatever_is_beside() -> None:
    paths = [path for path, _ in EXAMPLES] * 2
    assert SHIPPED.of(paths) == [SHIPPED.of([path])[0] for path in paths]
    assert SHIPPED.of([]) == []


def test_every_shipped_pattern_is_met_by_a_name_made_of_it() -> None:
    for one in load_rules(None):
        made = [name.replace("*", "x") for name in one.names]
        made += [f"x.{extension}" for extension in one.extensions]
        made += [path.strip("/").replace("*", "x") for path in one.paths]
        for path, told in zip(made, SHIPPED.of(made), strict=True):
            assert one.indication in told, path


def test_each_label_stands_once_and_each_text_is_a_sentence() -> None:
    rules = load_rules(None)
    assert len({(one.group, one.label) for one in rules}) == len(rules)
    assert all(one.text.endswith(".") for one in rules)


def test_case_marks_and_width_of_letters_make_no_difference() -> None:
    told = indicators(rule("a", names=("Größe",), paths=("Döner/*/Äther",)), words=("Żółw",))
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert labels(told, unicodedata.normalize(form, "x/GRÖSSE")) == ["a"]
        assert labels(told, unicodedata.normalize(form, "döner/any/äTHER")) == ["a"]
        assert labels(told, unicodedata.normalize(form, "my ŻÓŁW.txt")) == ["żółw"]
    assert labels(indicators(rule("a", extensions=("hc",))), "x.\uff28\uff23") == ["a"]


def test_a_name_is_told_once_by_a_rule_and_in_the_order_of_the_table() -> None:
    told = indicators(
        rule("a", extensions=("exe",), names=("tool*", "tool.exe")), rule("b", names=("tool.exe",)), words=("too",)
    )
    assert labels(told, "x/Tool.EXE") == ["a", "b", "too"]
    assert told.of(["tool.exe"])[0][-1].group == KEYWORD


def test_names_that_are_not_valid_unicode_are_told_like_any_other() -> None:
    told = indicators(rule("a", extensions=("hc",)), words=("zork",))
    assert labels(told, "b\udcff/a\udc80zork.hc") == ["a", "zork"]


def test_a_pattern_from_the_root_holds_there_only() -> None:
    told = indicators(rule("a", paths=("/x/*", "*/y/z")))
    assert [labels(told, path) for path in ("x/q", "d/x/q", "x", "q/y/z", "y/z", "d/q/y/z")] == [
        ["a"], [], [], ["a"], [], ["a"]
    ]  # fmt: skip


plain = st.text(alphabet="abä.", min_size=1, max_size=3).filter(lambda name: name.strip("."))


def slowly(one: IndicatorRule, path: str) -> bool:
    """Tell by comparing name by name."""
    parts = folded(path).split("/")

    def fits(pattern: str) -> bool:
        wanted = folded(pattern).strip("/").split("/")
        if len(wanted) > len(parts) or (pattern.startswith("/") and len(wanted) != len(parts)):
            return False
        return all(name in ("*", part) for name, part in zip(reversed(wanted), reversed(parts), strict=False))

    _, dot, extension = parts[-1].rpartition(".")
    met = any(fits(pattern) for pattern in (*one.names, *one.paths)) and not any(map(fits, one.not_paths))
    return met or (bool(dot) and extension in map(folded, one.extensions))


@settings(max_examples=50)
@given(
    st.lists(
        st.builds(
            rule,
            st.just("a"),
            names=st.lists(plain, max_size=2).map(tuple),
            extensions=st.lists(st.sampled_from(["a", "Ab", "ä"]), max_size=1).map(tuple),
            paths=st.lists(st.sampled_from(["/a/b", "a/*", "*/a", "/*/b/*", "a/b/a", "/ä"]), max_size=2).map(tuple),
            not_paths=st.lists(st.sampled_from(["a/b", "/a/a", "*/a/*"]), max_size=1).map(tuple),
        ),
        max_size=3,
    ),
    st.lists(st.lists(plain, min_size=1, max_size=4).map("/".join), max_size=5),
)
def test_the_quick_way_tells_what_the_slow_way_tells(rules: list[IndicatorRule], paths: list[str]) -> None:
    told = indicators(*rules).of(paths)
    assert [len(one) for one in told] == [sum(slowly(one, path) for one in rules) for path in paths]


def test_the_digest_changes_with_the_table_and_the_words_not_with_their_order() -> None:
    digests = {
        indicators().digest,
        indicators(rule("a", names=("x",))).digest,
        indicators(rule("b", names=("x",))).digest,
        indicators(rule("a", names=("x",)), words=("zork",)).digest,
        SHIPPED.digest,
    }
    assert len(digests) == 5
    assert indicators(words=("zork", "Blip")).digest == indicators(words=("blip", "zork", "ZORK")).digest


def test_a_force_gives_a_table_and_words_of_its_own(tmp_path: Path) -> None:
    table, words = tmp_path / "table.toml", tmp_path / "words.txt"
    table.write_text(f'\ufeff[[indicator]]\n{RULE}extensions = ["zrk"]\n', encoding="utf-8")
    words.write_text("blip\n", encoding="utf-8")
    told = Indicators.load(table, words)
    assert labels(told, "blip.zrk") == ["l", "blip"]
    assert labels(told, "veracrypt.exe") == []


REFUSED = [
    ("", "must hold [[indicator]] tables and nothing else"),
    ("indicator = 1", "must hold [[indicator]] tables"),
    ("indicator = [1]", "indicator 1: not a table"),
    (f'title = "x"\n[[indicator]]\n{RULE}names = ["a"]', "must hold [[indicator]] tables"),
    (f"[[indicator]]\n{RULE}", "indicator 1: nothing to know it by"),
    (f'[[indicator]]\n{RULE}not_paths = ["a"]', "indicator 1: nothing to know it by"),
    (f'[[indicator]]\n{RULE}name = ["a"]', "indicator 1: 'name' is not a key of an indicator; allowed: group, label"),
    (f'[[indicator]]\n{RULE}names = "a"', "indicator 1: names is 'a'; allowed: a list of patterns"),
    (f"[[indicator]]\n{RULE}names = [1]", "indicator 1: names is 1; allowed: one line of up to 400 characters"),
    (
        f'[[indicator]]\n{RULE}names = ["ab*"]',
        "names holds 'ab*'; allowed: a name without '/', or 3 characters",
    ),
    (f'[[indicator]]\n{RULE}names = ["abc*d"]', "names holds 'abc*d'"),
    (f'[[indicator]]\n{RULE}names = ["a/b"]', "names holds 'a/b'"),
    (f'[[indicator]]\n{RULE}extensions = [".hc"]', "extensions holds '.hc'; allowed: an extension without its dot"),
    (f'[[indicator]]\n{RULE}paths = ["*"]', "paths holds '*'; allowed: names with '/' between them"),
    (f'[[indicator]]\n{RULE}paths = ["a/b*"]', "paths holds 'a/b*'"),
    (f'[[indicator]]\n{RULE}paths = ["a//b"]', "paths holds 'a//b'"),
    ('[[indicator]]\ngroup = "g"\nlabel = "l"\nnames = ["a"]', "indicator 1: text is missing; allowed: one line"),
    ("[[indicator]\n", "not a TOML file"),
    ("#" * (1 << 20) + "\n", "larger than 1,048,576 bytes"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_a_table_that_cannot_be_used_is_refused_with_the_place(tmp_path: Path, text: str, message: str) -> None:
    table = tmp_path / "table.toml"
    table.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        Indicators.load(table)
    assert message in str(refused.value)
    assert str(refused.value).startswith(f"indicators '{table}': ")
    assert str(refused.value).isprintable()


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file; check the path"):
        Indicators.load(tmp_path / "none.toml")


def test_a_deep_or_long_folder_is_followed_to_its_end() -> None:
    told = indicators(rule("a", paths=("x/y",)))
    assert labels(told, "d/" * 2_000 + "x/y") == ["a"]


def test_a_hundred_thousand_names_take_well_under_a_second() -> None:
    paths = [f"Users/ann/Pictures/{number // 50}/IMG_{number}.jpg" for number in range(100_000)]
    words = Indicators(load_rules(None), Keywords([f"zork{number}q" for number in range(10_000)]))
    begun = time.process_time()
    assert not any(words.of(paths))
    assert time.process_time() - begun < 1.0
