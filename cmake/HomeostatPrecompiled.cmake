# Reading the standard headers takes most of the time of a build. Clang reads them once for the libraries and once, with
# the test framework, for the test programs. The sources go on including what they use: the g++ build and the check of
# the headers go without. -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON turns it off.
set(homeostat_common_headers <algorithm> <chrono> <expected> <functional> <map> <memory> <optional> <set> <string>
  <string_view> <variant> <vector>)
if(HOMEOSTAT_SHELL)
  list(APPEND homeostat_common_headers <fmt/format.h>)
  set(homeostat_common_libraries fmt::fmt)
endif()
# CMake's own form also includes the header by its whole path, which differs from clone to clone: the cache would miss.
set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -include-pch <PCH_FILE>)

# homeostat_precompile(TARGET HEADERS...): a target with nothing in it but precompiled headers, which others use.
function(homeostat_precompile target)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/${target}.cc CONTENT "int main() {}\n")
  target_sources(${target} PRIVATE ${CMAKE_BINARY_DIR}/${target}.cc)
  target_link_libraries(${target} PRIVATE homeostat_flags ${homeostat_common_libraries})
  target_precompile_headers(${target} PRIVATE ${ARGN})
  target_compile_options(${target} PRIVATE -Xclang -fno-pch-timestamp)
  # ccache compares this file instead of the precompiled one, which names the folder it was made in. Whether a header
  # has changed it knows from what each source depends on.
  string(SHA256 described "${ARGN};${CMAKE_CXX_COMPILER_VERSION}")
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/CMakeFiles/${target}.dir/cmake_pch.hxx.pch.sum CONTENT "${described}\n")
endfunction()

function(homeostat_reuse_precompiled folder)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target ${targets})
    get_target_property(kind ${target} TYPE)
    get_target_property(libraries ${target} LINK_LIBRARIES)
    if(NOT libraries MATCHES "homeostat_flags" OR target MATCHES "^homeostat_precompiled")
      continue()
    elseif(kind STREQUAL "STATIC_LIBRARY")
      target_precompile_headers(${target} REUSE_FROM homeostat_precompiled)
    elseif(libraries MATCHES "GTest")
      target_precompile_headers(${target} REUSE_FROM homeostat_precompiled_gtest)
    endif()
  endforeach()
  get_property(folders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(inner ${folders})
    homeostat_reuse_precompiled(${inner})
  endforeach()
endfunction()

# Called when all targets are known.
function(homeostat_precompile_headers)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    return()
  endif()
  add_library(homeostat_precompiled STATIC)
  homeostat_precompile(homeostat_precompiled ${homeostat_common_headers})
  if(HOMEOSTAT_TESTS)
    find_package(GTest REQUIRED)
    add_executable(homeostat_precompiled_gtest)
    target_link_libraries(homeostat_precompiled_gtest PRIVATE GTest::gtest)
    homeostat_precompile(homeostat_precompiled_gtest ${homeostat_common_headers} <gtest/gtest.h>)
  endif()
  homeostat_reuse_precompiled(${CMAKE_SOURCE_DIR})
endfunction()
