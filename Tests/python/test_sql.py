"""SQL functions in the sqlite3 of the system, with sqlite-vec."""

import json
import re
import subprocess

import numpy as np
import pytest
import sqlite_vec
import vdsq
from conftest import ROOT


@pytest.fixture(scope="session")
def sql(path):
    """Runs statements with the extension, and returns the rows."""

    def sql(statements, model=path, database=":memory:", fails=False):
        done = subprocess.run(
            ["sqlite3", "-batch", "-bail", database],
            input=f".load {vdsq.library_path()} sqlite3_vdsq_init\n"
            f".load {sqlite_vec.loadable_path()}\n{statements}",
            env={"VDSQ_MODEL": str(model)} if model else {},
            capture_output=True,
            text=True,
        )
        assert (done.returncode != 0) == fails, done.stderr
        return done.stderr if fails else [line.split("|") for line in done.stdout.splitlines()]

    return sql


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def test_embed_and_similarity(sql, model, texts):
    ((number,),) = sql("SELECT vdsq_model(%s);" % quoted(model.path), model=None)
    assert int(number) == model.dimensions
    vectors = model.encode(texts)
    rows = sql("".join(f"SELECT hex(vdsq_embed({quoted(text)}));" for text in texts))
    for (row,), vector in zip(rows, vectors):
        assert np.array_equal(np.frombuffer(bytes.fromhex(row), np.float32), vector)
    a, b = quoted(texts[0]), quoted(texts[1])
    first, second = vectors[0].astype(float), vectors[1].astype(float)
    cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    rows = sql(
        f"SELECT vdsq_similarity({a}, {b}), vdsq_similarity({a}, vdsq_embed({b})),"
        " vdsq_embed(NULL) IS NULL, vdsq_similarity(NULL, 'a') IS NULL;"
    )
    assert np.allclose([float(value) for value in rows[0][:2]], cosine, atol=1e-6)
    assert rows[0][2:] == ["1", "1"]


def test_labels_equal_the_command_line(sql, path, texts, run):
    expected = [
        line.split("\t")
        for line in run("classify", path, "--labels", "hello,stop", "-q", lines=texts).splitlines()
    ]
    rows = sql(
        "".join(
            f"SELECT label, printf('%.4f', probability), vdsq_label({quoted(text)}, 'hello,stop')"
            f" FROM vdsq_labels({quoted(text)}, 'hello,stop', 1);"
            for text in texts
        )
    )
    assert [row[:2] for row in rows] == expected
    assert [row[2] for row in rows] == [label for label, _ in expected]
    all_ = sql("SELECT label, probability FROM vdsq_labels('hello', 'hello,stop');")
    assert sorted(row[0] for row in all_) == ["hello", "stop"]
    assert np.isclose(sum(float(row[1]) for row in all_), 1, atol=1e-5)


def test_the_table_function_joins(sql):
    rows = sql(
        "CREATE TABLE mail(id INTEGER PRIMARY KEY, body TEXT);"
        "INSERT INTO mail(body) VALUES ('hello'), ('stop'), (NULL);"
        "SELECT id, label FROM mail, vdsq_labels(mail.body, 'hello,stop', 1) ORDER BY id;"
    )
    assert rows == [["1", "hello"], ["2", "stop"]]


def test_a_trigger_classifies(sql, tmp_path):
    database = str(tmp_path / "mail.db")
    sql(
        "CREATE TABLE mail(id INTEGER PRIMARY KEY, body TEXT, label TEXT);"
        "CREATE TRIGGER labels AFTER INSERT ON mail BEGIN"
        " UPDATE mail SET label = vdsq_label(new.body, 'hello,stop') WHERE id = new.id; END;",
        database=database,
    )
    sql("INSERT INTO mail(body) VALUES ('hello'), ('stop');", database=database)
    assert sql("SELECT label FROM mail;", database=database) == [["hello"], ["stop"]]


def test_an_adapter_labels(sql, model, tmp_path):
    adapter = tmp_path / "own.vdsa"
    learner = vdsq.Learner(model, adapter, labels=["greeting", "order"])
    for text, label in [("hello", "greeting"), ("stop", "order")]:
        learner.learn(text, label)
    classifier = vdsq.VDSQClassifier.from_adapter(model, adapter)
    expected = classifier.predict(["hello", "stop"]).tolist()
    labels = f"SELECT vdsq_label('hello', '{adapter}'), vdsq_label('stop', '{adapter}');"
    assert sql(f"SELECT vdsq_adapter('{adapter}');{labels}") == [["2"], expected]
    # A schema from elsewhere opens no file.
    assert "vdsq_adapter" in sql(f"CREATE VIEW v AS {labels} SELECT * FROM v;", fails=True)
    unsafe = f"CREATE VIEW v AS SELECT vdsq_adapter('{adapter}'); SELECT * FROM v;"
    assert "unsafe use" in sql(unsafe, fails=True)


