"""What files of Linux and macOS tell an examiner besides hits: accounts, and when they were used last."""

from collections.abc import Iterator

from triage.content.content import Content
from triage.content.unix_accounts import Account, lastlog, macos_user, passwd
from triage.items.indicators_lines import ACCOUNT, plain
from triage.model.indication import Indication


def of_passwd(content: Content) -> Iterator[Indication]:
    """Yield what `/etc/passwd` tells. Raises EvidenceError as `passwd` does."""
    for account in passwd(content):
        yield _told(account, "an account of Linux; it shows not whether it was used")


def of_lastlog(content: Content) -> Iterator[Indication]:
    """Yield what `/var/log/lastlog` tells. Raises EvidenceError as `lastlog` does."""
    for one in lastlog(content):
        label = f"account number {one.number}: last log-on {one.when}"
        where = f"{f' at {plain(one.line)}' * bool(one.line)}{f' from {plain(one.host)}' * bool(one.host)}"
        text = f"Account number {one.number}: last log-on {one.when}{where}; what Linux recorded, by the clock of that "
        yield Indication(group=ACCOUNT, label=label, text=f"{text}machine; other files tell its name.")


def of_macos_user(content: Content) -> Iterator[Indication]:
    """Yield what a file of Directory Services tells. Raises EvidenceError as `macos_user` does, and others."""
    for account in macos_user(content):
        yield _told(account, "an account of macOS, by the clock of that machine; it shows not when it was used last")


def _told(account: Account, meaning: str) -> Indication:
    name = f"{plain(account.name)} ({account.number})"
    facts = [plain(account.person)] * bool(account.person) + [f"home folder {plain(account.home)}"] * bool(account.home)
    facts += [f"made {account.made}"] * bool(account.made)
    label = f"{name}: made {account.made}" if account.made else name
    return Indication(group=ACCOUNT, label=label, text=f"Account {', '.join([name, *facts])}; {meaning}.")
