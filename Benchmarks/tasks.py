"""Minimal pairs and task spaces on a real language model, SmolLM2-135M-Instruct in int8 (docs/tasks.md).

    Benchmarks/run tasks PAIRS [--parts accuracy,space,exact] [--pairs N] [--tasks N] [--report PAGE]

PAIRS is a file of minimal pairs such as BLiMP's: {"good", "bad", "field", "term", "task"}. The accuracy of
all tasks; the gradients of all of them, from the first N pairs of each, with how often the closest task
belongs to the same field or term, by layers and mask; and the first-order matrix against exact steps on N
tasks, by the length of the step."""
import argparse
import json
import subprocess
import tempfile

import numpy as np

from programs import CACHE, VDSQ, language_model

parser = argparse.ArgumentParser()
parser.add_argument("pairs_file", metavar="PAIRS")
parser.add_argument("--parts", default="accuracy,space,exact")
parser.add_argument("--pairs", type=int, default=60)
parser.add_argument("--tasks", type=int, default=10)
parser.add_argument("--steps", default="1e-4,1e-3,1e-2")
parser.add_argument("--report", default=str(CACHE / "tasks.html"))
arguments = parser.parse_args()
MODEL = language_model()


def run(*command):
    return json.loads(subprocess.run([VDSQ, *map(str, command), "--json", "-q"], capture_output=True, text=True,
                                     check=True).stdout)


def same_group(result, groups):
    """How often the most similar other task has the same group, and by chance."""
    names = [groups[t["task"]] for t in result["tasks"]]
    similarity = np.array(result["similarity"])
    np.fill_diagonal(similarity, -2)
    hits = [names[i] == names[int(row.argmax())] for i, row in enumerate(similarity)]
    chance = [(names.count(n) - 1) / (len(names) - 1) for n in names]
    return f"{np.mean(hits):.2f} / {np.mean(chance):.2f}"


def accuracy():
    for field in ("field", "term"):
        result = run("pairs", MODEL, arguments.pairs_file, "--by", field)
        print(f"| {field} | pairs | accuracy | 95% |\n|---|---|---|---|")
        for task in sorted(result["tasks"], key=lambda t: -t["accuracy"]):
            low, high = task["accuracy_interval_95"]
            print(f"| {task['task']} | {task['pairs']} | {task['accuracy']:.3f} | {low:.3f}-{high:.3f} |")
        low, high = result["accuracy_interval_95"]
        print(f"| all | {result['pairs']} | {result['accuracy']:.3f} | {low:.3f}-{high:.3f} |\n", flush=True)


def space(pairs, file):
    fields, terms = ({p["task"]: p[k] for p in pairs} for k in ("field", "term"))
    print("| layers | mask | tasks | seconds | closest task of the same field / by chance | of the same term |")
    print("|---|---|---|---|---|---|")
    for layers, mask, more in (("27,28,29,30", 1, ["--report", arguments.report, "--force"]),
                               ("27,28,29,30", 100, []), ("30", 1, []), ("15", 1, []), ("5", 1, [])):
        result = run("tasks", MODEL, file, "--layers", layers, "--mask", mask, *more)
        print(f"| {layers} | {mask}% | {len(result['tasks'])} | {result['seconds']:.0f} | "
              f"{same_group(result, fields)} | {same_group(result, terms)} |", flush=True)


def exact(pairs, file):
    names = list(dict.fromkeys(p["task"] for p in pairs))
    chosen = names[::max(1, len(names) // arguments.tasks)][:arguments.tasks]
    print("\n| step | rank correlation | between tasks | own loss difference, first order | measured | seconds |")
    print("|---|---|---|---|---|---|")
    for step in arguments.steps.split(","):
        result = run("tasks", MODEL, file, "--tasks", ",".join(chosen), "--exact", "--step", step)
        matrix = result["exact"]
        own = [np.mean(np.diag(np.array(m))) for m in (result["transfer"], matrix["transfer"])]
        print(f"| {step} | {matrix['rank_correlation']:.3f} | {matrix['rank_correlation_between_tasks']:.3f} "
              f"| {own[0]:.3f} | {own[1]:.3f} | {result['seconds']:.0f} |", flush=True)
    print(f"\nTasks with exact steps: {', '.join(chosen)}")


def main():
    parts = arguments.parts.split(",")
    pairs, counts = [], {}
    for pair in map(json.loads, open(arguments.pairs_file)):
        counts[pair["task"]] = counts.get(pair["task"], 0) + 1
        if counts[pair["task"]] <= arguments.pairs:
            pairs.append(pair)
    if "accuracy" in parts:
        accuracy()
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write("".join(json.dumps(p) + "\n" for p in pairs))
        file.flush()
        if "space" in parts:
            space(pairs, file.name)
        if "exact" in parts:
            exact(pairs, file.name)


main()
