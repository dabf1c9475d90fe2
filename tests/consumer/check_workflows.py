#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The files in .github/workflows are what GitHub's schema describes, and run presets that exist.

    check_workflows.py <source tree> <work folder>
"""

import json
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True  # the source tree stays as it is

from pypi import get_program


def main():
    source, work = map(pathlib.Path, sys.argv[1:])
    workflows = sorted((source / ".github" / "workflows").glob("*.yml"))

    presets = json.loads((source / "CMakePresets.json").read_text(encoding="utf-8"))
    known = {preset["name"] for preset in presets["workflowPresets"]}
    text = "".join(file.read_text(encoding="utf-8") for file in workflows)
    named = set(re.findall(r"preset:? ([a-z]+)\b", text))
    if not named or not named <= known:
        sys.exit(f"presets that do not exist: {named - known or 'none named at all'}")

    check = get_program("check-jsonschema", "check-jsonschema==0.39.0", work)
    command = [check, "--builtin-schema", "vendor.github-workflows", *map(str, workflows)]
    sys.exit(subprocess.run(command).returncode)


if __name__ == "__main__":
    main()
