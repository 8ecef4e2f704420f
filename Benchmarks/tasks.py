"""Minimal pairs and task spaces on a real language model, SmolLM2-135M-Instruct in int8 (docs/tasks.md).

    Benchmarks/run tasks PAIRS [--exact N] [--pairs N] [--report PAGE]

PAIRS is a file of minimal pairs such as BLiMP's: {"good", "bad", "task", "term"}. The accuracy of all
tasks; the gradients of all of them with how often the closest task belongs to the same term; and the
first-order matrix against exact steps on N tasks, by the length of the step."""
import argparse
import json
import subprocess

import numpy as np

from programs import CACHE, VDSQ, language_model

parser = argparse.ArgumentParser()
parser.add_argument("pairs")
parser.add_argument("--exact", type=int, default=10)
parser.add_argument("--steps", default="1e-4,3e-4,1e-3,3e-3,1e-2")
parser.add_argument("--report", default=str(CACHE / "tasks.html"))
arguments = parser.parse_args()
MODEL = language_model()


def run(*command):
    return json.loads(subprocess.run([VDSQ, *map(str, command), "--json", "-q"], capture_output=True, text=True,
                                     check=True).stdout)


def same_term(result):
    """How often the most similar other task has the same term, and by chance."""
    groups = [t["group"] for t in result["tasks"]]
    similarity = np.array(result["similarity"])
    np.fill_diagonal(similarity, -2)
    hits = [groups[i] == groups[int(row.argmax())] for i, row in enumerate(similarity)]
    chance = [(groups.count(g) - 1) / (len(groups) - 1) for g in groups]
    return float(np.mean(hits)), float(np.mean(chance))


def main():
    pairs = [json.loads(line) for line in open(arguments.pairs)]
    for field in ("field", "term"):
        result = run("pairs", MODEL, arguments.pairs, "--by", field)
        print(f"| {field} | pairs | accuracy | 95% |\n|---|---|---|---|")
        for task in sorted(result["tasks"], key=lambda t: -t["accuracy"]):
            low, high = task["accuracy_interval_95"]
            print(f"| {task['task']} | {task['pairs']} | {task['accuracy']:.3f} | {low:.3f}-{high:.3f} |")
        low, high = result["accuracy_interval_95"]
        print(f"| all | {result['pairs']} | {result['accuracy']:.3f} | {low:.3f}-{high:.3f} |\n", flush=True)
    print("| layers | mask | tasks | seconds | closest task of the same term | by chance |\n|---|---|---|---|---|---|")
    for layers, mask, more in (("27,28,29,30", 1, ["--report", arguments.report, "--force"]),
                               ("27,28,29,30", 100, []), ("30", 1, []), ("15", 1, [])):
        result = run("tasks", MODEL, arguments.pairs, "--layers", layers, "--mask", mask, *more)
        hits, chance = same_term(result)
        print(f"| {layers} | {mask}% | {len(result['tasks'])} | {result['seconds']:.0f} | {hits:.2f} "
              f"| {chance:.2f} |", flush=True)
    names = list(dict.fromkeys(p["task"] for p in pairs))
    chosen = names[::max(1, len(names) // arguments.exact)][:arguments.exact]
    print("\n| step | rank correlation | between tasks | own loss difference, first order | measured | seconds |")
    print("|---|---|---|---|---|---|")
    for step in arguments.steps.split(","):
        result = run("tasks", MODEL, arguments.pairs, "--tasks", ",".join(chosen), "--exact", "--step", step)
        exact = result["exact"]
        own = [np.mean(np.diag(np.array(m))) for m in (result["transfer"], exact["transfer"])]
        print(f"| {step} | {exact['rank_correlation']:.3f} | {exact['rank_correlation_between_tasks']:.3f} "
              f"| {own[0]:.3f} | {own[1]:.3f} | {result['seconds']:.0f} |", flush=True)
    print(f"\nTasks with exact steps: {', '.join(chosen)}")


main()
