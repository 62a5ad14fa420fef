# fp8q_embed_text(<target> NAME <identifier> FILE <file>): compiles a file into the target as
#   namespace fp8q { extern const std::string_view <identifier>; }
# The bytes are written as numbers, so no content needs quoting; the build reconfigures when the file changes.
function(fp8q_embed_text target)
  cmake_parse_arguments(arg "" "NAME;FILE" "" ${ARGN})
  get_filename_component(input "${arg_FILE}" ABSOLUTE)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${input}")
  file(READ "${input}" hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(.....................................................................................)"
         "\\1\n" bytes "${bytes}")
  set(output "${CMAKE_CURRENT_BINARY_DIR}/${arg_NAME}.cc")
  set(content "#include <string_view>\n
namespace fp8q {
namespace {
constexpr unsigned char kBytes[] = {\n${bytes}0x00};
}
extern const std::string_view ${arg_NAME};
const std::string_view ${arg_NAME}(reinterpret_cast<const char*>(kBytes), sizeof(kBytes) - 1);
}  // namespace fp8q\n")
  file(CONFIGURE OUTPUT "${output}" CONTENT "${content}" @ONLY)
  target_sources(${target} PRIVATE "${output}")
  set_source_files_properties("${output}" PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
