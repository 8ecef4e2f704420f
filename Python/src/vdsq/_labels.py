"""Labels as users name them."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from ctypes import POINTER, c_char_p
from typing import Any, Union

from vdsq._library import Label, strings

Labels = Union[Sequence[str], Mapping[str, Sequence[str]]]
"""Names of labels, or names with the words that describe each; no words for the name itself."""


def words_of(labels: Labels) -> dict[str, list[str]]:
    """Names with words."""
    if isinstance(labels, str):
        raise TypeError("labels are a list of names, or a dict of names and words")
    if isinstance(labels, Mapping):
        return {name: list(words) for name, words in labels.items()}
    names = list(labels)
    if len(set(names)) < len(names):
        raise ValueError("a label is there twice")
    return {name: [] for name in names}


def label_members(labels: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The members ``labels`` and ``label_count`` of a structure of options.

    ctypes keeps what the array refers to alive with it.
    """
    array = (Label * len(labels))()
    for place, (name, words) in enumerate(labels.items()):
        pointers = strings(list(words))
        array[place] = Label(
            strings([name])[0], ctypes.cast(pointers, POINTER(c_char_p)), len(words)
        )
    return {"labels": array, "label_count": len(labels)}
