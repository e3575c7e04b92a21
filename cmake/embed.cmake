# embedded_source: scripts/ and rules/ as C, made by embed.lua.
find_program(PEAL_LUA_PROGRAM NAMES lua5.4 lua54 lua)
execute_process(COMMAND ${PEAL_LUA_PROGRAM} -e "io.write(_VERSION)"
  OUTPUT_VARIABLE lua_version ERROR_QUIET)
if(NOT lua_version STREQUAL "Lua 5.4")
  message(FATAL_ERROR
    "embedding the scripts takes a lua5.4 program on the build machine; "
    "\"${PEAL_LUA_PROGRAM}\" is not one: run ./setup or set "
    "PEAL_LUA_PROGRAM.")
endif()

file(GLOB_RECURSE embedded CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
  scripts/*.lua)
file(GLOB rules CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} rules/*.lua)
list(APPEND embedded ${rules})
set(embedded_source ${PROJECT_BINARY_DIR}/embedded.c)
add_custom_command(OUTPUT ${embedded_source}
  COMMAND ${PEAL_LUA_PROGRAM} cmake/embed.lua ${PEAL_EMBED}
    ${embedded_source} ${embedded}
  DEPENDS cmake/embed.lua ${embedded}
  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
  COMMENT "Embedding scripts and rules"
  VERBATIM)
