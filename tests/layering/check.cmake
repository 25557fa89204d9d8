# Who may include whom, how long a file may be, and where platform conditionals may stand. Run with
# -DROOT=<folder>; fails with a line for each violation.
cmake_minimum_required(VERSION 3.25)

set(STD "<[a-z_]+>")
set(CAPNP "<(capnp|kj)/[^>]+>")
set(SCHEMA_CODE "<(lwmsg/lwmsg|schema/wire)\\.capnp\\.h>")
set(LWMSG "\"lwmsg/[^\"]+\"")

# A folder's rule: what its #include lines may name. The first folder that matches counts.
set(rules
  "lwmsg/internal=^(${STD}|${CAPNP}|<tl/expected\\.hpp>|${SCHEMA_CODE}|${LWMSG})$"
  "lwmsg=^(${STD}|${CAPNP}|<tl/expected\\.hpp>|${SCHEMA_CODE}|${LWMSG})$"
  "runtime/posix=^(<.+>|${LWMSG}|\"runtime/[a-z_]+\\.h\"|\"runtime/posix/.+\")$"
  "runtime/windows=^(<.+>|${LWMSG}|\"runtime/[a-z_]+\\.h\"|\"runtime/windows/.+\")$"
  "runtime=^(${STD}|${CAPNP}|${SCHEMA_CODE}|<uv\\.h>|${LWMSG}|\"runtime/[a-z_]+\\.h\")$"
  "codegen=^(${STD}|${CAPNP}|<lwmsg/lwmsg\\.capnp\\.h>|\"[a-z_]+\\.h\")$"
  "examples=^(<[a-zA-Z_0-9/.]+>|\"[a-z_]+(\\.lwmsg)?\\.h\")$")
# Those that users include must not show the wire, and examples prove that public headers are enough.
set(forbidden
  "lwmsg/[a-z_]+\\.h$=wire\\.capnp\\.h"
  "examples/=lwmsg/internal/|runtime/|wire\\.capnp")

set(violations)

function(check_include file include)
  foreach(rule IN LISTS forbidden)
    string(REGEX MATCH "^([^=]+)=(.+)$" ignored "${rule}")
    set(path "${CMAKE_MATCH_1}")
    set(what "${CMAKE_MATCH_2}")
    if("${file}" MATCHES "^${path}" AND "${include}" MATCHES "${what}")
      list(APPEND violations "${file}: must not include ${include}")
    endif()
  endforeach()
  foreach(rule IN LISTS rules)
    string(REGEX MATCH "^([^=]+)=(.+)$" ignored "${rule}")
    set(folder "${CMAKE_MATCH_1}")
    set(allowed "${CMAKE_MATCH_2}")
    if("${file}" MATCHES "^${folder}/")
      if(NOT "${include}" MATCHES "${allowed}")
        list(APPEND violations "${file}: ${folder}/ must not include ${include}")
      endif()
      break()
    endif()
  endforeach()
  set(violations "${violations}" PARENT_SCOPE)
endfunction()

function(check_file file)
  file(READ ${ROOT}/${file} text)
  string(REGEX MATCHALL "\n" newlines "${text}")
  list(LENGTH newlines lines)
  if(lines GREATER 500 AND NOT file MATCHES "/golden/")
    list(APPEND violations "${file}: ${lines} lines, at most 500")
  endif()
  if(file MATCHES "^(lwmsg|runtime|codegen|examples|schema)/" AND
     NOT file MATCHES "^runtime/(posix|windows)/" AND NOT file STREQUAL "lwmsg/os_handle.h" AND
     text MATCHES "#[ \t]*(el)?if[^\n]*(_WIN32|__linux__|__unix__|__APPLE__)")
    list(APPEND violations "${file}: a platform conditional outside the platform folders")
  endif()
  file(STRINGS ${ROOT}/${file} includes REGEX "^#[ \t]*include")
  foreach(line IN LISTS includes)
    string(REGEX REPLACE "^#[ \t]*include[ \t]*([<\"][^>\"]+[>\"]).*$" "\\1" include "${line}")
    check_include(${file} "${include}")
  endforeach()
  set(violations "${violations}" PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE files RELATIVE ${ROOT}
     ${ROOT}/lwmsg/*.h ${ROOT}/lwmsg/*.cc ${ROOT}/runtime/*.h ${ROOT}/runtime/*.cc
     ${ROOT}/codegen/*.h ${ROOT}/codegen/*.cc ${ROOT}/examples/*.h ${ROOT}/examples/*.cc
     ${ROOT}/tests/*.h ${ROOT}/tests/*.cc)
list(LENGTH files count)
if(count EQUAL 0)
  message(FATAL_ERROR "no source files under ${ROOT}")
endif()
foreach(file IN LISTS files)
  if(NOT file MATCHES "^tests/layering/")
    check_file(${file})
  endif()
endforeach()
if(violations)
  foreach(violation IN LISTS violations)
    message(NOTICE "${violation}")
  endforeach()
  message(FATAL_ERROR "the layering is broken")
endif()
