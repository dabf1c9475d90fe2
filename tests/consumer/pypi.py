# SPDX-License-Identifier: MIT
"""Programs from PyPI, each in an environment of its own below the build folder."""

import os
import shutil
import subprocess
import sys

SKIPPED = 77  # CTest's tests have this as their SKIP_RETURN_CODE


def skip(why):
    print(f"SKIPPED: {why}", flush=True)
    sys.exit(SKIPPED)


def get_program(name, requirement, environment):
    """The path of a program; skips the test if it cannot be had."""
    folder = environment / ("Scripts" if os.name == "nt" else "bin")
    if not shutil.which(name, path=str(folder)):
        try:
            subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
            pip = [str(folder / "python"), "-m", "pip", "--disable-pip-version-check", "install"]
            subprocess.run([*pip, "--quiet", requirement], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            skip(f"no {requirement} from PyPI: {error}")
    return shutil.which(name, path=str(folder))
