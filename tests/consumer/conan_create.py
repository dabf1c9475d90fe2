#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""conan create, for real, with a Conan from PyPI in an environment of its own.

    conan_create.py <source tree> <work folder> <C++ compiler>

Exits with 77, and says why, if Conan cannot be had: CTest reports that as skipped.
"""

import os
import pathlib
import subprocess
import sys

SKIPPED = 77


def skip(why):
    print(f"SKIPPED: {why}", flush=True)
    sys.exit(SKIPPED)


def get_conan(folder):
    """The path of a conan program in an environment in `folder`."""
    conan = folder / "bin" / "conan"
    if not conan.exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            pip = [str(folder / "bin" / "pip"), "--disable-pip-version-check", "install", "--quiet"]
            subprocess.run([*pip, "conan>=2,<3"], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            skip(f"no Conan from PyPI: {error}")
    return str(conan)


def main():
    source, work, compiler = sys.argv[1:]
    work = pathlib.Path(work)
    conan = get_conan(work / "environment")
    environment = {**os.environ, "CONAN_HOME": str(work / "home"), "CXX": compiler}

    def run(*arguments):
        subprocess.run([conan, *arguments], check=True, env=environment)

    run("profile", "detect", "--force")
    run(
        *("create", source, "--no-remote", "--build=missing"),
        *("-s", "compiler.cppstd=20"),
        *("-c", f"tools.cmake.cmake_layout:test_folder={work / 'test_package'}"),
        *("-c", "tools.cmake.cmaketoolchain:user_presets="),  # none in the source tree
    )


if __name__ == "__main__":
    main()
