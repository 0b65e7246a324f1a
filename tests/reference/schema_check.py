"""Checks the schemas of configs/ with an implementation of JSON Schema that is not ours.

    pip install jsonschema
    python tests/reference/schema_check.py

Every experiment and backend file of the project must pass, whole configurations as `ganvas config show` prints them too (given
as arguments), and each of the mistakes below must be refused. Python 3.11 or newer, for tomllib.
"""

import json
import pathlib
import sys
import tomllib

import jsonschema

CONFIGS = pathlib.Path(__file__).resolve().parents[2] / "configs"

# Mistakes that an editor should underline: what is wrong, and a file that is right but for it.
WRONG_EXPERIMENTS = {
    "no network": "[data]\nbatch_size = 32\n",
    "unknown key": '[model]\nnetwork = "dcgan"\n[training]\nepoch = 3\n',
    "unknown section": '[model]\nnetwork = "dcgan"\n[trainig]\nepochs = 3\n',
    "unknown network": '[model]\nnetwork = "dcgna"\n',
    "key of another network": '[model]\nnetwork = "blog"\nbase_channels = 8\n',
    "unknown loss": '[model]\nnetwork = "mlp"\n[objective]\nloss = "wassertein"\n',
    "text for a number": '[model]\nnetwork = "mlp"\n[training]\nepochs = "two"\n',
    "fraction for a whole number": '[model]\nnetwork = "mlp"\n[data]\nbatch_size = 1.5\n',
    "negative count": '[model]\nnetwork = "mlp"\n[data]\nbatch_size = -1\n',
    "list of texts": '[model]\nnetwork = "mlp"\nhidden_sizes = ["a"]\n',
    "best without a goal": '[model]\nnetwork = "mlp"\n[checkpoint.best]\nmetric = "loss/generator"\n',
}
WRONG_BACKENDS = {
    "no backend": "[tests]\nvalues = 1e-4\n",
    "unknown key": '[backend]\nkynd = "ndarray"\n',
}


def validator(name):
    schema = json.loads((CONFIGS / name).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def check(schema, files, wrong):
    failures = 0
    for path in files:
        for error in schema.iter_errors(tomllib.loads(path.read_text(encoding="utf-8"))):
            print(f"{path}: {error.json_path}: {error.message}")
            failures += 1
    for what, text in wrong.items():
        if schema.is_valid(tomllib.loads(text)):
            print(f"accepted by mistake: {what}")
            failures += 1
    print(f"{len(files)} right files and {len(wrong)} wrong ones, {failures} failures")
    return failures


def main():
    experiments = sorted(CONFIGS.glob("*.toml"))
    shown = [pathlib.Path(argument) for argument in sys.argv[1:]]
    failures = check(validator("schema.json"), experiments + shown, WRONG_EXPERIMENTS)
    backends = sorted((CONFIGS / "backends").glob("*.toml"))
    failures += check(validator("backend.schema.json"), backends, WRONG_BACKENDS)
    if not experiments or not backends:
        sys.exit("no files to check")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
