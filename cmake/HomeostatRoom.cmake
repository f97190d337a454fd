# homeostat_room(NAME DEPS <targets>...): a folder of src/ becomes the static library homeostat_NAME, made of its *.cc;
# its *_test.cc become one test program, NAME_test. Adding a file needs no edit here.
function(homeostat_room name)
  cmake_parse_arguments(ARG "" "" "DEPS;PRIVATE;TEST_DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cc$")
  add_library(homeostat_${name} STATIC ${sources})
  target_include_directories(homeostat_${name} PUBLIC
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src>
    $<INSTALL_INTERFACE:include>)
  target_link_libraries(homeostat_${name} PUBLIC ${ARG_DEPS} PRIVATE $<BUILD_INTERFACE:homeostat_flags> ${ARG_PRIVATE})
  if(HOMEOSTAT_TESTS AND tests)
    find_package(GTest REQUIRED)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE homeostat_${name} homeostat_flags ${ARG_TEST_DEPS} GTest::gtest
      GTest::gtest_main)
  endif()
endfunction()
