# SPDX-License-Identifier: MIT
"""Units of sensors, by name. Source: DEN0056F, 3.7.2.5 (sensor types and the power-of-ten exponent), which takes its
numbers from DMTF DSP0249.

A unit is written as one word: a base unit with an SI prefix before it where one is wanted, such as "millicelsius" or
"volt".
"""

from scmi.model.rules import require

_PREFIXES = (
    ("nano", -9),
    ("micro", -6),
    ("milli", -3),
    ("centi", -2),
    ("deci", -1),
    ("kilo", 3),
    ("mega", 6),
    ("giga", 9),
)

# name: (type, symbol).
_BASE_UNITS = {
    "none": (0x00, ""),
    "unspecified": (0x01, ""),
    "celsius": (0x02, "°C"),
    "fahrenheit": (0x03, "°F"),
    "kelvin": (0x04, "K"),
    "volt": (0x05, "V"),
    "ampere": (0x06, "A"),
    "watt": (0x07, "W"),
    "joule": (0x08, "J"),
    "coulomb": (0x09, "C"),
    "voltampere": (0x0A, "VA"),
    "nit": (0x0B, "nt"),
    "lumen": (0x0C, "lm"),
    "lux": (0x0D, "lx"),
    "candela": (0x0E, "cd"),
    "newton": (0x11, "N"),
    "rpm": (0x13, "rpm"),
    "hertz": (0x14, "Hz"),
    "second": (0x15, "s"),
    "minute": (0x16, "min"),
    "hour": (0x17, "h"),
    "meter": (0x1F, "m"),
    "liter": (0x22, "l"),
    "radian": (0x24, "rad"),
    "revolution": (0x26, "r"),
    "cycle": (0x27, ""),
    "gravity": (0x28, "g"),
    "gauss": (0x2D, "G"),
    "henry": (0x2F, "H"),
    "farad": (0x30, "F"),
    "ohm": (0x31, "Ω"),
    "siemens": (0x32, "S"),
    "decibel": (0x36, "dB"),
    "bit": (0x3C, "bit"),
    "byte": (0x3D, "B"),
    "percent": (0x41, "%"),
    "pascal": (0x42, "Pa"),
    "count": (0x43, ""),
    "gram": (0x44, "g"),
    "newtonmeter": (0x45, "Nm"),
    "packet": (0x4C, ""),
    "error": (0x4F, ""),
    "radian/s": (0x57, "rad/s"),
    "meter/s2": (0x59, "m/s²"),
    "meter/s": (0x5A, "m/s"),
    "oem": (0xFF, ""),
}

_SYMBOLS = {-9: "n", -6: "µ", -3: "m", -2: "c", -1: "d", 0: "", 3: "k", 6: "M", 9: "G"}


class Unit:
    """A unit of a sensor: `name`, sensor type `code`, power-of-ten `exponent`, `symbol` for people."""

    def __init__(self, name, subject):
        """Read `name`; raise DescriptionError that names `subject` if there is no such unit."""
        require(isinstance(name, str), subject, f"unit must be text, not {name!r}")
        self.name = name
        self.exponent = 0
        base = name
        if base not in _BASE_UNITS:
            for prefix, exponent in _PREFIXES:
                if name.startswith(prefix):
                    base = name[len(prefix) :]
                    self.exponent = exponent
        require(
            base in _BASE_UNITS, subject, f"unit {name!r} is not known; units are: {', '.join(sorted(_BASE_UNITS))}"
        )
        self.code, symbol = _BASE_UNITS[base]
        self.symbol = _SYMBOLS[self.exponent] + symbol
