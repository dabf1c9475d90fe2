#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds and runs the project in this folder with the module.

    build_and_run.py <source tree> <work folder> <compiler> [<flags>]

Exits with 77, and says why, if the tools cannot be had: CTest reports that as skipped.
"""

import pathlib
import re
import shutil
import subprocess
import sys

SKIPPED = 77


def skip(why):
    print(f"SKIPPED: {why}", flush=True)
    sys.exit(SKIPPED)


def version(program):
    try:
        printed = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return (0,)
    return tuple(map(int, re.search(r"(\d+)\.(\d+)", printed.stdout).groups()))


def get_tools(folder):
    """The folder's programs cmake and ninja, from PyPI unless those of the system will do."""
    if version("cmake") >= (3, 28) and version("ninja") >= (1, 11):
        return "cmake", "ninja"
    programs = folder / "bin"
    if not (programs / "cmake").exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            pip = [str(programs / "pip"), "--disable-pip-version-check", "install", "--quiet"]
            subprocess.run([*pip, "cmake>=3.28,<5", "ninja>=1.11"], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            skip(f"no CMake from PyPI: {error}")
    return str(programs / "cmake"), str(programs / "ninja")


def main():
    source, work, compiler, *flags = sys.argv[1:]
    work = pathlib.Path(work)
    banner = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout
    is_clang = "clang" in banner
    if version(compiler) < ((17, 0) if is_clang else (14, 0)) or "Apple" in banner:
        skip(f"{banner.splitlines()[0]} is too old for modules in CMake")
    cmake, ninja = get_tools(work / "environment")

    project = work / "project"
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(pathlib.Path(__file__).parent, project)
    (project / "third_party").mkdir()
    (project / "third_party" / "millpond").symlink_to(source, target_is_directory=True)

    build = [cmake, "-S", str(project), "-B", str(project / "build"), "-G", "Ninja"]
    subprocess.run(
        [
            *build,
            f"-DCMAKE_MAKE_PROGRAM={ninja}",
            f"-DCMAKE_CXX_COMPILER={compiler}",
            f"-DCMAKE_CXX_FLAGS={' '.join(flags)}",
        ],
        check=True,
    )
    subprocess.run([cmake, "--build", str(project / "build")], check=True)
    subprocess.run([str(project / "build" / "your_program")], check=True)


if __name__ == "__main__":
    main()
