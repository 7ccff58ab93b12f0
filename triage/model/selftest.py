"""The self-test: what was tried with known answers before an examination begins, and how it went."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One ability that was tried; `text` is one line: what differs from the known answers where it is not `passed`."""

    name: str
    passed: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """All checks, in their order."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether there are checks and every one of them passed."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    @property
    def text(self) -> str:
        """One line for a person: what passed, or what did not and why."""
        if not self.checks:
            return "self-test failed: nothing was checked"
        failed = [f"{check.name}: {check.text}" for check in self.checks if not check.passed]
        if failed:
            return f"self-test failed in {len(failed)} of {len(self.checks)} checks: {'; '.join(failed)}"
        return f"self-test passed: {', '.join(check.name for check in self.checks)}"
