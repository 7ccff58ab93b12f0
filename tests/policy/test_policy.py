"""A policy file: what it says is what holds, and what it may not say is refused with the place and the remedy."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from synthetic.facts import policies

from triage.model.errors import UsageError
from triage.policy.policy import DEFAULT, SHIPPED, Demands, Policy, Reach, Seizure, Tolerated

LEAST = 'name = "ours"\nversion = "1"\n'


def loaded(folder: Path, text: str | bytes) -> Policy:
    place = folder / "ours.toml"
    place.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Policy.load(str(place))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_policy_is_found_by_its_name_and_tolerates_no_loss(name: str) -> None:
    policy = Policy.load(name)
    assert policy.name == name
    strict = Tolerated(
        empty_volumes=policy.tolerated.empty_volumes, undated_hash_sets=policy.tolerated.undated_hash_sets
    )
    assert policy.tolerated == strict
    assert (policy.seizure, policy.demanded.any_time_result, policy.reach.least_percent) == (Seizure(), False, 100)


def test_the_default_is_shipped_and_the_strict_one_tolerates_nothing() -> None:
    assert DEFAULT in SHIPPED
    assert Policy.load("strict").tolerated == Tolerated()


def test_what_a_file_leaves_out_has_its_strictest_value(tmp_path: Path) -> None:
    policy = loaded(tmp_path, LEAST)
    assert policy == Policy(name="ours", version="1")
    assert policy.demanded == Demands(self_test=True, any_time_result=False, hash_set_days=30)
    assert policy.reach == Reach(least_percent=100.0, most_pictures=0, confidence_percent=99.0)


def test_every_key_of_a_file_is_taken_over(tmp_path: Path) -> None:
    text = """
        name = "ours"
        version = "2026-11"
        description = "for trials"
        [seizure]
        categories = ["B", " a ", "b"]
        uncategorised = false
        [demanded]
        self_test = false
        any_time_result = true
        hash_set_days = 7
        [reach]
        least_percent = 95
        most_pictures = 20
        confidence_percent = 99.9
        [tolerated]
        unreadable_bytes = 4096
        unreadable_items = 2
        undecodable_pictures_percent = 0.5
        high_entropy_files = 3
        limited_items = 4
        empty_volumes = true
        undated_hash_sets = true
    """
    assert loaded(tmp_path, text) == Policy(
        name="ours",
        version="2026-11",
        description="for trials",
        seizure=Seizure(categories=("a", "b"), uncategorised=False),
        demanded=Demands(self_test=False, any_time_result=True, hash_set_days=7),
        reach=Reach(least_percent=95.0, most_pictures=20, confidence_percent=99.9),
        tolerated=Tolerated(
            unreadable_bytes=4096,
            unreadable_items=2,
            undecodable_pictures_percent=0.5,
            high_entropy_files=3,
            limited_items=4,
            empty_volumes=True,
            undated_hash_sets=True,
        ),
    )


def test_the_digest_is_of_the_values_alone(tmp_path: Path) -> None:
    one = loaded(tmp_path, f"{LEAST}[tolerated]\nlimited_items = 1\nempty_volumes = true\n[reach]\nleast_percent = 99")
    same = loaded(
        tmp_path,
        '\ufeff# ours\r\nversion = "1"\r\nname = "ours"\r\n[reach]\r\nleast_percent = 99.0 # of bytes\r\n'
        "[tolerated]\r\nempty_volumes = true\r\nlimited_items = 1\r\n",
    )
    assert one.digest() == same.digest()
    assert len(one.digest()) == 64


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"version": "2"},
        {"description": "another"},
        {"seizure": Seizure(categories=("a",))},
        {"demanded": Demands(hash_set_days=31)},
        {"reach": Reach(most_pictures=1)},
        {"tolerated": Tolerated(unreadable_bytes=1)},
    ],
)
def test_any_value_changes_the_digest(change: dict[str, Any]) -> None:
    policy = Policy(name="ours", version="1")
    assert replace(policy, **change).digest() != policy.digest()


@given(policies)
def test_a_policy_can_be_made_again_from_its_fields(policy: Policy) -> None:
    again = Policy.from_fields(json.loads(json.dumps(policy.as_fields())), "of the plan")
    assert again == policy
    assert again.digest() == policy.digest()


WHOLE = "allowed: a whole number from 0 to"
LINE = "allowed: one line of text in quotation marks, up to 200 characters"
REFUSED = [
    ('version = "1"', f"name is missing; {LINE}"),
    ('name = "ours"', f"version is missing; {LINE}"),
    ("name = 1", f"name is 1; {LINE}"),
    ('name = "our policy"', "name is 'our policy'; allowed: up to 64 letters, digits, dots, hyphens and underscores"),
    ('name = "ours"\nversion = "1\\n2"', f"version is '1\\n2'; {LINE}"),
    (
        f'{LEAST}title = "x"',
        "'title' is not a key of a policy; allowed: name, version, description, seizure, ",
    ),
    (f'{LEAST}"a\\nb" = "x"', "'a\\nb' is not a key of a policy"),
    (f"{LEAST}reach = 1", "reach is 1; allowed: a table [reach]"),
    (f"{LEAST}[tolerated]\nunreadable = 1", "'unreadable' is not a key of [tolerated]; allowed: unreadable_bytes, "),
    (f"{LEAST}[tolerated]\nunreadable_bytes = -1", f"tolerated.unreadable_bytes is -1; {WHOLE} 67108864"),
    (f"{LEAST}[tolerated]\nunreadable_bytes = 67108865", f"tolerated.unreadable_bytes is 67108865; {WHOLE} 67108864"),
    (f"{LEAST}[tolerated]\nunreadable_items = 1.0", f"tolerated.unreadable_items is 1.0; {WHOLE} 100"),
    (f"{LEAST}[tolerated]\nunreadable_items = true", f"tolerated.unreadable_items is True; {WHOLE} 100"),
    (f"{LEAST}[tolerated]\nempty_volumes = 1", "tolerated.empty_volumes is 1; allowed: true or false"),
    (f"{LEAST}[reach]\nleast_percent = 89.9", "reach.least_percent is 89.9; allowed: a number from 90.0 to 100.0"),
    (f"{LEAST}[reach]\nleast_percent = nan", "reach.least_percent is nan; allowed: a number from 90.0 to 100.0"),
    (f'{LEAST}[reach]\nleast_percent = "99"', "reach.least_percent is '99'; allowed: a number from 90.0 to 100.0"),
    (f"{LEAST}[demanded]\nhash_set_days = 0", "demanded.hash_set_days is 0; allowed: a whole number from 1 to 3650"),
    (f"{LEAST}[seizure]\ncategories = []", "seizure.categories is []; allowed: a list of names"),
    (f'{LEAST}[seizure]\ncategories = "A"', "seizure.categories is 'A'; allowed: a list of names"),
    (f'{LEAST}[seizure]\ncategories = ["A", 1]', "seizure.categories is ['A', 1]; allowed: a list of names"),
    (f'{LEAST}[seizure]\ncategories = ["A", " "]', "seizure.categories is ['A', ' ']; allowed: a list of names"),
    ("name = ", "not a TOML file (Invalid value"),
    (f"{LEAST}{LEAST}", "not a TOML file (Cannot overwrite a value"),
    (b'name = "\xff"', "not a TOML file ('utf-8' codec can't decode"),
    ("#" * (64 << 10) + "\n", "larger than 65536 bytes; give the TOML file of a policy"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_what_is_wrong_with_a_file_is_said_in_one_line(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        loaded(tmp_path, text)
    told = str(refused.value)
    assert told.startswith(f"policy '{tmp_path / 'ours.toml'}': ")
    assert message in told
    assert told.isprintable()


def test_a_policy_that_is_not_there_is_refused_with_the_names_of_the_shipped(tmp_path: Path) -> None:
    for place in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(UsageError, match="name one of uk-scene, uk-lab, strict, or the path of a TOML file"):
            Policy.load(str(place))
