"""An entry in words: for the phone's screen and for `fob log --phone`. Every character is plain."""

from typing import Final

from fob_protocol.deeds import FORWARDED, asker, deed
from fob_protocol.history.entry import By, Entry, Kind, Outcome

_BY: Final = {
    By.NONE: "",
    By.TAP: " by a tap",
    By.GRANT: " by a grant",
    By.SETTING: " by the key's setting",
    By.RULE: " by a rule",
}

_OUTCOMES: Final = {
    Outcome.NONE: "",
    Outcome.APPROVED: "approved",
    Outcome.REFUSED: "refused",
    Outcome.OUT_OF_TIME: "nobody answered",
    Outcome.WITHDRAWN: "withdrawn by the computer",
    Outcome.FAILED: "allowed, and failed",
}

_KINDS: Final = {
    Kind.UNKNOWN: "something that this version does not know",
    Kind.LOGIN: "login",
    Kind.WRONG_PIN: "wrong PIN",
    Kind.PIN_BLOCKED: "wrong PIN, and now it is blocked",
    Kind.PIN_CHANGED: "PIN changed",
    Kind.UNLOCKED: "phone unlocked",
    Kind.PAIRED: "computer paired",
    Kind.UNPAIRED: "computer unpaired",
    Kind.KEY_MADE: "key made",
    Kind.KEY_IMPORTED: "key imported",
    Kind.KEY_DELETED: "key deleted",
    Kind.SETTING_CHANGED: "setting changed",
    Kind.GRANT_REVOKED: "grant revoked",
    Kind.TOKEN_INITIALIZED: "token initialised, and every key erased",
    Kind.COMPONENT_RUN: "component used",
}


def outcome_words(entry: Entry) -> str:
    """`approved by a tap`; nothing for what nobody was asked about."""
    by = _BY[entry.by] if entry.outcome in (Outcome.APPROVED, Outcome.REFUSED) else ""
    return _OUTCOMES[entry.outcome] + by


def entry_words(entry: Entry) -> str:
    """`log in to github.com with 'work' for ssh <- zsh on me@pc`; `key made: 'work', on me@pc`."""
    if entry.kind is Kind.USE:
        forwarded = FORWARDED if entry.caller.is_forwarded else ""
        what = deed(entry.operation, entry.caller)
        return f"{what} with '{entry.key_label}' for {asker(entry.caller, entry.pc_name)}{forwarded}"
    label = f"'{entry.key_label}'" if entry.key_label else ""
    more = ", ".join(words for words in (label, entry.words) if words)
    whom = f", {asker(entry.caller, entry.pc_name)}" if entry.pc_name else ""
    return _KINDS[entry.kind] + (f": {more}" if more else "") + whom
