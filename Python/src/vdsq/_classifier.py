"""A classifier with the conventions of scikit-learn, which need not be installed."""

from __future__ import annotations

import ctypes
import operator
import os
import tempfile
import threading
from collections.abc import Sequence
from ctypes import c_char_p
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from vdsq._labels import Labels, label_members, words_of
from vdsq._library import (
    ClassifierOptions,
    Handle,
    Predictions,
    Texts,
    TrainingOptions,
    address,
    call,
    encoded,
    query,
    sized,
    strings,
)
from vdsq._model import FloatArray, Model
from vdsq._program import PathLike

_CHUNK = 1024


class VDSQClassifier:
    """Assigns labels to texts: zero-shot by label words, or trained on examples.

    >>> classifier = VDSQClassifier(model, labels=["billing", "outage"])
    >>> classifier.predict(["I was charged twice."])        # by the meaning of the words
    >>> classifier.fit(texts, names).predict(["Down again."])  # corrected by examples

    Parameters
    ----------
    model : a ``Model``, or the path of one.
    labels : names, or a dict of names and words that describe them. None for the classes of the
        examples. With labels, ``predict`` needs no ``fit``.
    method : of training, as for ``vdsq adapt --method``. The default never changes the encoder's
        weights, which ``"joint"`` tries from 32 examples of each label on, and takes minutes.
    template : around label words ("This is about {}.") or around texts ("Topic of {text}:").
    out_of_scope : the label of texts that belong to no other.
    temperature : of the softmax; None for what training chose.
    random_state : the seed of training; 0 and None are 1.

    Attributes
    ----------
    classes_ : the classes, sorted; columns of ``predict_proba``.
    """

    _estimator_type = "classifier"

    classes_: NDArray[Any]

    def __init__(
        self,
        model: Union[Model, PathLike],
        labels: Labels | None = None,
        *,
        method: str = "frozen",
        template: str | None = None,
        out_of_scope: str | None = None,
        temperature: float | None = None,
        random_state: int | None = 1,
    ) -> None:
        # By the conventions of scikit-learn, a constructor only keeps its arguments.
        self.model = model
        self.labels = labels
        self.method = method
        self.template = template
        self.out_of_scope = out_of_scope
        self.temperature = temperature
        self.random_state = random_state

    # The protocol of estimators.

    _parameters: tuple[str, ...] = (
        "model",
        "labels",
        "method",
        "template",
        "out_of_scope",
        "temperature",
        "random_state",
    )

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {name: getattr(self, name) for name in self._parameters}

    def set_params(self, **params: Any) -> VDSQClassifier:
        """Changes arguments of the constructor."""
        for name, value in params.items():
            if name not in self._parameters:
                raise ValueError(f"Invalid parameter {name!r} for estimator {self!r}.")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        return f"VDSQClassifier({self.model!r}, labels={self.labels!r})"

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            transformer_tags=None,
            regressor_tags=None,
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(one_d_array=True, two_d_array=False, string=True),
        )

    def __sklearn_is_fitted__(self) -> bool:
        return self._adapter is not None or self.labels is not None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_cache"}

    # Training.

    _adapter: bytes | None = None
    """The adapter's file, after ``fit``."""
    _cache: dict[str, Any] | None = None
    """What is open in this process."""

    def fit(self, X: Sequence[str], y: Sequence[Any]) -> VDSQClassifier:
        """Trains on texts and their classes.

        Parameters
        ----------
        X : texts.
        y : the class of each: strings, numbers or booleans. With ``labels``, only these are
            possible.
        """
        texts, targets = _texts(X), np.asarray(y)
        if targets.ndim != 1:
            raise ValueError(f"y has {targets.ndim} dimensions; it must be a list of classes")
        if len(targets) != len(texts):
            raise ValueError(f"{len(texts)} texts, but {len(targets)} classes")
        if not texts:
            raise ValueError("no examples")
        if targets.dtype.kind == "f" and not np.all(targets == np.floor(targets)):
            raise ValueError("Unknown label type: continuous; classes are strings or integers")
        found = np.unique(targets)
        names = _names(found)
        seed = 1 if self.random_state is None else operator.index(self.random_state)
        if not 0 <= seed < 1 << 64:
            raise ValueError(f"random_state is {seed}; it must be from 0 to 2**64 - 1")
        if self.labels is not None:
            others = [value for value in found.tolist() if not isinstance(value, str)]
            if others:
                raise ValueError(
                    f"y has {others[0]!r}; with labels, classes are their names, which are strings"
                )
            words = words_of(self.labels)
            unknown = [name for name in names if name not in words and name != self.out_of_scope]
            if unknown:
                raise ValueError(f"y has {unknown[0]!r}, which is not among the labels")
        elif len(found) < 2:
            raise ValueError(f"y has {len(found)} class; a classifier needs two or more")
        model, run = self._model(), self._model()._run()
        options = sized(
            TrainingOptions,
            run=ctypes.pointer(run),
            method=encoded(self.method),
            text_template=encoded(self.template),
            out_of_scope=encoded(self.out_of_scope),
            seed=seed,
            **({} if self.labels is None else label_members(words_of(self.labels))),
        )
        by_class = dict(zip(found.tolist(), names))
        texts_, labels = Texts(texts), strings([by_class[value] for value in targets.tolist()])
        adapter = Handle.made(
            "adapter",
            lambda result: call(
                "adapter_train",
                model._model().value,
                ctypes.byref(options),
                texts_.pointers,
                texts_.lengths,
                labels,
                texts_.count,
                result,
            ),
        )
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "adapter.vdsa")
            call("adapter_write", adapter.value, os.fsencode(path), 0)
            with open(path, "rb") as file:
                self._adapter = file.read()
        self._found = found if self.labels is None else None
        self._cache = None
        self.classes_ = self._opened()["classes"]
        return self

    def save(self, path: PathLike, *, force: bool = False) -> None:
        """Writes the trained adapter's file, for ``vdsq classify --adapter`` and other users."""
        if self._adapter is None:
            raise _not_fitted("save")
        with open(path, "wb" if force else "xb") as file:
            file.write(self._adapter)

    @classmethod
    def from_adapter(cls, model: Union[Model, PathLike], path: PathLike) -> VDSQClassifier:
        """A classifier with the adapter of a file."""
        classifier = cls(model)
        with open(path, "rb") as file:
            classifier._adapter = file.read()
        classifier._found = None
        classifier.classes_ = classifier._opened()["classes"]
        return classifier

    # Classification.

    def _model(self) -> Model:
        if isinstance(self.model, Model):
            return self.model
        cache = self._cache
        if cache is not None and cache.get("path") == self.model:
            return cache["model"]  # type: ignore[no-any-return]
        model = Model(self.model)
        self._cache = {"path": self.model, "model": model}
        return model

    def _opened(self) -> dict[str, Any]:
        """The classifier of this process, its classes, and each column's label."""
        key = None if self._adapter is not None else (repr(self.labels), self.out_of_scope)
        settings = (self.model, key, self.template, self.temperature)
        with _lock:
            cache = self._cache
            if (
                cache is not None
                and cache.get("settings") == settings
                and cache["classifier"].is_own
            ):
                return cache
            if self.temperature is not None and not self.temperature > 0:
                raise ValueError(f"temperature is {self.temperature}; it must be above 0")
            model = self._model()
            run, members = model._run(), dict[str, Any]()
            if self._adapter is not None:
                adapter = _read_adapter(model, self._adapter)
                members["adapter"] = adapter.value
            elif self.labels is not None:
                members = label_members(words_of(self.labels))
                members["out_of_scope"] = encoded(self.out_of_scope)
                members["text_template"] = encoded(self.template)
            else:
                raise _not_fitted("predict")
            options = sized(
                ClassifierOptions,
                run=ctypes.pointer(run),
                temperature=0 if self.temperature is None else self.temperature,
                **members,
            )
            handle = Handle("classifier", model._model().value, ctypes.byref(options))
            names = [
                query("classifier_label", handle.value, index).decode()
                for index in range(query("classifier_label_count", handle.value))
            ]
            found = getattr(self, "_found", None)
            classes = np.array(names) if found is None else found
            # Column i of the answers is label order[i].
            if found is None:
                order = np.argsort(classes, kind="stable")
                classes = classes[order]
            else:
                place = {name: index for index, name in enumerate(names)}
                order = np.array([place[name] for name in _names(found)])
            self._cache = {
                **(self._cache or {}),
                "settings": settings,
                "classifier": handle,
                "classes": classes,
                "order": order,
            }
            return self._cache

    def predict_proba(self, X: Sequence[str]) -> FloatArray:
        """The probability of each class: ``[texts, classes]`` float32, in the order of
        ``classes_``."""
        return self._answers(X)[0]

    def cosines(self, X: Sequence[str]) -> FloatArray:
        """The cosine of each text to each class's anchor: ``[texts, classes]`` float32.

        With the model's own head, its logits."""
        return self._answers(X)[1]

    def _answers(self, X: Sequence[str]) -> tuple[FloatArray, FloatArray]:
        opened, texts = self._opened(), _texts(X)
        count = len(opened["order"])
        shape = len(texts), count
        labels = np.empty(shape, np.uint32)
        ranked = np.empty((2, *shape), np.float32)
        for start in range(0, len(texts), _CHUNK):
            part = Texts(texts[start : start + _CHUNK])
            rows = slice(start, start + part.count)
            predictions = sized(
                Predictions,
                capacity=part.count,
                top=count,
                labels=address(labels[rows]),
                probabilities=address(ranked[0, rows]),
                scores=address(ranked[1, rows]),
            )
            call(
                "classify",
                opened["classifier"].value,
                *part.arguments,
                ctypes.byref(predictions),
            )
        # From the order of the ranking to that of the labels, and to that of the classes.
        by_label = np.empty_like(ranked)
        for place in range(2):
            np.put_along_axis(by_label[place], labels.astype(np.intp), ranked[place], axis=1)
        return by_label[0][:, opened["order"]], by_label[1][:, opened["order"]]

    def predict(self, X: Sequence[str]) -> NDArray[Any]:
        """The most probable class of each text."""
        probabilities = self.predict_proba(X)
        classes: NDArray[Any] = self._opened()["classes"]
        predicted: NDArray[Any] = classes[probabilities.argmax(axis=1)]
        return predicted

    def score(
        self, X: Sequence[str], y: Sequence[Any], sample_weight: Sequence[float] | None = None
    ) -> float:
        """The share of texts whose class is predicted."""
        return float(np.average(self.predict(X) == np.asarray(y), weights=sample_weight))

    def __getattr__(self, name: str) -> Any:
        # Classes are known before training if labels are given.
        if name == "classes_" and vars(self).get("labels") is not None:
            return self._opened()["classes"]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


_lock = threading.RLock()


def _names(classes: NDArray[Any]) -> list[str]:
    """The names of classes as labels."""
    return [str(value) for value in classes.tolist()]


def _texts(X: Any) -> list[str]:
    if isinstance(X, str):
        raise ValueError("Expected a list of texts, got one string")
    if getattr(X, "ndim", 1) != 1:
        raise ValueError(f"Expected a list of texts, got an array of {X.ndim} dimensions")
    texts: list[str] = X.tolist() if hasattr(X, "tolist") else list(X)
    for text in texts:
        if not isinstance(text, str):
            raise ValueError(f"Expected texts, got {type(text).__name__}")
    return texts


def _read_adapter(model: Model, contents: bytes) -> Handle:
    with tempfile.NamedTemporaryFile(suffix=".vdsa") as file:
        file.write(contents)
        file.flush()
        return Handle("adapter", model._model().value, os.fsencode(file.name))


def _not_fitted(method: str) -> Exception:
    message = (
        f"This VDSQClassifier instance is not fitted yet. Call 'fit', or give labels, before "
        f"using '{method}'."
    )
    try:
        from sklearn.exceptions import NotFittedError
    except ImportError:
        return ValueError(message)
    return NotFittedError(message)  # type: ignore[no-any-return]
