"""Plain data written as TOML: the same data always gives the same text, and `tomllib` reads it back unchanged."""

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LINE_LENGTH = 110


def write_toml(data: Mapping[str, Any], *, unset: str = "") -> str:
    """Write `data` as TOML, keys in their given order: plain values of a table first, then the tables inside it.

    Args:
        data: strings, booleans, integers, floats, lists and mappings with string keys. TOML cannot say "nothing":
            entries that are None are left out.
        unset: what a comment says of each entry of a table that is None, behind its name; no comments without it.

    Raises:
        TypeError: a value of another kind, or None inside a list.
    """
    return "\n".join(_table_lines(data, (), unset)).strip("\n") + "\n"


def write_value(value: Any) -> str:
    """Write one value on one line, tables inline.

    Raises:
        TypeError: as `write_toml`.
    """
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return repr(value)
        case str():
            return _write_string(value)
        case list() | tuple():
            return f"[{', '.join(map(write_value, value))}]"
        case Mapping():
            entries = [f"{_key(key)} = {write_value(entry)}" for key, entry in value.items() if entry is not None]
            return f"{{ {', '.join(entries)} }}" if entries else "{}"
        case _:
            raise TypeError(f"TOML cannot hold {value!r}")


def _table_lines(table: Mapping[str, Any], path: tuple[str, ...], unset: str) -> list[str]:
    lines: list[str] = []
    for key, value in table.items():
        if value is not None and not isinstance(value, Mapping) and not _is_table_list(value):
            lines += _entry_lines(key, value)
    lines += [f"# {_key(key)}: {unset}" for key, value in table.items() if value is None and unset]
    for key, value in table.items():
        name = ".".join(map(_key, (*path, key)))
        if isinstance(value, Mapping):
            lines += ["", f"[{name}]", *_table_lines(value, (*path, key), unset)]
        elif _is_table_list(value):
            for entry in value:
                lines += ["", f"[[{name}]]", *_table_lines(entry, (*path, key), unset)]
    return lines


def _is_table_list(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(entry, Mapping) for entry in value)


def _entry_lines(key: str, value: Any) -> list[str]:
    line = f"{_key(key)} = {write_value(value)}"
    if len(line) <= _LINE_LENGTH or not isinstance(value, list | tuple):
        return [line]
    return [f"{_key(key)} = [", *(f"    {write_value(entry)}," for entry in value), "]"]


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _write_string(key)


def _write_string(text: str) -> str:
    """Write a basic string; what cannot be seen or would attach itself to the quote is written by its number."""
    quoted = json.dumps(text, ensure_ascii=False)
    shown = [character if _is_visible(character) else _escape(character) for character in quoted]
    if unicodedata.category(text[:1] or "a").startswith("M"):
        shown[1] = _escape(text[0])
    return "".join(shown)


def _is_visible(character: str) -> bool:
    return character == " " or unicodedata.category(character)[0] not in "CZ"


def _escape(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04X}" if number <= 0xFFFF else f"\\U{number:08X}"
