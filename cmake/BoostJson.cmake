# Boost.JSON, compiled once for all the rooms that use it.
find_package(Boost 1.81 REQUIRED)
file(WRITE ${CMAKE_BINARY_DIR}/boost_json.cc "#include <boost/json/src.hpp>\n")
add_library(boost_json STATIC ${CMAKE_BINARY_DIR}/boost_json.cc)
target_link_libraries(boost_json PUBLIC Boost::headers)
