# SPDX-License-Identifier: MIT
#
# The tests with the label consumer: what users get, and each way to get it.
find_package(Python3 QUIET COMPONENTS Interpreter)

set(work_dir ${CMAKE_CURRENT_BINARY_DIR}/consumer)
set(project_dir ${work_dir}/project)

# millpond_add_consumer_test(<name> <command>...)
function(millpond_add_consumer_test name)
  add_test(NAME consumer.${name} COMMAND ${ARGN})
  set_tests_properties(
    consumer.${name}
    PROPERTIES
      LABELS consumer
      TIMEOUT 300
      SKIP_RETURN_CODE 77
      SKIP_REGULAR_EXPRESSION "No pkg-config here;SKIPPED: "
  )
endfunction()

# millpond_add_consumer_script(<name> <Python script> <argument>...)
function(millpond_add_consumer_script name script)
  if(Python3_Interpreter_FOUND)
    millpond_add_consumer_test(${name} ${Python3_EXECUTABLE} ${script} ${ARGN})
  else()
    millpond_add_consumer_test(${name} ${CMAKE_COMMAND} -E echo "SKIPPED: no Python 3 here")
  endif()
endfunction()

# millpond_add_consumer_build(<name> <source folder> <program> <definition>...): configures a
# project as users do, builds it and runs the program.
function(millpond_add_consumer_build name source_dir program)
  set(build_dir ${work_dir}/${name})
  millpond_add_consumer_test(
    ${name}
    ${CMAKE_CTEST_COMMAND} --build-and-test ${source_dir} ${build_dir}
    --build-generator ${CMAKE_GENERATOR}
    --build-options
      -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER} -DCMAKE_CXX_FLAGS=${CMAKE_CXX_FLAGS} ${ARGN}
    --test-command ${program}
  )
endfunction()

millpond_add_consumer_test(
  vendor
  ${CMAKE_COMMAND} -DSOURCE_DIR=${PROJECT_SOURCE_DIR} -DPROJECT_DIR=${project_dir}
  -P ${CMAKE_CURRENT_LIST_DIR}/vendor.cmake
)
set_tests_properties(consumer.vendor PROPERTIES FIXTURES_SETUP millpond_vendored)

if(MILLPOND_INSTALL)
  millpond_add_consumer_test(
    install ${CMAKE_COMMAND} --install ${PROJECT_BINARY_DIR} --prefix ${work_dir}/prefix
  )
  set_tests_properties(consumer.install PROPERTIES FIXTURES_SETUP millpond_installed)

  foreach(way IN ITEMS add_subdirectory fetch_content find_package pkg_config single_header)
    millpond_add_consumer_build(
      ${way} ${project_dir} your_program
      -DMILLPOND_WAY=${way} -DCMAKE_PREFIX_PATH=${work_dir}/prefix
    )
    set_tests_properties(
      consumer.${way} PROPERTIES FIXTURES_REQUIRED "millpond_vendored;millpond_installed"
    )
  endforeach()
endif()

# millpond::compiled, from source and installed: in another folder, as it is not for all
# architectures.
millpond_add_consumer_build(
  compiled_from_source ${project_dir} your_program -DMILLPOND_WAY=compiled_from_source
)
set_tests_properties(
  consumer.compiled_from_source PROPERTIES FIXTURES_REQUIRED millpond_vendored
)
millpond_add_consumer_test(
  compiled_install
  ${CMAKE_CTEST_COMMAND} --build-and-test ${project_dir}/third_party/millpond
  ${work_dir}/compiled_library
  --build-generator ${CMAKE_GENERATOR}
  --build-target install
  --build-options
    -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER} -DCMAKE_CXX_FLAGS=${CMAKE_CXX_FLAGS}
    -DCMAKE_INSTALL_PREFIX=${work_dir}/compiled_prefix
    -DMILLPOND_COMPILED=ON -DMILLPOND_BUILD_TESTS=OFF -DMILLPOND_BUILD_EXAMPLES=OFF
)
set_tests_properties(
  consumer.compiled_install
  PROPERTIES FIXTURES_REQUIRED millpond_vendored FIXTURES_SETUP millpond_compiled
)
foreach(way IN ITEMS compiled_and_installed compiled_by_pkg_config)
  millpond_add_consumer_build(
    ${way} ${project_dir} your_program
    -DMILLPOND_WAY=${way} -DCMAKE_PREFIX_PATH=${work_dir}/compiled_prefix
  )
  set_tests_properties(
    consumer.${way} PROPERTIES FIXTURES_REQUIRED "millpond_vendored;millpond_compiled"
  )
