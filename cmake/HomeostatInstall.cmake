# `cmake --install` puts the embeddable library where find_package(Homeostat) finds it: target Homeostat::homeostat.
# `cmake --install BUILD --component library` installs nothing else.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set_target_properties(homeostat_core PROPERTIES EXPORT_NAME homeostat OUTPUT_NAME homeostat)
install(TARGETS homeostat_core EXPORT HomeostatTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/homeostat DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library
  FILES_MATCHING PATTERN "*.hpp")

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Homeostat)
install(EXPORT HomeostatTargets NAMESPACE Homeostat:: DESTINATION ${package_dir} COMPONENT library)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/HomeostatConfig.cmake.in
  ${CMAKE_BINARY_DIR}/HomeostatConfig.cmake INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/HomeostatConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/HomeostatConfig.cmake ${CMAKE_BINARY_DIR}/HomeostatConfigVersion.cmake
  DESTINATION ${package_dir} COMPONENT library)
