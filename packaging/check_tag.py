#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Refuses a tag that is not that of the version in version.hpp, or that CHANGELOG.md does not know.

    check_tag.py <tag>
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    tag = sys.argv[1]
    header = (ROOT / "include/millpond/version.hpp").read_text(encoding="utf-8")
    version = re.search(r'#define MILLPOND_VERSION "(.+)"', header)[1]
    if tag != f"v{version}":
        sys.exit(f"refused: the tag is {tag}, and version.hpp says {version}")
    if f"\n## [{version}]" not in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"):
        sys.exit(f"refused: CHANGELOG.md has no section for {version}")
    print(f"{tag} is the tag of this version")


if __name__ == "__main__":
    main()
