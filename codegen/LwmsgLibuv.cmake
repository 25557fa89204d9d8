# libuv as lwmsg uses it: target LibUV::LibUV. By pkg-config, but on Windows, where not every libuv comes with that: there
# the library itself, static (uv_a) or not, and what a static one needs of the system.
include_guard(DIRECTORY)

if(NOT TARGET LibUV::LibUV)
  add_library(LibUV::LibUV INTERFACE IMPORTED)
  if(WIN32)
    find_path(LWMSG_LIBUV_INCLUDE_DIR uv.h REQUIRED)
    find_library(LWMSG_LIBUV_LIBRARY NAMES uv_a libuv_a uv libuv REQUIRED)
    file(STRINGS ${LWMSG_LIBUV_INCLUDE_DIR}/uv/version.h lwmsg_libuv_version REGEX "define UV_VERSION_M[A-Z]+ ")
    string(REGEX REPLACE "[^0-9]+([0-9]+)[^0-9]+([0-9]+).*" "\\1.\\2" lwmsg_libuv_version "${lwmsg_libuv_version}")
    if(lwmsg_libuv_version VERSION_LESS 1.44)
      message(FATAL_ERROR "lwmsg needs libuv 1.44, not ${lwmsg_libuv_version}: ${LWMSG_LIBUV_INCLUDE_DIR}/uv.h")
    endif()
    target_include_directories(LibUV::LibUV INTERFACE ${LWMSG_LIBUV_INCLUDE_DIR})
    target_link_libraries(LibUV::LibUV INTERFACE
      ${LWMSG_LIBUV_LIBRARY} psapi user32 advapi32 iphlpapi userenv ws2_32 dbghelp ole32 shell32)
  else()
    find_package(PkgConfig REQUIRED)
    pkg_check_modules(lwmsg_libuv REQUIRED IMPORTED_TARGET libuv>=1.44)
    target_link_libraries(LibUV::LibUV INTERFACE PkgConfig::lwmsg_libuv)
  endif()
endif()