def test_an_adapter_of_several_labels(sql, path, tmp_path, run):
    examples, adapter = tmp_path / "e.jsonl", tmp_path / "several.vdsa"
    rows = [("hello world", ["greeting"]), ("stop now", ["order"]), ("a plain word", [])] * 4
    examples.write_text(
        "".join(json.dumps({"text": text, "labels": labels}) + "\n" for text, labels in rows)
    )
    run("adapt", path, examples, "--multi-label", "-o", adapter, "-q")
    texts = [text for text, _ in rows[:3]]
    answers = run("classify", path, "--adapter", adapter, "--json", "-q", lines=texts)
    given = [json.loads(line)["labels"] for line in answers.splitlines()]
    assert [] in given and ["order"] in given
    found = sql(
        f"SELECT vdsq_adapter('{adapter}');"
        + "".join(
            f"SELECT coalesce(vdsq_label({quoted(text)}, '{adapter}'), '-'),"
            " group_concat(CASE WHEN given THEN label END)"
            f" FROM vdsq_labels({quoted(text)}, '{adapter}');"
            for text in texts
        )
    )[1:]
    assert found == [[(labels or ["-"])[0], ",".join(labels)] for labels in given]


def test_the_arguments_are_columns(sql):
    rows = sql("SELECT text, labels, top FROM vdsq_labels('hello', 'hello,stop', 1);")
    assert rows == [["hello", "hello,stop", "1"]]
    assert sql("SELECT vdsq_label(' ', 'hello,stop') IS NULL;") == [["1"]]


def test_semantic_search_in_ten_thousand_rows(sql, model, texts, tmp_path):
    bodies = [f"{texts[i % len(texts)]} {i}" for i in range(10_000)]
    file = tmp_path / "bodies.txt"
    file.write_text("body\n" + "\n".join('"' + body.replace('"', '""') + '"' for body in bodies))
    rows = sql(
        f".mode csv\n.import {file} mail\n.mode list\n"
        f"CREATE VIRTUAL TABLE vectors USING vec0(embedding float[{model.dimensions}]"
        " distance_metric=cosine);"
        "INSERT INTO vectors(rowid, embedding) SELECT rowid, vdsq_embed(body) FROM mail;"
        "SELECT count(*) FROM vectors;"
        "SELECT rowid, 1 - distance FROM vectors"
        " WHERE embedding MATCH vdsq_embed('hello world') AND k = 10;"
    )
    assert rows[0] == ["10000"]
    vectors = model.encode(bodies).astype(float)
    query = model.encode("hello world").astype(float)
    cosines = vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
    found = [int(row[0]) - 1 for row in rows[1:]]
    # Near ties may be in another order.
    assert np.allclose(cosines[found], np.sort(cosines)[::-1][:10], atol=1e-5)
    assert np.allclose([float(row[1]) for row in rows[1:]], cosines[found], atol=1e-5)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("SELECT vdsq_model('/nowhere.vdsq')", "/nowhere.vdsq: cannot be opened"),
        ("SELECT vdsq_label('a', 'one')", "two or more"),
        ("SELECT vdsq_label('a')", "head"),
        ("SELECT vdsq_adapter('/nowhere.vdsa')", "/nowhere.vdsa"),
        ("SELECT vdsq_adapter('/nowhere')", "ends in .vdsa"),
        ("SELECT vdsq_similarity(x'00', 'a')", "1 byte"),
        ("SELECT vdsq_similarity(x'00000000', 'a')", "1 and of"),
        ("SELECT * FROM vdsq_labels", "text is missing"),
        ("SELECT * FROM vdsq_labels('a', 'one')", "two or more"),
        # Files are not opened by what a schema says.
        ("CREATE VIEW v AS SELECT vdsq_model('/nowhere.vdsq'); SELECT * FROM v", "unsafe use"),
    ],
)
def test_errors_end_the_statement(sql, statement, message):
    assert message in sql(f"{statement};", fails=True)


def test_a_model_must_be_named(sql):
    assert "VDSQ_MODEL" in sql("SELECT vdsq_embed('a');", model=None, fails=True)


def test_the_statements_of_the_page_run(sql):
    page = (ROOT / "docs/sql.md").read_text()
    (statements,) = re.findall(r"^```sql\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    statements = re.sub(r"^\.load.*\n", "", statements, flags=re.MULTILINE)
    statements = re.sub(r"^SELECT vdsq_model.*\n", "", statements, flags=re.MULTILINE)
    dimensions = len(sql("SELECT hex(vdsq_embed('a'));")[0][0]) // 8
    rows = sql(statements.replace("float[384]", f"float[{dimensions}]"))
    assert len(rows) == 2 + 2 + 2
