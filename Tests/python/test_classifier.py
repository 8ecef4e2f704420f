import os
import pickle

import numpy as np
import pytest
import vdsq
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks
from sklearn.utils.validation import check_is_fitted

TEXTS = ["good morning", "hello there", "hi all", "stop it", "that is enough", "halt now"] * 3
NAMES = ["greeting"] * 3 + ["order"] * 3
CLASSES = NAMES * 3


def lines_of(run, path, texts, *arguments):
    """The labels, and each text's probabilities in the order of the labels' names."""
    import json

    out = run("classify", path, *arguments, "-q", "--json", "--top", 2, lines=texts)
    rows = [json.loads(line)["top"] for line in out.splitlines()]
    names = sorted(entry["label"] for entry in rows[0])
    return names, np.array(
        [[{e["label"]: e["probability"] for e in row}[name] for name in names] for row in rows]
    )


def test_zero_shot_equals_the_command_line(model, path, texts, run):
    classifier = vdsq.VDSQClassifier(model, labels=["stop", "hello"])
    names, expected = lines_of(run, path, texts, "--labels", "stop,hello")
    assert classifier.classes_.tolist() == names == ["hello", "stop"]
    assert np.allclose(classifier.predict_proba(texts), expected, atol=1e-6)
    words = vdsq.VDSQClassifier(model, labels={"a": ["hello", "good morning"], "b": ["stop"]})
    names, expected = lines_of(run, path, texts, "--labels", "a=hello,good morning;b=stop")
    assert np.allclose(words.predict_proba(texts), expected, atol=1e-6)


def test_fit_equals_the_command_line(model, path, texts, run, tmp_path):
    import json

    examples = tmp_path / "examples.jsonl"
    examples.write_text(
        "".join(json.dumps({"text": t, "label": c}) + "\n" for t, c in zip(TEXTS, CLASSES))
    )
    adapter = tmp_path / "own.vdsa"
    run("adapt", path, examples, "--method", "frozen", "-o", adapter, "-q")
    names, expected = lines_of(run, path, texts, "--adapter", adapter)
    classifier = vdsq.VDSQClassifier(model).fit(TEXTS, CLASSES)
    assert classifier.classes_.tolist() == names
    assert np.allclose(classifier.predict_proba(texts), expected, atol=1e-6)
    assert classifier.score(TEXTS, CLASSES) == 1
    # The program reads what fit learned.
    classifier.save(tmp_path / "python.vdsa")
    assert lines_of(run, path, texts, "--adapter", tmp_path / "python.vdsa")[1] == pytest.approx(
        expected, abs=1e-6
    )
    read = vdsq.VDSQClassifier.from_adapter(path, adapter)
    assert np.allclose(read.predict_proba(texts), expected, atol=1e-6)
    with pytest.raises(FileExistsError):
        classifier.save(tmp_path / "python.vdsa")


def test_label_words_and_examples_together(model):
    classifier = vdsq.VDSQClassifier(model, labels={"order": ["stop"], "greeting": ["hello"]})
    before = classifier.predict_proba(TEXTS)
    classifier.fit(TEXTS, CLASSES)
    assert classifier.classes_.tolist() == ["greeting", "order"]
    assert not np.allclose(classifier.predict_proba(TEXTS), before)
    with pytest.raises(ValueError, match="other"):
        classifier.fit(TEXTS, ["other"] * len(TEXTS))


