# peal_core_deps  what runtime/ stands on
# peal_lua        Lua 5.4
#
# libcurl and mbedTLS come from .deps, where setup builds them, or with
# PEAL_SYSTEM_LIBS from the system: then they are proved to be a pair that
# works, since any other TLS backend would hand our hook a foreign pointer.
find_package(PkgConfig REQUIRED)
pkg_check_modules(PEAL_XML REQUIRED IMPORTED_TARGET libxml-2.0)
pkg_check_modules(PEAL_UV REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(PEAL_ARES REQUIRED IMPORTED_TARGET libcares)
pkg_check_modules(PEAL_ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_search_module(PEAL_LUA REQUIRED IMPORTED_TARGET
  lua5.4 lua-5.4 lua54 lua>=5.4)
if(NOT PEAL_LUA_VERSION MATCHES "^5\\.4")
  message(FATAL_ERROR "peal needs Lua 5.4, this is ${PEAL_LUA_VERSION}")
endif()

if(PEAL_SYSTEM_LIBS)
  include(${CMAKE_CURRENT_LIST_DIR}/system_libs.cmake)
else()
  set(deps ${PROJECT_SOURCE_DIR}/.deps)
  if(NOT EXISTS ${deps}/stamp)
    message(FATAL_ERROR
      "libcurl and mbedTLS are not built yet: run ./setup in "
      "${PROJECT_SOURCE_DIR} (or set PEAL_SYSTEM_LIBS=ON where the system "
      "has libcurl on mbedTLS 3.6).")
  endif()
  set(tls_include ${deps}/include)
  set(tls_libraries ${deps}/lib/libcurl.a ${deps}/lib/libmbedtls.a
    ${deps}/lib/libmbedx509.a ${deps}/lib/libmbedcrypto.a)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
    ${deps}/stamp)
endif()

find_package(Threads REQUIRED)
add_library(peal_core_deps INTERFACE)
# First in the order of search: an older mbedTLS may lie in a system folder.
target_include_directories(peal_core_deps SYSTEM BEFORE INTERFACE
  ${tls_include})
target_link_libraries(peal_core_deps INTERFACE ${tls_libraries}
  PkgConfig::PEAL_XML PkgConfig::PEAL_UV PkgConfig::PEAL_ARES
  PkgConfig::PEAL_ZLIB Threads::Threads m)

add_library(peal_lua ALIAS PkgConfig::PEAL_LUA)
