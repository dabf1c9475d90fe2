vcpkg_check_features(OUT_FEATURE_OPTIONS FEATURE_OPTIONS FEATURES compiled MILLPOND_COMPILED)
if(NOT MILLPOND_COMPILED)
    set(VCPKG_BUILD_TYPE release) # header-only
endif()

vcpkg_from_github(
    OUT_SOURCE_PATH SOURCE_PATH
    REPO OWNER/millpond
    REF "v${VERSION}"
    SHA512 0
    HEAD_REF main
)

vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS
        -DMILLPOND_BUILD_TESTS=OFF
        -DMILLPOND_BUILD_EXAMPLES=OFF
        -DMILLPOND_INSTALL=ON
        ${FEATURE_OPTIONS}
)
vcpkg_cmake_install()
if(MILLPOND_COMPILED)
    vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/millpond)
    file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include")
else()
    vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/millpond)
endif()
vcpkg_fixup_pkgconfig()

file(INSTALL "${CURRENT_PORT_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
