# peal_flags     how peal's own sources are compiled
# peal_program   the same, and how its programs are linked
# Linked PRIVATE, and the second by programs alone: a library would hand its
# link options on to whoever uses it.
include(CheckCCompilerFlag)
include(CheckPIESupported)
check_pie_supported()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS OFF)

add_library(peal_flags INTERFACE)
target_compile_definitions(peal_flags INTERFACE
  _GNU_SOURCE= PEAL_VERSION="${PROJECT_VERSION}")
target_compile_options(peal_flags INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wpointer-arith -Wwrite-strings -Wvla -Wformat=2
  # A compiler that knows more warnings must not stop a maker's build.
  $<$<BOOL:${PROJECT_IS_TOP_LEVEL}>:-Werror>
  -ffunction-sections -fdata-sections -fvisibility=hidden)

add_library(peal_program INTERFACE)
target_link_libraries(peal_program INTERFACE peal_flags)
target_link_options(peal_program INTERFACE
  # Immediate binding costs nothing measurable at start, and makes the
  # relocation tables read-only.
  -Wl,--as-needed -Wl,--gc-sections -Wl,-z,relro,-z,now)

if(PEAL_SANITIZE)
  set(sanitize -fsanitize=${PEAL_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_compile_options(peal_flags INTERFACE ${sanitize}
    $<$<BOOL:${PEAL_FUZZ}>:-fsanitize=fuzzer-no-link>)
  target_link_options(peal_program INTERFACE ${sanitize})
else()
  target_compile_options(peal_flags INTERFACE -fstack-protector-strong
    $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE>
    $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
  foreach(flag -fstack-clash-protection -fcf-protection
      -mbranch-protection=standard)
    string(MAKE_C_IDENTIFIER "peal_has${flag}" known)
    check_c_compiler_flag(${flag} ${known})
    if(${known})
      target_compile_options(peal_flags INTERFACE ${flag})
    endif()
  endforeach()
endif()

