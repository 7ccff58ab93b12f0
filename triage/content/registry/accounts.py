r"""The accounts of a Windows machine itself, from its hive SAM.

Each is a key in `SAM\Domains\Account\Users`, named by its number (RID) in hexadecimal. Its value F holds, little
endian, the last log-on (FILETIME) at 8, flags at 56 of which bit 0 means disabled, and the count of log-ons at 66. V
begins with a table of twelve bytes an entry: an offset counted from 204, a length, and four more; the second is of the
name.

Source: J. Metz's "Windows Registry knowledge base" (winreg-kb) on the Security Account Manager.
"""

import string
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from triage.content.members.member import damaged
from triage.content.registry.filetime import utc
from triage.content.registry.hive import Hive, Key

_PLACE = ("SAM", "Domains", "Account", "Users")
_F_SIZE, _V_HEAD = 68, 204
_DISABLED = 1
_RID_DIGITS = 8


class Account(NamedTuple):
    """An account: its name and number, the last log-on as ISO 8601 UTC if any is recorded, and how many there were.

    `online` is the name of the Microsoft account that it is bound to, empty where there is none.
    """

    name: str
    rid: int
    last_logon: str | None
    logons: int
    is_disabled: bool
    online: str


def accounts(hive: Hive) -> Iterator[Account]:
    """Yield the accounts; what cannot be read of one is counted in the hive. Raises EvidenceError as a hive does."""
    users = hive.root.at(*_PLACE)
    if users is None:
        raise damaged("there are no accounts where the registry hive keeps them")
    for key in users.subkeys():
        if len(key.name) == _RID_DIGITS and set(key.name) <= set(string.hexdigits):
            account = hive.attempt(partial(_account, key))
            if account is not None:
                yield account


def _account(key: Key) -> Account:
    fixed, variable = key.value("F") or b"", key.value("V") or b""
    start, length = (int.from_bytes(variable[at : at + 4], "little") for at in (12, 16))
    name = variable[_V_HEAD + start : _V_HEAD + start + length]
    if len(fixed) < _F_SIZE or not name or len(name) < length:
        raise damaged(f"the values of the account {key.name} are not what they should be")
    return Account(
        name=name.decode("utf-16-le", "replace"),
        rid=int(key.name, 16),
        last_logon=utc(int.from_bytes(fixed[8:16], "little")),
        logons=int.from_bytes(fixed[66:68], "little"),
        is_disabled=bool(fixed[56] & _DISABLED),
        online=key.text("InternetUserName"),
    )
