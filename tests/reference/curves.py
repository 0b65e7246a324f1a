"""Loss curves over thirty training steps, from Keras on TensorFlow.

The networks, weights, noise and images are those of `golden.py`; here only the losses of each step are
kept. Beside them stands how far they move when the starting weights are nudged by about float32's
precision, or when everything is computed in float32: what no float32 implementation can be held below.

How to run, from the root of the repository (the environment is that of `golden.py`):

    venv/bin/python tests/reference/curves.py

It rewrites `curves.json` beside itself.
"""

from __future__ import annotations

import numpy as np

import golden

STEPS = 30
NUDGED_RUNS = 6
NAMES = ("dcgan", "mlp")
LOSSES = ("d_loss", "g_loss")


def curves(case: golden.Case, dtype: golden.Dtype, nudge_seed: int | None = None) -> dict[str, list[float]]:
    trainer = golden.first_trainer(case, dtype, nudge_seed)
    advance = getattr(trainer, case.config.update)
    found: dict[str, list[float]] = {name: [] for name in LOSSES}
    for index in range(STEPS):
        step = advance(*golden.step_inputs(case.config, index, dtype))
        for name in LOSSES:
            found[name].append(float(getattr(step, name)))
    return found


def report(case: golden.Case) -> golden.Json:
    exact = curves(case, "float64")
    others = [curves(case, "float32")]
    others += [curves(case, "float64", seed) for seed in range(NUDGED_RUNS)]
    moved = {
        name: float(max(np.max(np.abs(np.subtract(other[name], exact[name]))) for other in others))
        for name in LOSSES
    }
    return {**exact, "moved_by_rounding": moved}


def main() -> None:
    cases = {case.config.name: case for case in golden.CASES}
    table = {name: report(cases[name]) for name in NAMES}
    golden.write_json("curves", table)
    for name, row in table.items():
        print(name, row["moved_by_rounding"], [round(x, 3) for x in row["d_loss"][::6]])


if __name__ == "__main__":
    main()
