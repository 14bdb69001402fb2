# SPDX-License-Identifier: MIT
"""The settings of a clock besides rate and parent. Source: DEN0056F, 3.6.2.9, "extended configuration type"."""

from hal.compat import const
from scmi.model.rules import is_integer, require

DUTY_CYCLE = const(0x01)
PHASE = const(0x02)
_FIRST_OEM_TYPE = const(0x80)
_LAST_OEM_TYPE = const(0xFF)

# Highest value of the standard types: percent and degrees.
_LIMITS = {DUTY_CYCLE: 100, PHASE: 360}
_HIGHEST = const(0xFFFFFFFF)


def accepts(kind, value):
    """Return whether the setting `kind` may have `value`, 32 bits."""
    return value <= _LIMITS.get(kind, value)


class Settings:
    """Settings by their kind: `settings[DUTY_CYCLE] = 30` at the prompt. What is set is checked and carried out."""

    def __init__(self, values, subject, change):
        """`values`: dict; `change(kind, value)` carries out a value that is allowed. DescriptionError otherwise."""
        self._subject = subject
        self._change = change
        self.values = dict(values)
        for kind, value in self.values.items():
            holds = is_integer(kind) and (kind in _LIMITS or _FIRST_OEM_TYPE <= kind <= _LAST_OEM_TYPE)
            require(holds, subject, f"settings may hold DUTY_CYCLE, PHASE and 0x80 to 0xff, not {kind!r}")
            self._require(kind, value)

    def _require(self, kind, value):
        holds = is_integer(value) and 0 <= value <= _HIGHEST and accepts(kind, value)
        highest = _LIMITS.get(kind, _HIGHEST)
        require(holds, self._subject, f"setting {kind:#x} must be 0 to {highest}, not {value!r}")

    def __setitem__(self, kind, value):
        known = ", ".join(f"{known:#x}" for known in sorted(self.values)) or "none"
        require(kind in self.values, self._subject, f"there is no setting {kind!r}; there are: {known}")
        self._require(kind, value)
        self._change(kind, value)

    def __getitem__(self, kind):
        return self.values[kind]

    def __contains__(self, kind):
        return kind in self.values

    def __iter__(self):
        return iter(self.values)

    def __len__(self):
        return len(self.values)

    def __repr__(self):
        return repr(self.values)
