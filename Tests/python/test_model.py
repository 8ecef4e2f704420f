import copy
import json
import multiprocessing
import os
import pickle
import threading

import numpy as np
import pytest
import vdsq


def saved(run, tmp_path, command, *arguments, option="--output", lines):
    out = tmp_path / "out.npy"
    run(command, *arguments, option, out, "--force", "-q", lines=lines)
    return np.load(out)


def test_encode_equals_the_command_line(model, path, texts, run, tmp_path):
    expected = saved(run, tmp_path, "embed", path, lines=texts)
    vectors = model.encode(texts)
    assert vectors.dtype == np.float32
    assert np.array_equal(vectors, expected)
    assert np.array_equal(model.encode(texts[0]), expected[0])
    assert np.array_equal(model.encode(iter(texts)), expected)
    # More texts than the library gets at a time.
    assert np.array_equal(model.encode(texts * 200), np.tile(expected, (200, 1)))
    assert model.encode([]).shape == (0, model.dimensions)


def test_encode_truncates_and_normalizes(model, path, texts, run, tmp_path):
    expected = saved(run, tmp_path, "embed", path, "--dimensions", 8, lines=texts)
    assert np.array_equal(model.encode(texts, truncate_dim=8), expected)
    lengths = np.linalg.norm(model.encode(texts, normalize_embeddings=True), axis=1)
    assert np.allclose(lengths, 1, atol=1e-6)


def test_prompts_are_chosen_by_name(model, texts):
    # Every sentence encoder has these two, empty if the model has no text for them.
    assert np.array_equal(model.encode(texts, prompt_name="query"), model.encode(texts))
    with pytest.raises(vdsq.UsageError, match="prompt"):
        model.encode(texts, prompt_name="other")


def test_tokens(model, path, texts, run):
    lines = run("embed", path, "--tokens", lines=texts).splitlines()
    for text, line in zip(texts, lines):
        assert model.tokenize(text).tolist() == json.loads(line)["tokens"]
    assert model.token(-1) == ""


def test_plan(model):
    plan = model.plan()
    assert plan.memory_policy == "resident"
    assert sum(plan.parts.values()) == plan.peak_bytes > 0
    assert plan.max_tokens == model.max_tokens
    assert {"layers", "arena"} <= plan.parts.keys()


def test_a_budget_is_obeyed(path):
    with pytest.raises(vdsq.BudgetError, match="at least"):
        vdsq.Model(path, memory_budget=1000).encode(["a"])


def test_logits_equal_the_command_line(language, texts, run, tmp_path):
    for view, arguments in (("bases", []), ("head", ["--entangled"])):
        expected = saved(
            run, tmp_path, "logits", language.path, *arguments, option="--scores-out", lines=texts
        )
        values = language.logits(texts, view=view)
        assert values.shape == (len(texts), language.vocabulary_size)
        assert np.allclose(values, expected, atol=1e-5), view


def test_hidden_states_equal_the_command_line(language, texts, run, tmp_path):
    ids, states = language.hidden_states(texts[0])
    expected = saved(
        run, tmp_path, "embed", language.path, "--layers", "all", "--per-token", lines=texts[:1]
    )
    assert states.shape[0] == language.layers + 1
    assert states.shape[1] == len(ids) == len(language.tokenize(texts[0]))
    # The program has a row for each token.
    assert np.allclose(states.transpose(1, 0, 2), expected, atol=1e-5)


def test_texts_equal_the_command_line(language, run):
    for options, arguments in [
        ({}, []),
        ({"temperature": 3, "seed": 5, "top_k": 40}, ["--temperature", 3, "--seed", 5, "--top-k", 40]),
        ({"regex": "[ab]{3,5}"}, ["--regex", "[ab]{3,5}"]),
        ({"choices": ["yes", "no"]}, ["--choices", "yes,no"]),
        ({"stop": ["e"]}, ["--stop", "e"]),
    ]:
        parts = []
        made = language.generate("hello world", max_tokens=12, on_text=parts.append, **options)
        own = ["generate", language.path, "hello world", "--max-tokens", 12, "--json", *arguments]
        wanted = json.loads(run(*own, "--context", 64))
        assert made.text == wanted["text"] and made.finish == wanted["finish"]
        assert made.tokens == wanted["tokens"] and made.prompt_tokens == wanted["prompt_tokens"]
        assert abs(made.log_probability - wanted["logprob"]) < 1e-4
        assert "".join(parts) == made.text
    short = language.generate("hello world", max_tokens=12, on_text=lambda part: False)
    assert short.tokens < 12

    def fail(part):
        raise KeyError(part)

    with pytest.raises(KeyError):
        language.generate("hello", on_text=fail)
    with pytest.raises(vdsq.UsageError, match="chat template"):
        language.generate([{"role": "user", "content": "hello"}])
    with pytest.raises(ValueError, match="top_p"):
        language.generate("hello", top_p=0)


