# The interpreter for the specs, C tests, benches and fuzz programs. A file in
# tests/c, tests/bench or tests/fuzz is a program of that name.
enable_testing()

# c_programs(FOLDER PATTERN LIBRARY): one program a file; their names in
# `programs`. Those that need Lua and the scripts are listed: the others see
# the core alone.
set(with_bindings fuzz_plain fuzz_rule plain_test)
macro(c_programs folder pattern library)
  file(GLOB sources CONFIGURE_DEPENDS tests/${folder}/${pattern}.c)
  set(programs)
  foreach(source ${sources})
    cmake_path(GET source STEM name)
    set(linked ${library})
    if(name IN_LIST with_bindings OR name MATCHES "^host_")
      set(linked peal_bindings)
    endif()
    add_executable(${name} ${source})
    target_compile_definitions(${name} PRIVATE
      PEAL_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    target_include_directories(${name} PRIVATE runtime)
    target_link_libraries(${name} PRIVATE
      ${linked} peal_core_deps peal_program)
    set_target_properties(${name} PROPERTIES
      RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/${folder})
    list(APPEND programs ${name})
  endforeach()
endmacro()

if(PEAL_FUZZ)
  c_programs(fuzz fuzz_* peal_runtime)
  foreach(name ${programs})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  endforeach()
  return()
endif()

file(GLOB support_sources CONFIGURE_DEPENDS tests/support/*.c)
add_executable(peal-lua tests/interpreter.c ${support_sources})
target_include_directories(peal-lua PRIVATE tests)
target_compile_definitions(peal-lua PRIVATE
  PEAL_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_link_libraries(peal-lua PRIVATE peal_bindings peal_program)
set_target_properties(peal-lua PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)

c_programs(c *_test peal_runtime)
foreach(name ${programs})
  add_test(NAME ${name} COMMAND ${name}
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
endforeach()

c_programs(bench * peal_bindings)
add_custom_target(bench)
foreach(name ${programs})
  set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
  add_dependencies(bench ${name})
endforeach()
