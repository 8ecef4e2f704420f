"""Models: embeddings, tokens, logits, hidden states, and the memory that they take."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from ctypes import c_size_t
from dataclasses import dataclass
from typing import Any, Literal, Union

import numpy as np
from numpy.typing import NDArray

from vdsq._library import (
    AnalyzerShape,
    GeneratedResult,
    GenerationOptions,
    Handle,
    LensBuffers,
    Message,
    PlanResult,
    RunOptions,
    TextCallback,
    Texts,
    TextScore,
    address,
    call,
    encoded,
    query,
    sized,
    strings,
)
from vdsq._program import PathLike

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]
Precision = Literal["int8", "high"]
MemoryPolicy = Literal["resident", "release", "stream"]
View = Literal["bases", "head"]

_PRECISIONS: dict[str, int] = {"int8": 0, "high": 1}
_POLICIES: dict[str, int] = {"resident": 1, "release": 2, "stream": 3}
_VIEWS: dict[str, int] = {"bases": 0, "head": 1}


def _chosen(choices: Mapping[str, int], name: str, what: str) -> int:
    if name not in choices:
        raise ValueError(f"{what} is {name!r}; possible are {', '.join(choices)}")
    return choices[name]


def _processors() -> int:
    return min(256, len(os.sched_getaffinity(0)))


@dataclass(frozen=True)
class Plan:
    """The peak memory of this process when it runs a model."""

    memory_policy: str
    max_tokens: int
    """The number of tokens that texts are cut to."""
    peak_bytes: int
    parts: dict[str, int]
    """Bytes by use. They do not overlap."""


@dataclass(frozen=True)
class Lens:
    """What every layer says at each token of a text. Layers begin with the embeddings."""

    token_ids: IntArray
    """``[tokens]``: the text as the model reads it."""
    ids: IntArray
    """``[layers + 1, tokens, top]``: the tokens with the highest values, best first."""
    values: FloatArray
    """``[layers + 1, tokens, top]``: their cosines, or their logits."""
    probabilities: FloatArray
    """``[layers + 1, tokens, top]``: their probabilities over the vocabulary."""
    entropies: FloatArray
    """``[layers + 1, tokens]``, in nats."""
    divergences: FloatArray
    """``[layers + 1, tokens]``: Kullback-Leibler divergences from the last layer, in nats."""


# Whether a thread waits for a text.
_generating = threading.local()

_FINISHES = "end", "stop", "complete", "length"


@dataclass(frozen=True)
class Generated:
    """A generated text."""

    text: str
    """Without the prompt. Bytes that are no character become U+FFFD."""
    finish: str
    """Why it ends: "end" at a token of the model, "stop", "complete" if what it must be cannot go
    on, or "length"."""
    prompt_tokens: int
    tokens: int
    """Generated tokens, that of the end included."""
    log_probability: float
    """Of the generated tokens, in nats."""


@dataclass(frozen=True)
class Scores:
    """How likely texts are."""

    log_probabilities: NDArray[np.float64]
    """``[texts]``, in nats: sums over tokens."""
    tokens: IntArray
    """``[texts]``: the numbers of predicted tokens."""
    greedy: NDArray[np.bool_]
    """``[texts]``: whether greedy decoding would give the text."""


class Model:
    """A model's file, which is mapped once and shared by everything that runs it.

    A model can be used from several threads, and is pickled by its path and its options. In a
    process that was forked it opens the file again.

    Parameters
    ----------
    path : of a .vdsq file.
    threads : that share the work of one call; None for all processors.
    concurrency : callers that are served at a time; further ones wait.
    precision : "int8", or "high" for activations in floats.
    max_tokens : longer texts are truncated; None for the model's longest sequence.
    memory_policy : how layers are kept in memory; None for resident, or what the budget allows.
    memory_budget : the limit of the process's peak memory in bytes; None for no limit.
    """

    def __init__(
        self,
        path: PathLike,
        *,
        threads: int | None = None,
        concurrency: int = 1,
        precision: Precision = "int8",
        max_tokens: int | None = None,
        memory_policy: MemoryPolicy | None = None,
        memory_budget: int | None = None,
    ) -> None:
        self._path: str = os.path.abspath(os.fspath(path))
        self._options: dict[str, Any] = {
            "threads": threads,
            "concurrency": concurrency,
            "precision": precision,
            "max_tokens": max_tokens,
            "memory_policy": memory_policy,
            "memory_budget": memory_budget,
        }
        self._lock = threading.Lock()
        self._handle: Handle | None = None
        # Embedders by prompt and number of dimensions, and the analyzer and the reranker.
        self._parts: dict[Any, Handle] = {}
        self._run()
        self._model()

    @property
    def path(self) -> str:
        """The path of the file."""
        return self._path

    def __repr__(self) -> str:
        return f"Model({self._path!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (type(self), self._path, self._options)

    def __copy__(self) -> Model:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Model:
        # It does not change, and a copy would take memory.
        return self

    # What runs the model.

    def _run(self, prompt: str | None = None, dimensions: int | None = None) -> RunOptions:
        o = self._options
        for name in ("threads", "concurrency", "max_tokens", "memory_budget"):
            if o[name] is None:
                continue
            if o[name] < 1:
                raise ValueError(f"{name} is {o[name]}; it must be at least 1")
            if o[name] >= (1 << 63 if name == "memory_budget" else 1 << 31):
                raise ValueError(f"{name} is {o[name]}, which is too large")
        if dimensions is not None and dimensions < 1:
            raise ValueError(f"truncate_dim is {dimensions}; it must be at least 1")
        if dimensions is not None and dimensions >= 1 << 31:
            raise ValueError(f"truncate_dim is {dimensions}, which is too large")
        policy = o["memory_policy"]
        return sized(
            RunOptions,
            threads=_processors() if o["threads"] is None else o["threads"],
            concurrency=o["concurrency"],
            precision=_chosen(_PRECISIONS, o["precision"], "precision"),
            maximum_tokens=o["max_tokens"] or 0,
            memory_policy=0 if policy is None else _chosen(_POLICIES, policy, "memory_policy"),
            memory_budget=o["memory_budget"] or 0,
            dimensions=dimensions or 0,
            prompt=encoded(prompt),
        )

    def _model(self) -> Handle:
        with self._lock:
            if self._handle is None or not self._handle.is_own:
                self._parts = {}
                self._handle = Handle("model", os.fsencode(self._path))
            return self._handle

    def _part(self, kind: str, prompt: str | None = None, dimensions: int | None = None) -> Handle:
        model = self._model()
        key = kind, prompt, dimensions
        with self._lock:
            if key not in self._parts:
                run = self._run(prompt, dimensions)
                self._parts[key] = Handle(kind, model.value, ctypes.byref(run))
            return self._parts[key]

    # Embeddings.

    @property
    def dimensions(self) -> int:
        """The number of dimensions of a vector."""
        return int(query("embedder_dimensions", self._part("embedder").value))

    def get_sentence_embedding_dimension(self) -> int:
        """The same, by its name in sentence-transformers."""
        return self.dimensions

    @property
    def max_tokens(self) -> int:
        """The maximum number of tokens of a text; longer texts are truncated."""
        return int(query("embedder_maximum_tokens", self._part("embedder").value))

    def encode(
        self,
        texts: Union[str, Iterable[str]],
        *,
        prompt_name: str | None = None,
        normalize_embeddings: bool = False,
        truncate_dim: int | None = None,
        batch_size: int | None = None,
        show_progress_bar: bool | None = None,
    ) -> FloatArray:
        """Embeds texts, as sentence-transformers' method of that name does.

        Parameters
        ----------
        texts : a text, or any number of them.
        prompt_name : the model's prompt that precedes every text; None for its default.
        normalize_embeddings : whether vectors are scaled to length 1, if the model does not do it.
        truncate_dim : the number of dimensions that vectors are cut to (Matryoshka).
        batch_size, show_progress_bar : have no effect. Batches are as large as the work needs, and
            results do not depend on them.

        Returns
        -------
        ``[texts, dimensions]`` float32, or ``[dimensions]`` for one text.
        """
        if isinstance(texts, str):
            one: FloatArray = self.encode(
                [texts],
                prompt_name=prompt_name,
                normalize_embeddings=normalize_embeddings,
                truncate_dim=truncate_dim,
            )[0]
            return one
        embedder = self._part("embedder", prompt_name, truncate_dim)
        all_ = _listed(texts)
        d = int(query("embedder_dimensions", embedder.value))
        vectors = np.empty((len(all_), d), np.float32)
        for rows, part in _chunks(all_):
            out = vectors[rows]
            call("embed", embedder.value, *part.arguments, address(out), out.size, None)
        if normalize_embeddings:
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            vectors /= np.maximum(lengths, np.float32(1e-12))
        return vectors

    def tokenize(self, text: str, *, prompt_name: str | None = None) -> IntArray:
        """The token ids of a text as the model reads it, with special tokens and prompt."""
        embedder = self._part("embedder", prompt_name)
        bytes_, count = text.encode(), c_size_t()
        ids = np.empty(int(query("embedder_maximum_tokens", embedder.value)), np.int32)
        call(
            "tokens",
            embedder.value,
            bytes_,
            len(bytes_),
            address(ids),
            ids.size,
            ctypes.byref(count),
        )
        kept: IntArray = ids[: count.value].copy()
        return kept

    def token(self, id: int) -> str:
        """The text of a token. Bytes that are no character become U+FFFD."""
        # C would take the lower bits of larger numbers.
        if id.bit_length() > 31:
            raise ValueError(f"{id} is no token")
        embedder, length = self._part("embedder"), c_size_t()
        call("token_text", embedder.value, id, None, 0, ctypes.byref(length))
        buffer = ctypes.create_string_buffer(length.value + 1)
        call("token_text", embedder.value, id, buffer, length.value, ctypes.byref(length))
        return buffer.raw[: length.value].decode(errors="replace")

    def rerank(self, query_text: str, passages: Iterable[str]) -> FloatArray:
        """The score of each passage for a query, if the model is a cross-encoder.

        Returns
        -------
        ``[passages]`` float32, from 0 to 1, or logits if the checkpoint says so.
        """
        reranker, all_ = self._part("reranker"), _listed(passages)
        bytes_ = query_text.encode()
        scores = np.empty(len(all_), np.float32)
        for rows, part in _chunks(all_):
            call(
                "rerank",
                reranker.value,
                bytes_,
                len(bytes_),
                *part.arguments,
                address(scores[rows]),
            )
        return scores

    # Language models.

    def generate(
        self,
        prompt: Union[str, Sequence[Mapping[str, str]]],
        *,
        max_tokens: int = 256,
        temperature: float = 0,
        top_k: int = 0,
        top_p: float = 1,
        min_p: float = 0,
        repetition_penalty: float = 1,
        seed: int = 0,
        stop: Union[str, Sequence[str]] = (),
        choices: Sequence[str] = (),
        regex: str | None = None,
        on_text: Callable[[str], bool | None] | None = None,
    ) -> Generated:
        """Continues a prompt with a causal language model, or answers a chat.

        The ``max_tokens`` of the model limits the prompt and the generated text together.

        Parameters
        ----------
        prompt : a text, or the messages of a chat: ``[{"role": "user", "content": "Hello"}]``.
        max_tokens : the maximum number of tokens to generate.
        temperature : the divisor of logits; 0 always takes the likeliest token.
        top_k, top_p, min_p, repetition_penalty : those of transformers.
        seed : of the random numbers.
        stop : a text, or texts, that end the generated text; it does not include them.
        choices, regex : the text is one of these, or the regular expression matches it.
        on_text : is called with each part of the text as it comes; False ends the text. It cannot
            generate itself.
        """
        if isinstance(choices, str):
            raise TypeError("choices are a list of strings, not one string")
        stop = [stop] if isinstance(stop, str) else stop
        if getattr(_generating, "is_busy", False):
            raise RuntimeError("on_text cannot generate: the text that it receives has not ended")
        if min(max_tokens, top_k) < 0 or max(max_tokens, top_k) >= 1 << 32 or max_tokens == 0:
            raise ValueError("max_tokens is above 0, and top_k from 0 on")
        if not 0 <= seed < 1 << 64:
            raise ValueError("a seed is from 0 to 2**64 - 1")
        if top_p == 0 or repetition_penalty == 0:
            raise ValueError("top_p and repetition_penalty are above 0")
        options = sized(
            GenerationOptions,
            maximum_tokens=max_tokens,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            min_p=min_p,
            repetition_penalty=repetition_penalty,
            seed=seed,
            stops=strings(stop),
            stop_count=len(stop),
            choices=strings(choices),
            choice_count=len(choices),
            regex=encoded(regex),
        )
        parts: list[bytes] = []
        failures: list[BaseException] = []

        def receive(text: int, length: int, _: Any) -> int:
            part = ctypes.string_at(text, length)
            parts.append(part)
            try:
                goes_on = on_text is None or on_text(part.decode(errors="replace")) is not False
            except BaseException as failure:
                failures.append(failure)
                return 1
            return 0 if goes_on else 1

        callback, result = TextCallback(receive), sized(GeneratedResult)
        rest = ctypes.byref(options), callback, None, ctypes.byref(result)
        generator = self._part("generator")
        _generating.is_busy = True
        try:
            if isinstance(prompt, str):
                bytes_ = prompt.encode()
                call("generate", generator.value, bytes_, len(bytes_), *rest)
            else:
                texts = strings([m[key] for m in prompt for key in ("role", "content")])
                messages = (Message * len(prompt))(
                    *[Message(texts[2 * i], texts[2 * i + 1]) for i in range(len(prompt))]
                )
                call("generate_answer", generator.value, messages, len(prompt), *rest)
        finally:
            _generating.is_busy = False
        if failures:
            raise failures[0]
        return Generated(
            text=b"".join(parts).decode(errors="replace"),
            finish=_FINISHES[result.finish],
            prompt_tokens=result.prompt_tokens,
            tokens=result.tokens,
            log_probability=result.log_probability,
        )

    def score(self, texts: Iterable[str], *, contexts: Iterable[str] | None = None) -> Scores:
        """Tells how likely a causal language model finds texts, as lm-evaluation-harness does.

        Parameters
        ----------
        contexts : what precedes each text (``loglikelihood``); None for whole texts of any length
            (``loglikelihood_rolling``).
        """
        scorer, all_ = self._part("scorer"), _listed(texts)
        before = None if contexts is None else _listed(contexts)
        if before is not None and len(before) != len(all_):
            raise ValueError(f"{len(all_)} texts have {len(before)} contexts")
        found = (TextScore * len(all_))()
        for rows, part in _chunks(all_, 64):
            own = (TextScore * part.count)()
            first = None if before is None else Texts(before[rows])
            given = (None, None) if first is None else first.arguments[:2]
            call("score", scorer.value, *given, *part.arguments, own)
            found[rows] = list(own)
        return Scores(
            log_probabilities=np.array([s.log_probability for s in found], np.float64),
            tokens=np.array([s.tokens for s in found], np.int32),
            greedy=np.array([s.flags & 1 for s in found], np.bool_),
        )

    # Memory.

    def plan(self, *, prompt_name: str | None = None, truncate_dim: int | None = None) -> Plan:
        """Plans the memory of running the model with these options, before the work."""
        result = sized(PlanResult)
        run = self._run(prompt_name, truncate_dim)
        call("model_plan", self._model().value, ctypes.byref(run), ctypes.byref(result))
        names = {number: name for name, number in _POLICIES.items()}
        return Plan(
            memory_policy=names[result.memory_policy],
            max_tokens=result.maximum_tokens,
            peak_bytes=result.peak_bytes,
            parts={p.name.decode(): p.bytes for p in result.parts[: result.part_count]},
        )

    # Analysis.

    def _shape(self) -> tuple[Handle, AnalyzerShape]:
        analyzer, shape = self._part("analyzer"), sized(AnalyzerShape)
        call("analyzer_get_shape", analyzer.value, ctypes.byref(shape))
        return analyzer, shape

    @property
    def vocabulary_size(self) -> int:
        """The number of tokens of the vocabulary."""
        return int(self._shape()[1].vocabulary)

    @property
    def layers(self) -> int:
        """The number of layers; the embeddings are not counted."""
        return int(self._shape()[1].layers)

    def logits(self, texts: Iterable[str], *, view: View = "bases") -> FloatArray:
        """Compares the state of each text with the whole vocabulary.

        Parameters
        ----------
        view : "bases" for cosines to the vocabulary's bases (disentangled logits), "head" for the
            logits of the LM head.

        Returns
        -------
        ``[texts, vocabulary]`` float32.
        """
        number = _chosen(_VIEWS, view, "view")
        analyzer, shape = self._shape()
        all_ = _listed(texts)
        values = np.empty((len(all_), shape.vocabulary), np.float32)
        for rows, part in _chunks(all_, 64):
            out = values[rows]
            call(
                "vocabulary_scores",
                analyzer.value,
                number,
                *part.arguments,
                address(out),
                out.size,
            )
        return values

    def hidden_states(self, text: str) -> tuple[IntArray, FloatArray]:
        """The states of one text behind the embeddings and behind every layer.

        Returns
        -------
        The token ids ``[tokens]``, and the states ``[layers + 1, tokens, dimensions]``.
        """
        analyzer, shape = self._shape()
        bytes_, count = text.encode(), c_size_t()
        arguments = analyzer.value, bytes_, len(bytes_)
        call("hidden_states", *arguments, None, None, 0, ctypes.byref(count))
        ids = np.empty(count.value, np.int32)
        states = np.empty((shape.layers + 1, count.value, shape.hidden), np.float32)
        call(
            "hidden_states",
            *arguments,
            address(ids),
            address(states),
            count.value,
            ctypes.byref(count),
        )
        return ids, states

    def lens(
        self, text: str, *, top: int = 5, view: View = "bases", temperature: float | None = None
    ) -> Lens:
        """What every layer says at each token of a text.

        Parameters
        ----------
        top : the number of tokens that are named for each state, from 1 to 100.
        view : as for ``logits``.
        temperature : of the softmax over cosines; None for that of the bases.
        """
        analyzer, shape = self._shape()
        number, bytes_, count = _chosen(_VIEWS, view, "view"), text.encode(), c_size_t()
        if temperature is not None and not temperature > 0:
            raise ValueError(f"temperature is {temperature}; it must be above 0")
        call("hidden_states", analyzer.value, bytes_, len(bytes_), None, None, 0, count)
        n, rows, kept = count.value, shape.layers + 1, max(top, 0)
        lens = Lens(
            token_ids=np.empty(n, np.int32),
            ids=np.empty((rows, n, kept), np.int32),
            values=np.empty((rows, n, kept), np.float32),
            probabilities=np.empty((rows, n, kept), np.float32),
            entropies=np.empty((rows, n), np.float32),
            divergences=np.empty((rows, n), np.float32),
        )
        buffers = sized(
            LensBuffers,
            capacity=n,
            top=kept,
            temperature=temperature or 0,
            text_ids=address(lens.token_ids),
            ids=address(lens.ids),
            values=address(lens.values),
            probabilities=address(lens.probabilities),
            entropies=address(lens.entropies),
            divergences=address(lens.divergences),
        )
        call(
            "lens_run",
            analyzer.value,
            bytes_,
            len(bytes_),
            number,
            ctypes.byref(buffers),
            ctypes.byref(count),
        )
        return lens


def _reopen(kind: type[Model], path: str, options: dict[str, Any]) -> Model:
    return kind(path, **options)


def _listed(texts: Iterable[str]) -> Sequence[str]:
    if isinstance(texts, str):
        raise TypeError("texts are a list of strings, not one string")
    return texts if isinstance(texts, list) else list(texts)


def _chunks(texts: Sequence[str], size: int = 1024) -> Iterator[tuple[slice, Texts]]:
    """Some texts at a time, so that Ctrl-C is heard in between and copies stay small."""
    for start in range(0, len(texts), size):
        rows = slice(start, start + size)
        yield rows, Texts(texts[rows])
