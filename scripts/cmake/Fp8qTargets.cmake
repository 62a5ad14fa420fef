# Says how every target of fp8q is declared: there is one library per folder, linked only to what
# its row in src/README.md allows.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# The files of a target are compiled several at a time: reading the headers of the standard library,
# and compiling what their templates become, takes more time than the code. Targets stay apart. OFF
# shows that every file includes what it needs.
set(CMAKE_UNITY_BUILD ON CACHE BOOL "Compile the files of a target in batches")
set(CMAKE_UNITY_BUILD_BATCH_SIZE 10)

find_program(FP8Q_CCACHE ccache)
if(FP8Q_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${FP8Q_CCACHE})
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${FP8Q_CCACHE})
endif()

include(Fp8qCuda)

add_library(fp8q_options INTERFACE)
target_compile_options(fp8q_options INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror
  -Wno-missing-field-initializers  # designated initializers leave fields at their defaults on purpose
  -ffp-contract=off>  # a product and a sum stay two roundings on every ISA unless the code says fma
  $<$<COMPILE_LANGUAGE:CUDA>:
  --expt-relaxed-constexpr -Xcompiler=-Wall -Werror=all-warnings -Xptxas=-warn-spills,-Werror>)  # a kernel that spills registers fails the build
target_include_directories(fp8q_options INTERFACE
  ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/generated)
include(Fp8qHardening)

# fp8q_library(<name> SOURCES <file>... [USES <target>...] [USES_PRIVATE <target>...])
function(fp8q_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;USES;USES_PRIVATE" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC fp8q_options ${arg_USES} PRIVATE ${arg_USES_PRIVATE})
endfunction()

# fp8q_test_program(<name> OPTIMIZED <bool> SOURCES <file>... USES <target>...): adds a GoogleTest program. A test runs about
# once per build, so optimizing it costs more time than it saves, unless the test itself computes much.
function(fp8q_test_program name)
  cmake_parse_arguments(arg "" "OPTIMIZED" "SOURCES;USES" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE fp8q_options ${arg_USES} fp8q_test_support GTest::gtest GTest::gmock GTest::gtest_main)
  if(NOT arg_OPTIMIZED)
    target_compile_options(${name} PRIVATE ${FP8Q_TEST_OPTIMIZATION})
  endif()
endfunction()
set(FP8Q_TEST_OPTIMIZATION $<$<CONFIG:Release>:-O1>)

# fp8q_gpu_test(<name> [OPTIMIZED] SOURCES <file>... USES <target>...): adds a program for a GPU as one test of ctest, which
# is skipped if there is no GPU.
function(fp8q_gpu_test name)
  cmake_parse_arguments(arg "OPTIMIZED" "" "SOURCES;USES" ${ARGN})
  fp8q_test_program(${name} OPTIMIZED ${arg_OPTIMIZED} SOURCES ${arg_SOURCES} USES ${arg_USES})
  add_test(NAME gpu.${name} COMMAND ${name})
  set_tests_properties(gpu.${name} PROPERTIES TIMEOUT 300 SKIP_REGULAR_EXPRESSION "no GPU")
endfunction()

# fp8q_test(<name> [OPTIMIZED] [TIMEOUT <seconds>] SOURCES <file>... USES <target>...): adds a GoogleTest program, whose tests
# ctest lists by name, labeled with the program's.
function(fp8q_test name)
  cmake_parse_arguments(arg "OPTIMIZED" "TIMEOUT" "SOURCES;USES" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(CMAKE_CROSSCOMPILING)  # an emulated processor is slow
    math(EXPR arg_TIMEOUT "20 * ${arg_TIMEOUT}")
  endif()
  fp8q_test_program(${name} OPTIMIZED ${arg_OPTIMIZED} SOURCES ${arg_SOURCES} USES ${arg_USES})
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT ${arg_TIMEOUT} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS ${name}
    ENVIRONMENT "FP8Q_SPIN=0")  # tests run side by side; spinning threads would starve each other
endfunction()
include(GoogleTest)
