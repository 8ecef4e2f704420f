"""Learning one example after another."""

from __future__ import annotations

import ctypes
import os
import threading
from ctypes import c_char_p
from dataclasses import dataclass
from typing import Any

from vdsq._labels import Labels, label_members, words_of
from vdsq._library import Handle, LearnedResult, LearnerOptions, call, encoded, sized, strings
from vdsq._model import Model
from vdsq._program import PathLike


@dataclass(frozen=True)
class Learned:
    """What learning an example resulted in."""

    predicted: str
    """The label that the adapter gave to the text before."""
    probability: float
    """The probability of that label."""
    count: int
    """The number of examples that the adapter has learned, this one among them."""


class Learner:
    """Learns an adapter's file one example at a time.

    Every change replaces the whole file, so a kill loses at most one example.

    Parameters
    ----------
    model : the model.
    path : the adapter's file; begun if it does not exist.
    labels : with which it begins.
    out_of_scope : the label of texts that belong to no other.
    template : around label words or texts, as for ``vdsq learn --template``.
    """

    def __init__(
        self,
        model: Model,
        path: PathLike,
        *,
        labels: Labels | None = None,
        out_of_scope: str | None = None,
        template: str | None = None,
    ) -> None:
        self._model = model
        self._path: str = os.path.abspath(os.fspath(path))
        self._beginning: dict[str, Any] = {
            "labels": None if labels is None else words_of(labels),
            "out_of_scope": out_of_scope,
            "template": template,
        }
        self._lock = threading.Lock()
        self._own: Handle | None = None
        self._handle()

    @property
    def path(self) -> str:
        """The path of the adapter's file."""
        return self._path

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (self._model, self._path)

    def _handle(self) -> Handle:
        if self._own is None or not self._own.is_own:
            begun = self._beginning
            run = self._model._run()
            options = sized(
                LearnerOptions,
                run=ctypes.pointer(run),
                out_of_scope=encoded(begun["out_of_scope"]),
                text_template=encoded(begun["template"]),
                **(label_members(begun["labels"]) if begun["labels"] else {}),
            )
            self._own = Handle(
                "learner",
                self._model._model().value,
                os.fsencode(self._path),
                ctypes.byref(options),
            )
        return self._own

    def learn(self, text: str, label: str) -> Learned:
        """Learns an example. The file has it when this returns."""
        bytes_, result = text.encode(), sized(LearnedResult)
        # The string of the answer lives until the next change.
        with self._lock:
            call(
                "learn",
                self._handle().value,
                bytes_,
                len(bytes_),
                strings([label])[0],
                ctypes.byref(result),
            )
            return Learned(result.predicted.decode(), result.probability, result.count)

    def undo(self) -> str:
        """Forgets the last example, and returns its label."""
        label = c_char_p()
        with self._lock:
            call("learner_undo", self._handle().value, ctypes.byref(label))
            return (label.value or b"").decode()

    def forget(self, label: str) -> None:
        """Removes a label, and everything that its examples taught."""
        with self._lock:
            call("learner_forget", self._handle().value, strings([label])[0])


def _reopen(model: Model, path: str) -> Learner:
    return Learner(model, path)
