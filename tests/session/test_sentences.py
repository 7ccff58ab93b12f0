"""An error is for whoever asks, at the console as well: only the command line names its options."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from suite import Triage

import triage
from triage.cli.main import _OPTIONS
from triage.model.errors import StoreError, UsageError

_OPTION = re.compile(r"(?<![\w-])--[a-z]")
_ROOMS = ("engine", "model", "policy", "session", "store")


def raised(path: Path) -> Iterator[tuple[str, ast.expr]]:
    """Yield the texts and the keyword arguments of what a file makes for raising."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("Error"):
            yield from ((keyword.arg or "", keyword.value) for keyword in node.keywords)
            yield from (("", value) for value in node.args)


def texts(node: ast.AST) -> list[str]:
    return [one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]


@pytest.mark.parametrize("room", _ROOMS)
def test_no_error_names_an_option_and_each_field_has_one(room: str) -> None:
    found = [
        (name, node)
        for path in Path(triage.__file__).parent.joinpath(room).rglob("*.py")
        for name, node in raised(path)
    ]
    assert found
    assert [text for _, node in found for text in texts(node) if _OPTION.search(text)] == []
    assert {text for name, node in found if name == "field" for text in texts(node)} <= set(_OPTIONS)


def test_the_field_of_an_error_goes_with_it_and_is_no_part_of_its_text() -> None:
    assert str(UsageError("name another folder", field="case")) == "name another folder"
    assert StoreError("it does not verify").field == ""


def test_the_command_line_names_the_option(triage: Triage, tmp_path: Path) -> None:
    ran = triage("examine", tmp_path, "--case", tmp_path / "case", "--exhibit", "A/1")
    assert ran.code == 2
    assert ran.err.endswith("would lie inside the evidence " + f"{tmp_path}; name another folder for it (--case)\n")
