# SPDX-License-Identifier: MIT
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load

required_conan_version = ">=2.0"


class MillpondConan(ConanFile):
    name = "millpond"
    description = "A C++20 thread pool with the API of Python's multiprocessing.pool.ThreadPool"
    license = "MIT"
    topics = ("thread-pool", "concurrency", "parallel", "header-only")
    settings = "os", "arch", "compiler", "build_type"
    options = {"compiled": [True, False], "fPIC": [True, False]}
    default_options = {"compiled": False, "fPIC": True}
    exports_sources = "include/*", "src/*", "cmake/*", "CMakeLists.txt", "LICENSE"
    no_copy_source = True

    def set_version(self):
        header = load(self, os.path.join(self.recipe_folder, "include/millpond/version.hpp"))
        self.version = re.search(r'#define MILLPOND_VERSION "(.+)"', header).group(1)

    def config_options(self):
        if self.settings.os == "Windows":
            del self.options.fPIC

    def configure(self):
        self.package_type = "static-library" if self.options.compiled else "header-library"
        if not self.options.compiled:
            self.options.rm_safe("fPIC")

    def layout(self):
        cmake_layout(self)

    def validate(self):
        check_min_cppstd(self, 20)

    def package_id(self):
        if not self.info.options.compiled:
            self.info.clear()

    def generate(self):
        toolchain = CMakeToolchain(self)
        for part in ("BUILD_TESTS", "BUILD_EXAMPLES", "INSTALL"):
            toolchain.cache_variables[f"MILLPOND_{part}"] = False
        toolchain.generate()

    def build(self):
        if self.options.compiled:
            cmake = CMake(self)
            cmake.configure()
            cmake.build(target="millpond_compiled")

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "*.hpp", self.source_folder, self.package_folder)
        for library in ("*.a", "*.lib"):
            folder = os.path.join(self.package_folder, "lib")
            copy(self, library, self.build_folder, folder, keep_path=False)

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "millpond")
        self.cpp_info.set_property("cmake_config_version_compat", "SameMinorVersion")
        headers = self.cpp_info.components["headers"]
        headers.bindirs = []
        headers.libdirs = []
        headers.set_property("cmake_target_name", "millpond::millpond")
        headers.set_property("pkg_config_name", "millpond")
        if self.settings.os in ("Linux", "FreeBSD"):
            headers.system_libs = ["pthread"]
        if self.options.compiled:
            compiled = self.cpp_info.components["compiled"]
            compiled.bindirs = []
            compiled.libs = ["millpond"]
            compiled.defines = ["MILLPOND_COMPILED"]
            compiled.requires = ["headers"]
            compiled.set_property("cmake_target_name", "millpond::compiled")
            compiled.set_property("pkg_config_name", "millpond-compiled")
