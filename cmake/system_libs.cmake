# The system's libcurl and mbedTLS: found, and proved to fit together.
# Sets tls_include and tls_libraries.
find_path(PEAL_CURL_INCLUDE curl/curl.h)
find_library(PEAL_CURL_LIBRARY curl)
find_path(PEAL_MBEDTLS_INCLUDE mbedtls/ssl.h)
foreach(part tls x509 crypto)
  find_library(PEAL_MBED${part}_LIBRARY mbed${part})
  list(APPEND mbedtls_libraries ${PEAL_MBED${part}_LIBRARY})
endforeach()

set(why "Run ./setup and configure without PEAL_SYSTEM_LIBS, or point \
CMAKE_PREFIX_PATH at")

# --- mbedTLS ---
if(NOT PEAL_MBEDTLS_INCLUDE OR mbedtls_libraries MATCHES "NOTFOUND")
  message(FATAL_ERROR
    "there is no mbedTLS for development here. ${why} mbedTLS 3.6.")
endif()
set(version unknown)
foreach(header build_info.h version.h) # 3.x, 2.x
  set(header ${PEAL_MBEDTLS_INCLUDE}/mbedtls/${header})
  if(EXISTS ${header})
    file(STRINGS ${header} line REGEX "define MBEDTLS_VERSION_STRING +")
    if(line MATCHES "\"([0-9.]+)\"")
      set(version ${CMAKE_MATCH_1})
      break()
    endif()
  endif()
endforeach()
if(NOT version MATCHES "^3\\." OR version VERSION_LESS 3.6)
  message(FATAL_ERROR
    "peal needs mbedTLS 3.6, the system's is ${version} "
    "(${PEAL_MBEDTLS_INCLUDE}). ${why} mbedTLS 3.6.")
endif()
if(version VERSION_EQUAL 3.6.6)
  message(WARNING
    "mbedTLS 3.6.6, unless its packager has mended that, refuses TLS 1.2 "
    "servers that sign with RSA-PSS: \"-0x6600\" (Mbed-TLS pull request "
    "10674). setup mends it in the one it builds.")
endif()

# --- libcurl ---
if(NOT PEAL_CURL_INCLUDE OR NOT PEAL_CURL_LIBRARY)
  message(FATAL_ERROR "there is no libcurl for development here. ${why} "
    "one built with mbedTLS.")
endif()
if(CMAKE_CROSSCOMPILING)
  # The library cannot run here. peal asks it again at start.
  find_program(PEAL_CURL_CONFIG curl-config)
  if(PEAL_CURL_CONFIG)
    execute_process(COMMAND ${PEAL_CURL_CONFIG} --ssl-backends
      OUTPUT_VARIABLE backend OUTPUT_STRIP_TRAILING_WHITESPACE)
  else()
    message(FATAL_ERROR "the target's curl-config is not there to say "
      "which TLS its libcurl uses: set PEAL_CURL_CONFIG.")
  endif()
  set(wanted "^mbedTLS$")
else()
  try_run(ran compiled SOURCE_FROM_CONTENT backend.c [[
#include <curl/curl.h>
#include <stdio.h>
int main(void)
{
	puts(curl_version_info(CURLVERSION_NOW)->ssl_version);
	return 0;
}
]]
    LINK_LIBRARIES ${PEAL_CURL_LIBRARY}
    CMAKE_FLAGS -DINCLUDE_DIRECTORIES=${PEAL_CURL_INCLUDE}
    RUN_OUTPUT_VARIABLE backend COMPILE_OUTPUT_VARIABLE output)
  if(NOT compiled OR NOT ran EQUAL 0)
    message(FATAL_ERROR
      "a program with the system's libcurl does not build or run:\n"
      "${output}${backend}")
  endif()
  string(STRIP "${backend}" backend)
  # Several backends: the one not in parentheses is in use.
  set(wanted "(^| )mbedTLS/")
endif()
if(NOT backend MATCHES "${wanted}")
  message(FATAL_ERROR
    "peal needs libcurl on mbedTLS, the system's (${PEAL_CURL_LIBRARY}) "
    "uses ${backend}. ${why} one built with mbedTLS.")
endif()

set(tls_include ${PEAL_CURL_INCLUDE} ${PEAL_MBEDTLS_INCLUDE})
set(tls_libraries ${PEAL_CURL_LIBRARY} ${mbedtls_libraries})
message(STATUS "System libraries: mbedTLS ${version}, libcurl on ${backend}")
