#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The recipe for Conan Center, with a release's archive filled in, ready to be submitted.

    conan_center.py <archive> <its URL> <output folder>

copies packaging/conan-center/ to the output folder and writes URL and checksum into conandata.yml.
"""

import hashlib
import pathlib
import re
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def library_version():
    header = (ROOT / "include/millpond/version.hpp").read_text(encoding="utf-8")
    return re.search(r'#define MILLPOND_VERSION "(.+)"', header)[1]


def fill_in(archive, url, output):
    """Returns the folder of the recipe's conanfile.py."""
    recipe = output / "recipes" / "millpond"
    shutil.rmtree(recipe, ignore_errors=True)
    shutil.copytree(ROOT / "packaging/conan-center/recipes/millpond", recipe)

    conandata = recipe / "all" / "conandata.yml"
    for file in (recipe / "config.yml", conandata):
        if f'  "{library_version()}":\n' not in file.read_text(encoding="utf-8"):
            sys.exit(f"{file.name} does not have version {library_version()}, that of version.hpp")
    text = conandata.read_text(encoding="utf-8")
    checksum = hashlib.sha256(archive.read_bytes()).hexdigest()
    text = re.sub(r'url: ".*"', f'url: "{url}"', text)
    text = re.sub(r'sha256: ".*"', f'sha256: "{checksum}"', text)
    conandata.write_text(text, encoding="utf-8")
    return recipe / "all"


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    print(fill_in(pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])))
