# SPDX-License-Identifier: MIT
#
# `cmake --install`: the headers, a CMake package and a pkg-config file. Everything installed is
# the same on every architecture, hence share/ instead of lib/.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(millpond_package_dir ${CMAKE_INSTALL_DATADIR}/cmake/millpond)

install(TARGETS millpond EXPORT millpondTargets FILE_SET HEADERS)
install(EXPORT millpondTargets NAMESPACE millpond:: DESTINATION ${millpond_package_dir})

configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/millpondConfig.cmake.in
  ${PROJECT_BINARY_DIR}/cmake/millpondConfig.cmake
  INSTALL_DESTINATION ${millpond_package_dir}
)
# While the major version is 0, a new minor version may break its users.
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/cmake/millpondConfigVersion.cmake
  COMPATIBILITY SameMinorVersion
  ARCH_INDEPENDENT
)
install(
  FILES
    ${PROJECT_BINARY_DIR}/cmake/millpondConfig.cmake
    ${PROJECT_BINARY_DIR}/cmake/millpondConfigVersion.cmake
  DESTINATION ${millpond_package_dir}
)

configure_file(
  ${CMAKE_CURRENT_LIST_DIR}/millpond.pc.in ${PROJECT_BINARY_DIR}/cmake/millpond.pc @ONLY
)
install(
  FILES ${PROJECT_BINARY_DIR}/cmake/millpond.pc
  DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig
)