endforeach()

millpond_add_consumer_test(
  vcpkg_port
  ${CMAKE_COMMAND} -DSOURCE_DIR=${PROJECT_SOURCE_DIR} -DWORK_DIR=${work_dir}/vcpkg_port
  -DCXX_COMPILER=${CMAKE_CXX_COMPILER} -P ${CMAKE_CURRENT_LIST_DIR}/vcpkg_port.cmake
)
set_tests_properties(consumer.vcpkg_port PROPERTIES FIXTURES_SETUP millpond_vcpkg_port)
millpond_add_consumer_build(
  vcpkg ${project_dir} your_program
  -DMILLPOND_WAY=find_package -DCMAKE_PREFIX_PATH=${work_dir}/vcpkg_port/installed
)
set_tests_properties(
  consumer.vcpkg PROPERTIES FIXTURES_REQUIRED "millpond_vendored;millpond_vcpkg_port"
)

millpond_add_consumer_test(
  vcpkg_compiled_port
  ${CMAKE_COMMAND} -DSOURCE_DIR=${PROJECT_SOURCE_DIR} -DWORK_DIR=${work_dir}/vcpkg_compiled_port
  -DCXX_COMPILER=${CMAKE_CXX_COMPILER} -DFEATURES=compiled
  -P ${CMAKE_CURRENT_LIST_DIR}/vcpkg_port.cmake
)
set_tests_properties(
  consumer.vcpkg_compiled_port PROPERTIES FIXTURES_SETUP millpond_vcpkg_compiled_port
)
millpond_add_consumer_build(
  vcpkg_compiled ${project_dir} your_program
  -DMILLPOND_WAY=compiled_and_installed
  -DCMAKE_PREFIX_PATH=${work_dir}/vcpkg_compiled_port/installed
)
set_tests_properties(
  consumer.vcpkg_compiled
  PROPERTIES FIXTURES_REQUIRED "millpond_vendored;millpond_vcpkg_compiled_port"
)

foreach(recipe IN ITEMS conan conan_compiled conan_center)
  millpond_add_consumer_script(
    ${recipe}
    ${CMAKE_CURRENT_LIST_DIR}/conan_create.py ${recipe} ${PROJECT_SOURCE_DIR} ${project_dir}
    ${work_dir}/conan ${CMAKE_CXX_COMPILER} ${CMAKE_GENERATOR}
  )
  # One environment for all.
  set_tests_properties(
    consumer.${recipe} PROPERTIES RESOURCE_LOCK conan FIXTURES_REQUIRED millpond_vendored
  )
endforeach()

millpond_add_consumer_script(
  single_header_is_current ${PROJECT_SOURCE_DIR}/packaging/single_header.py --check
)

millpond_add_consumer_build(
  odr ${CMAKE_CURRENT_LIST_DIR}/../odr "${CMAKE_CTEST_COMMAND};-C;Debug;--output-on-failure"
  -DMILLPOND_SOURCE_TREE=${PROJECT_SOURCE_DIR}
)

foreach(header IN ITEMS include/millpond/millpond.hpp include/millpond/coroutine.hpp)
  cmake_path(GET header STEM name)
  millpond_add_consumer_test(
    includes_of_${name}
    ${CMAKE_COMMAND} -P ${CMAKE_CURRENT_LIST_DIR}/check_includes.cmake --
    ${PROJECT_SOURCE_DIR}/${header} ${CMAKE_CXX_COMPILER} ${flags}
  )
endforeach()

# Releases are refused by name: a script that fails for another reason is no refusal.
set(check_tag ${PROJECT_SOURCE_DIR}/packaging/check_tag.py)
millpond_add_consumer_script(release_tag ${check_tag} v${PROJECT_VERSION})
foreach(tag IN ITEMS ${PROJECT_VERSION} v${PROJECT_VERSION}.1 v99.0.0)
  millpond_add_consumer_script(release_tag_refused_${tag} ${check_tag} ${tag})
  set_tests_properties(
    consumer.release_tag_refused_${tag}
    PROPERTIES PASS_REGULAR_EXPRESSION "refused: the tag is ${tag}"
  )
endforeach()

millpond_add_consumer_script(
  workflows
  ${CMAKE_CURRENT_LIST_DIR}/check_workflows.py ${PROJECT_SOURCE_DIR} ${work_dir}/check_jsonschema
)
