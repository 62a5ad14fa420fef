# Makes a defect in code that reads untrusted files end the program instead of giving control to the file: each protection is
# taken where compiler, linker and libraries have it. tests/house/hardening.sh checks the program that was built.

option(FP8Q_HARDENING "Compile and link with the protections against exploitation that the compiler has" ON)
if(NOT FP8Q_HARDENING)
  return()
endif()

include(CheckCXXCompilerFlag)
include(CheckCXXSourceCompiles)
include(CheckLinkerFlag)
include(CheckPIESupported)

set(CMAKE_POSITION_INDEPENDENT_CODE ON)
check_pie_supported(LANGUAGES CXX)

# Loops that are hot and write only where their callers say do without a check of their stack. A target of such code sets the
# property FP8Q_HOT.
check_cxx_compiler_flag(-fstack-protector-strong FP8Q_HAS_STACK_PROTECTOR)
if(FP8Q_HAS_STACK_PROTECTOR)
  target_compile_options(fp8q_options INTERFACE
    $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<NOT:$<BOOL:$<TARGET_PROPERTY:FP8Q_HOT>>>>:-fstack-protector-strong>)
endif()

foreach(flag -fcf-protection -mbranch-protection=standard)  # x86; ARM
  string(MAKE_C_IDENTIFIER "FP8Q_HAS${flag}" has)
  set(CMAKE_REQUIRED_FLAGS -Werror)  # clang only warns of a flag for another processor
  check_cxx_compiler_flag(${flag} ${has})
  unset(CMAKE_REQUIRED_FLAGS)
  if(${has})
    target_compile_options(fp8q_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:${flag}>)
  endif()
endforeach()

# Checked versions of memcpy() and the like need an optimizing compiler, and sanitizers check these calls themselves.
foreach(level 3 2)
  set(CMAKE_REQUIRED_FLAGS "-O2 -Werror -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=${level}")
  check_cxx_source_compiles("#include <cstring>\nint main() {}" FP8Q_HAS_FORTIFY_${level})
  unset(CMAKE_REQUIRED_FLAGS)
  if(FP8Q_HAS_FORTIFY_${level} AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    target_compile_options(fp8q_options INTERFACE
      $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<NOT:$<CONFIG:Debug>>>:-U_FORTIFY_SOURCE>
      $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<NOT:$<CONFIG:Debug>>>:-D_FORTIFY_SOURCE=${level}>)
    break()
  endif()
endforeach()

# Tables of addresses are read-only before main(), and memory is either written or executed.
foreach(flag -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,separate-code)
  string(MAKE_C_IDENTIFIER "FP8Q_HAS${flag}" has)
  check_linker_flag(CXX ${flag} ${has})
  if(${has})
    target_link_options(fp8q_options INTERFACE ${flag})
  endif()
endforeach()
