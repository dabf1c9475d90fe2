// SPDX-License-Identifier: MIT
//
// The one place that states the version; CMake and Conan read it from here.
#ifndef MILLPOND_VERSION_HPP
#define MILLPOND_VERSION_HPP

#define MILLPOND_VERSION_MAJOR 0
#define MILLPOND_VERSION_MINOR 1
#define MILLPOND_VERSION_PATCH 0
#define MILLPOND_VERSION "0.1.0"

#endif  // MILLPOND_VERSION_HPP
