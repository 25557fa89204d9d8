# Cap'n Proto as lwmsg uses it, found by pkg-config: targets CapnProto::capnp, CapnProto::capnp-rpc,
# CapnProto::capnp_tool and CapnProto::capnpc_cpp, and CAPNP_INCLUDE_DIRECTORY, where "/capnp/c++.capnp" is.
#
# Not Cap'n Proto's own CMake package: as Debian 12 builds it, that one fails in a project without the C
# language, and asks for OpenSSL, which nothing here uses.
include_guard(DIRECTORY)
find_package(PkgConfig REQUIRED)

foreach(module capnp capnp-rpc)
  if(NOT TARGET CapnProto::${module})
    pkg_check_modules(lwmsg_${module} REQUIRED IMPORTED_TARGET ${module}>=0.9)
    add_library(CapnProto::${module} INTERFACE IMPORTED)
    target_link_libraries(CapnProto::${module} INTERFACE PkgConfig::lwmsg_${module})
    if(lwmsg_${module}_VERSION VERSION_LESS 0.10 AND
       ((CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 16) OR
        (CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)))
      target_compile_options(CapnProto::${module} INTERFACE
        "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-include ${CMAKE_CURRENT_LIST_DIR}/capnp_compat.h>")
    endif()
  endif()
endforeach()

foreach(tool capnp_tool=capnp capnpc_cpp=capnpc-c++)
  string(REPLACE "=" ";" tool ${tool})
  list(GET tool 0 target)
  list(GET tool 1 program)
  if(NOT TARGET CapnProto::${target})
    find_program(LWMSG_PROGRAM_${target} ${program} REQUIRED)
    add_executable(CapnProto::${target} IMPORTED)
    set_target_properties(CapnProto::${target} PROPERTIES
                          IMPORTED_LOCATION ${LWMSG_PROGRAM_${target}})
  endif()
endforeach()

if(NOT CAPNP_INCLUDE_DIRECTORY)
  find_path(CAPNP_INCLUDE_DIRECTORY capnp/c++.capnp REQUIRED)
endif()
