# Who may include whom, how long a file and a function may be, and where platform conditionals may
# stand. Run with -DROOT=<folder>; fails with a line for each violation.
cmake_minimum_required(VERSION 3.25)

set(STD "<[a-z_]+>")
set(CAPNP "<(capnp|kj)/[^>]+>")
set(SCHEMA_CODE "<(lwmsg/lwmsg|schema/(wire|archive))\\.capnp\\.h>")
set(LWMSG "\"lwmsg/[^\"]+\"")
set(OS "<([a-z]+/)?[a-z_0-9]+\\.h>")

# A folder's rule: what its #include lines (a schema's imports) may name. The first folder that matches
# counts.
set(rules
  "lwmsg=^(${STD}|${CAPNP}|<tl/expected\\.hpp>|${SCHEMA_CODE}|${LWMSG})$"
  "runtime/posix=^(${STD}|${CAPNP}|${OS}|${LWMSG}|\"runtime/[a-z_]+\\.h\"|\"runtime/posix/.+\")$"
  "runtime/windows=^(${STD}|${CAPNP}|${OS}|${LWMSG}|\"runtime/[a-z_]+\\.h\"|\"runtime/windows/.+\")$"
  "runtime/simulation=^(${STD}|${CAPNP}|${SCHEMA_CODE}|${LWMSG}|\"runtime/[a-z_]+\\.h\"|\"runtime/simulation/.+\")$"
  "runtime=^(${STD}|${CAPNP}|${SCHEMA_CODE}|<uv\\.h>|${LWMSG}|\"runtime/[a-z_]+\\.h\")$"
  "codegen/posix=^(${STD}|${OS}|\"[a-z_]+\\.h\")$"
  "codegen/windows=^(${STD}|${OS}|\"[a-z_]+\\.h\")$"
  "codegen=^(${STD}|${CAPNP}|<lwmsg/lwmsg\\.capnp\\.h>|\"[a-z_]+\\.h\")$"
  "examples=^(${STD}|${CAPNP}|${OS}|<CLI/CLI\\.hpp>|<[a-z_]+\\.lwmsg\\.h>|\"[a-z_]+(\\.lwmsg)?\\.h\")$"
  "schema=^\"/capnp/.+\"$")
# What the rules above would let through: those headers that users include must not show the wire, and
# examples must not need libuv.
set(forbidden
  "lwmsg/[a-z_]+\\.h$=(wire|archive)\\.capnp\\.h"
  "examples/=<uv\\.h>")

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

# clang-tidy counts the functions of the library; this is for tests and examples too. As the files are
# formatted, a function outside a class goes from a line that starts at the margin to a lone brace there.
function(check_functions file text)
  # What CMake would take for the syntax of a list.
  string(REGEX REPLACE "[];[\\\\]" "_" text "${text}")
  string(REPLACE "\n" ";" lines "${text}")
  set(number 0)
  set(start 0)
  foreach(line IN LISTS lines)
    math(EXPR number "${number} + 1")
    if(line STREQUAL "}")
      math(EXPR length "${number} - ${start} + 1")
      if(length GREATER 60)
        list(APPEND violations "${file}: a function of ${length} lines at line ${start}, at most 60")
      endif()
    elseif(line MATCHES "^[A-Za-z_]")
      set(start ${number})
    endif()
  endforeach()
  set(violations "${violations}" PARENT_SCOPE)
endfunction()

function(check_file file)
  file(READ ${ROOT}/${file} text)
  string(REGEX MATCHALL "\n" newlines "${text}")
  list(LENGTH newlines lines)
  if(lines GREATER 500)
    list(APPEND violations "${file}: ${lines} lines, at most 500")
  endif()
  if(NOT file MATCHES "^runtime/(posix|windows)/" AND NOT file STREQUAL "lwmsg/os_handle.h" AND
     text MATCHES "#[ \t]*(el)?if[^\n]*(_WIN32|_WIN64|__linux__|__unix__|__APPLE__|__FreeBSD__)")
    list(APPEND violations "${file}: a platform conditional outside the platform folders")
  endif()
  if(NOT file MATCHES "\\.capnp$")
    check_functions(${file} "${text}")
  endif()
  file(STRINGS ${ROOT}/${file} includes REGEX "^[ \t]*#[ \t]*include|^[^#]*import[ \t]*\"")
  foreach(line IN LISTS includes)
    if(file MATCHES "\\.capnp$")
      string(REGEX REPLACE "^.*import[ \t]*(\"[^\"]*\").*$" "\\1" include "${line}")
    elseif(line MATCHES "include[ \t]*([<\"][^>\"]+[>\"])")
      set(include "${CMAKE_MATCH_1}")
    else()
      continue()
    endif()
    check_include(${file} "${include}")
  endforeach()
  set(violations "${violations}" PARENT_SCOPE)
endfunction()

set(patterns schema/*.capnp)
foreach(folder lwmsg runtime codegen examples tests)
  list(APPEND patterns ${folder}/*.h ${folder}/*.cc)
endforeach()
list(TRANSFORM patterns PREPEND ${ROOT}/)
file(GLOB_RECURSE files RELATIVE ${ROOT} ${patterns})
# Violations on purpose, and what the generator writes.
list(FILTER files EXCLUDE REGEX "^tests/(layering/violations|codegen/golden)/")
list(LENGTH files count)
if(count EQUAL 0)
  message(FATAL_ERROR "no source files under ${ROOT}")
endif()
foreach(file IN LISTS files)
  check_file(${file})
endforeach()
if(violations)
  foreach(violation IN LISTS violations)
    message(NOTICE "${violation}")
  endforeach()
  message(FATAL_ERROR "the layering is broken")
endif()
