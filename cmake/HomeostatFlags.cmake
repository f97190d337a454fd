# One place for every compiler and linker flag. The interface target `homeostat_flags` is private to our own targets.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
# -O3 buys this program nothing measurable and costs build time.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-Og -g")
# For the sanitizers: symbolised, line-exact reports. Optimising what they have instrumented takes twice the time.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O0 -g1")
# Millions of executions pay for it.
set(CMAKE_CXX_FLAGS_FUZZ "-O1 -g1")

find_program(CCACHE ccache)
if(CCACHE)
  # The cache is shared by all clones of this tree; the last two are for precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
    CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_PCH_EXTSUM=1 ${CCACHE})
endif()

add_library(homeostat_flags INTERFACE)
# Floating point must give the same bits under every compiler: no contraction into fused operations.
target_compile_options(homeostat_flags INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
  -ffp-contract=off -fno-omit-frame-pointer -pthread)
target_compile_definitions(homeostat_flags INTERFACE _GLIBCXX_ASSERTIONS)

if(HOMEOSTAT_PLANTED_BUGS)
  target_compile_definitions(homeostat_flags INTERFACE HOMEOSTAT_PLANTED_BUGS)
endif()
if(HOMEOSTAT_SANITIZE)
  target_compile_options(homeostat_flags INTERFACE -fsanitize=${HOMEOSTAT_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(homeostat_flags INTERFACE -fsanitize=${HOMEOSTAT_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(homeostat_flags INTERFACE
    -fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    target_compile_options(homeostat_flags INTERFACE -fcf-protection)
  endif()
  target_link_options(homeostat_flags INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_link_options(homeostat_flags INTERFACE -fuse-ld=lld -Wl,--build-id=sha1)
endif()

if(HOMEOSTAT_SHELL)
  find_package(fmt REQUIRED)  # used by every room that does I/O
endif()