@pytest.mark.parametrize("kinds", [[7, 3], [True, False], ["zwei", "eins"], [2.0, 1.0]])
def test_classes_are_those_of_y(model, kinds):
    y = np.array(kinds)[[NAMES.index(name) // 3 for name in CLASSES]]
    classifier = vdsq.VDSQClassifier(model).fit(TEXTS, y)
    assert classifier.classes_.tolist() == sorted(kinds)
    assert classifier.classes_.dtype == y.dtype
    assert np.array_equal(classifier.predict(TEXTS), y)
    probabilities = classifier.predict_proba(TEXTS)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    "check",
    [
        "check_no_attributes_set_in_init",
        "check_get_params_invariance",
        "check_set_params",
        "check_parameters_default_constructible",
        "check_estimator_cloneable",
        "check_estimator_tags_renamed",
        "check_valid_tag_types",
        "check_estimator_repr",
        "check_mixin_order",
        "check_estimators_unfitted",
    ],
)
def test_checks_of_scikit_learn(model, check):
    """Checks that need no matrix of numbers."""
    name = vdsq.VDSQClassifier.__name__
    getattr(estimator_checks, check)(name, vdsq.VDSQClassifier(model))


def test_all_checks_that_scikit_learn_yields_pass(model):
    results = estimator_checks.check_estimator(vdsq.VDSQClassifier(model), on_fail=None)
    failed = [r for r in results if r["status"] == "failed"]
    assert not failed, [(r["check_name"], r["exception"]) for r in failed]


def test_it_works_in_tools_of_scikit_learn(model):
    classifier = vdsq.VDSQClassifier(model)
    assert cross_val_score(classifier, TEXTS, CLASSES, cv=3).mean() == 1
    search = GridSearchCV(classifier, {"method": ["prior", "frozen"]}, cv=3)
    assert search.fit(TEXTS, CLASSES).best_score_ == 1
    lower = FunctionTransformer(lambda texts: [text.lower() for text in texts])
    pipeline = make_pipeline(lower, clone(classifier))
    assert pipeline.fit(TEXTS, CLASSES).score(TEXTS, CLASSES) == 1


def test_fitting_again_forgets(model):
    classifier = vdsq.VDSQClassifier(model).fit(TEXTS, CLASSES)
    classifier.fit(TEXTS, [int(name == "order") for name in CLASSES])
    assert classifier.classes_.tolist() == [0, 1]
    other = clone(classifier)
    with pytest.raises(NotFittedError):
        check_is_fitted(other)
    with pytest.raises(NotFittedError):
        other.predict(TEXTS)


def test_a_classifier_is_pickled_with_its_adapter(model, path, texts):
    for own in (model, str(path)):
        classifier = vdsq.VDSQClassifier(own).fit(TEXTS, CLASSES)
        again = pickle.loads(pickle.dumps(classifier))
        assert np.array_equal(again.predict_proba(texts), classifier.predict_proba(texts))
        assert again.classes_.tolist() == classifier.classes_.tolist()


def test_wrong_input_is_refused(model):
    classifier = vdsq.VDSQClassifier(model)
    with pytest.raises(ValueError, match="one string"):
        classifier.fit("text", ["a"])
    with pytest.raises(ValueError, match="2 dimensions"):
        classifier.fit(np.array([["a"], ["b"]]), ["a", "b"])
    with pytest.raises(ValueError, match="texts"):
        classifier.fit([1, 2], ["a", "b"])
    with pytest.raises(ValueError, match="1 class"):
        classifier.fit(["x", "y"], ["a", "a"])
    with pytest.raises(ValueError, match="2 texts"):
        classifier.fit(["x", "y"], ["a"])
    with pytest.raises(ValueError, match="no examples"):
        classifier.fit([], [])
    with pytest.raises(ValueError, match="continuous"):
        classifier.fit(["x", "y"], [0.5, 1.5])
    with pytest.raises(vdsq.UsageError, match="method"):
        vdsq.VDSQClassifier(model, method="other").fit(TEXTS, CLASSES)
    with pytest.raises(TypeError):
        vdsq.VDSQClassifier(model, labels="a,b").predict(["x"])
    with pytest.raises(ValueError, match="other"):
        classifier.set_params(other=1)


def test_learning_one_by_one(model, path, tmp_path, run):
    file = tmp_path / "desk.vdsa"
    learner = vdsq.Learner(model, file, labels=["hello", "stop"])
    first = learner.learn("good morning", "hello")
    assert first.predicted in ("hello", "stop") and first.count == 1
    assert 0 <= first.probability <= 1
    assert learner.learn("that is enough", "stop").count == 2
    assert learner.undo() == "stop"
    with pytest.raises(vdsq.InputError, match="other"):
        learner.learn("text", "other")
    out = run("classify", path, "--adapter", file, "-q", lines=["good morning"])
    found = vdsq.VDSQClassifier.from_adapter(model, file).predict(["good morning"])
    assert out.split("\t")[0] == found[0]
    again = pickle.loads(pickle.dumps(learner))
    assert again.learn("that is enough", "stop").count == 2
    with pytest.raises(vdsq.MissingInputError):
        vdsq.Learner(model, os.fspath(tmp_path / "nowhere.vdsa"))


def test_another_model_is_opened(path, texts, tmp_path):
    import shutil

    other = tmp_path / "other.vdsq"
    shutil.copy(path, other)
    classifier = vdsq.VDSQClassifier(str(path), labels=["stop", "hello"])
    expected = classifier.predict_proba(texts)
    assert np.array_equal(
        classifier.set_params(model=str(other)).predict_proba(texts), expected
    )
    other.unlink()
    with pytest.raises(vdsq.Error):
        classifier.set_params(model=str(other) + "x").predict(texts)


def test_classes_of_another_kind_than_labels_are_refused(model):
    classifier = vdsq.VDSQClassifier(model, labels={"0": ["hello"], "1": ["stop"]})
    with pytest.raises(ValueError, match="their names"):
        classifier.fit(TEXTS, [int(name == "order") for name in CLASSES])


@pytest.mark.parametrize(
    "parameters", [{"random_state": -1}, {"random_state": 2**64}, {"temperature": 0}]
)
def test_numbers_out_of_range_are_refused(model, parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        vdsq.VDSQClassifier(model, **parameters).fit(TEXTS, CLASSES)
