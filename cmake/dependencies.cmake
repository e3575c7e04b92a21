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

# The program finds a library's archive faster than the library itself: on
# Debian 12 the dynamic linker takes 1.7 ms for these four and what they bring
# along (libxml2: ICU, liblzma, libstdc++), half of a short command's time.
#   archive_of(OUT IMPORTED NAME): the archive where there is one, else the
#   library that pkg-config names
function(archive_of out imported name)
  if(PEAL_STATIC_LIBS)
    find_library(PEAL_ARCHIVE_${name} NAMES lib${name}.a)
  endif()
  if(PEAL_STATIC_LIBS AND PEAL_ARCHIVE_${name})
    set(${out} ${PEAL_ARCHIVE_${name}} PARENT_SCOPE)
  else()
    set(${out} ${imported} PARENT_SCOPE)
  endif()
endfunction()

archive_of(xml PkgConfig::PEAL_XML xml2)
archive_of(uv PkgConfig::PEAL_UV uv_a)
archive_of(ares PkgConfig::PEAL_ARES cares)
archive_of(zlib PkgConfig::PEAL_ZLIB z)
# An archive of libxml2 that wants more than no_icu.c has is left alone.
find_path(PEAL_ICU_INCLUDE unicode/ucnv.h)
if(NOT xml MATCHES "::")
  try_compile(PEAL_XML_ARCHIVE_LINKS
    SOURCE_FROM_CONTENT main.c "int xmlParseChunk(void); \
int main(void) { return xmlParseChunk(); }"
    SOURCES ${CMAKE_CURRENT_LIST_DIR}/no_icu.c
    CMAKE_FLAGS -DINCLUDE_DIRECTORIES=${PEAL_ICU_INCLUDE}
    LINK_LIBRARIES ${xml} ${zlib} ${CMAKE_DL_LIBS} m)
  if(PEAL_XML_ARCHIVE_LINKS)
    add_library(peal_no_icu STATIC ${CMAKE_CURRENT_LIST_DIR}/no_icu.c)
    target_include_directories(peal_no_icu SYSTEM PRIVATE
      ${PEAL_ICU_INCLUDE})
    list(APPEND xml peal_no_icu)
  else()
    set(xml PkgConfig::PEAL_XML)
  endif()
endif()

find_package(Threads REQUIRED)
add_library(peal_core_deps INTERFACE)
# First in the order of search: an older mbedTLS may lie in a system folder.
target_include_directories(peal_core_deps SYSTEM BEFORE INTERFACE
  ${tls_include})
target_include_directories(peal_core_deps SYSTEM INTERFACE
  ${PEAL_XML_INCLUDE_DIRS} ${PEAL_UV_INCLUDE_DIRS} ${PEAL_ARES_INCLUDE_DIRS}
  ${PEAL_ZLIB_INCLUDE_DIRS})
target_link_libraries(peal_core_deps INTERFACE ${tls_libraries}
  ${xml} ${uv} ${ares} ${zlib} Threads::Threads ${CMAKE_DL_LIBS} m)

add_library(peal_lua ALIAS PkgConfig::PEAL_LUA)
