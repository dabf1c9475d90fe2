# SPDX-License-Identifier: MIT
#
# `cmake --install`: the headers, a CMake package and a pkg-config file. The headers alone are the
# same on every architecture, hence share/; with millpond::compiled it is lib/.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

if(MILLPOND_COMPILED)
  set(millpond_data_dir ${CMAKE_INSTALL_LIBDIR})
  set(architecture "")
  install(TARGETS millpond_compiled EXPORT millpondTargets)
else()
  set(millpond_data_dir ${CMAKE_INSTALL_DATADIR})
  set(architecture ARCH_INDEPENDENT)
endif()
set(millpond_package_dir ${millpond_data_dir}/cmake/millpond)

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
  ${architecture}
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
install(FILES ${PROJECT_BINARY_DIR}/cmake/millpond.pc DESTINATION ${millpond_data_dir}/pkgconfig)
if(MILLPOND_COMPILED)
  configure_file(
    ${CMAKE_CURRENT_LIST_DIR}/millpond-compiled.pc.in
    ${PROJECT_BINARY_DIR}/cmake/millpond-compiled.pc @ONLY
  )
  install(
    FILES ${PROJECT_BINARY_DIR}/cmake/millpond-compiled.pc
    DESTINATION ${millpond_data_dir}/pkgconfig
  )
endif()
