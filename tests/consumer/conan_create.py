#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""conan create, for real, with a Conan from PyPI in an environment of its own, and a project that
requires the package.

    conan_create.py conan|conan_compiled|conan_center <source tree> <consumer's project> <work folder> <compiler>
        <CMake generator>

conan: the recipe at the root. conan_compiled: the same, with the option compiled. conan_center: that in packaging/, with the archive of a release that
is made here, of the last commit.

Exits with 77, and says why, if Conan cannot be had: CTest reports that as skipped.
"""

import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True  # the source tree stays as it is

from pypi import get_program, skip


def release_recipe(source, work):
    """The folder of the recipe for Conan Center, with an archive like that of a release."""
    sys.path.insert(0, str(source / "packaging"))
    import conan_center

    version = conan_center.library_version()
    archive = work / f"millpond-{version}.tar.gz"
    command = ["git", "-C", str(source), "archive", f"--prefix=millpond-{version}/", "HEAD"]
    try:
        subprocess.run([*command, "-o", str(archive)], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        skip(f"no archive of the repository: {error}")
    return conan_center.fill_in(archive, archive.as_uri(), work), version


def main():
    recipe, source, project, work, compiler, generator = sys.argv[1:]
    source = pathlib.Path(source)
    conan = get_program("conan", "conan>=2,<3", pathlib.Path(work) / "environment")
    work = pathlib.Path(work) / recipe
    work.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "CONAN_HOME": str(work / "home"), "CXX": compiler}

    def run(*command):
        subprocess.run([str(word) for word in command], check=True, env=environment)

    way = "find_package"
    options = []
    if recipe == "conan_center":
        folder, version = release_recipe(source, work)
        reference = [folder, "--version", version]
    else:
        reference = [source]
    if recipe == "conan_compiled":
        way = "compiled_and_installed"
        options = ["-o", "millpond/*:compiled=True"]
    settings = [*options,"-s", "compiler.cppstd=20", "-c", "tools.cmake.cmaketoolchain:user_presets="]

    run(conan, "profile", "detect", "--force")
    run(
        *(conan, "create", *reference, "--no-remote", "--build=missing", *settings),
        *("-c", f"tools.cmake.cmake_layout:test_folder={work / 'test_package'}"),
    )

    build = work / "consumer"
    install = [conan, "install", project, "--no-remote", "--output-folder", build]
    run(*install, *settings)
    run(
        *("ctest", "--build-and-test", project, build, "--build-generator", generator),
        *("--build-config", "Release", "--build-options", f"-DMILLPOND_WAY={way}"),
        f"-DCMAKE_TOOLCHAIN_FILE={build / 'conan_toolchain.cmake'}",
        *("-DCMAKE_BUILD_TYPE=Release", "--test-command", "your_program"),
    )


if __name__ == "__main__":
    main()