def test_scores_equal_the_command_line(language, texts, run):
    some = texts[:20]
    lines = run("score", language.path, "--json", lines=some).splitlines()
    scores = language.score(some)
    assert np.allclose(scores.log_probabilities, [json.loads(x)["logprob"] for x in lines], atol=1e-4)
    assert list(scores.tokens) == [json.loads(x)["tokens"] for x in lines]
    pairs = [f"{text}\t again" for text in some]
    lines = run("score", language.path, "--pair", "--json", lines=pairs).splitlines()
    scores = language.score([" again"] * len(some), contexts=some)
    assert np.allclose(scores.log_probabilities, [json.loads(x)["logprob"] for x in lines], atol=1e-4)
    assert list(scores.greedy) == [json.loads(x)["greedy"] for x in lines]
    with pytest.raises(ValueError, match="contexts"):
        language.score(["a"], contexts=[])


def test_lens_equals_the_command_line(language, texts, run):
    lens = language.lens(texts[0], top=3, view="head")
    expected = json.loads(
        run("lens", language.path, texts[0], "--json", "--top", 3, "--lens", "logit")
    )
    assert [token["id"] for token in expected["tokens"]] == lens.token_ids.tolist()
    assert lens.ids.shape == (language.layers + 1, len(lens.token_ids), 3)
    for layer, row in enumerate(expected["layers"]):
        for token, found in enumerate(row["positions"]):
            top = found["top"]
            assert lens.ids[layer, token].tolist() == [entry["id"] for entry in top]
            assert np.allclose(
                lens.probabilities[layer, token], [e["probability"] for e in top], atol=1e-5
            )
            assert np.isclose(lens.entropies[layer, token], found["entropy"], atol=1e-3)
            assert np.isclose(lens.divergences[layer, token], found["divergence"], atol=1e-3)
    assert np.all(lens.divergences[-1] == 0)


def test_errors_are_of_pythons_own_kinds(model, path, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere") as caught:
        vdsq.Model("/nowhere.vdsq")
    assert isinstance(caught.value, vdsq.MissingInputError) and caught.value.status == 66
    (tmp_path / "text.vdsq").write_text("no model")
    with pytest.raises(vdsq.InputError):
        vdsq.Model(tmp_path / "text.vdsq")
    with pytest.raises(ValueError, match="threads"):
        vdsq.Model(path, threads=0)
    with pytest.raises(ValueError, match="precision"):
        vdsq.Model(path, precision="int4")
    with pytest.raises(ValueError, match="truncate_dim"):
        model.encode(["a"], truncate_dim=0)
    with pytest.raises(vdsq.UsageError, match="dimensions"):
        model.encode(["a"], truncate_dim=10**6)
    with pytest.raises(TypeError):
        model.encode(["a", None])
    with pytest.raises(UnicodeEncodeError):
        model.encode(["\ud800"])
    with pytest.raises(vdsq.UsageError, match="head"):
        model.rerank("a", ["b"])
    with pytest.raises(vdsq.InputError, match="LM head"):
        model.logits(["a"], view="head")
    with pytest.raises(ValueError, match="view"):
        model.logits(["a"], view="other")


def test_a_conversion_that_fails_says_why(folder, tmp_path, path):
    with pytest.raises(vdsq.MissingInputError):
        vdsq.convert(tmp_path / "nowhere", tmp_path / "out.vdsq")
    with pytest.raises(vdsq.UsageError, match="force"):
        vdsq.convert(tmp_path / "nowhere", path)


def test_a_model_is_pickled_by_its_path(model, texts):
    again = pickle.loads(pickle.dumps(model))
    assert again.path == model.path
    assert np.array_equal(again.encode(texts), model.encode(texts))
    assert copy.deepcopy(model) is model


def test_several_threads_get_the_same_vectors(path, texts):
    model = vdsq.Model(path, threads=1, concurrency=4)
    expected = model.encode(texts)
    answers = [None] * 8

    def work(index):
        answers[index] = [model.encode(texts) for _ in range(10)]

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answer in answers:
        assert all(np.array_equal(vectors, expected) for vectors in answer)


def _vectors_of_child(model, texts, connection):
    connection.send(model.encode(texts))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_child_process_opens_the_model_again(model, texts, method):
    expected = model.encode(texts)
    context = multiprocessing.get_context(method)
    here, there = context.Pipe()
    child = context.Process(target=_vectors_of_child, args=(model, texts, there))
    child.start()
    assert here.poll(60), "the child gives no answer"
    assert np.array_equal(here.recv(), expected)
    child.join(60)
    assert child.exitcode == 0


def test_the_library_has_the_release(run):
    assert run("--version").strip().endswith(vdsq.__version__)
    assert os.path.exists(vdsq.library_path())
