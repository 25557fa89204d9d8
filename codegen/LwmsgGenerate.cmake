# lwmsg_generate(TARGET <target> [IMPORT_DIRS <dir>...] <file.capnp>...)
#
# Compiles schemas into <target>, a library or an executable: what Cap'n Proto makes of them
# (FILE.capnp.h) and the services and clients of their interfaces (FILE.lwmsg.h). Include those by the
# path that FILE has under the current source folder. Whoever links <target> can include them too.
#
# IMPORT_DIRS are where `import "/..."` looks, besides the folders of lwmsg and of Cap'n Proto. What is
# imported from another target's schemas needs that target linked.
#
# Works alike with lwmsg as a part of the build and with an installed lwmsg. Variables:
#   LWMSG_SCHEMA_DIR  folder that holds lwmsg/lwmsg.capnp; set by lwmsg.
#   LWMSG_CAPNPC      a capnpc-lwmsg that runs on this machine; set it to cross-compile.

# In `out`, the schema files that `file` imports, also indirectly, as far as they are found in `dirs`.
# This is read again whenever one of them changes.
function(_lwmsg_imports out file dirs)
  set(seen)
  set(queue ${file})
  while(queue)
    list(POP_FRONT queue current)
    if(current IN_LIST seen)
      continue()
    endif()
    list(APPEND seen ${current})
    # In the build of lwmsg itself, those are made by the build.
    string(FIND ${current} ${LWMSG_SCHEMA_DIR}/ at)
    if(NOT at EQUAL 0)
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${current})
    endif()
    get_filename_component(folder ${current} DIRECTORY)
    file(STRINGS ${current} lines REGEX "import[ \t]*\"")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE ".*import[ \t]*\"([^\"]*)\".*" "\\1" import "${line}")
      if(import MATCHES "^/")
        set(candidates ${dirs})
        list(TRANSFORM candidates APPEND "${import}")
      else()
        set(candidates ${folder}/${import})
      endif()
      foreach(candidate IN LISTS candidates)
        if(EXISTS ${candidate})
          get_filename_component(candidate ${candidate} ABSOLUTE)
          list(APPEND queue ${candidate})
          break()
        endif()
      endforeach()
    endforeach()
  endwhile()
  set(${out} ${seen} PARENT_SCOPE)
endfunction()

function(_lwmsg_check_call target files)
  set(usage "call it as lwmsg_generate(TARGET <target> [IMPORT_DIRS <dir>...] <file.capnp>...)")
  if(NOT target)
    message(FATAL_ERROR "lwmsg_generate: no TARGET given; ${usage}")
  endif()
  if(NOT TARGET ${target})
    message(FATAL_ERROR "lwmsg_generate: there is no target \"${target}\" yet; "
                        "put add_library(${target} ...) or add_executable(${target} ...) before it")
  endif()
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    message(FATAL_ERROR "lwmsg_generate: \"${target}\" is an INTERFACE library, which compiles nothing; "
                        "make it a STATIC, SHARED or OBJECT library")
  endif()
  if(NOT files)
    message(FATAL_ERROR "lwmsg_generate: no schema file given for \"${target}\"; ${usage}")
  endif()
  if(CMAKE_CROSSCOMPILING AND NOT LWMSG_CAPNPC)
    message(FATAL_ERROR "lwmsg_generate: set LWMSG_CAPNPC to a capnpc-lwmsg that runs on this machine, not on "
                        "${CMAKE_SYSTEM_NAME}; a build of lwmsg for this machine has it")
  endif()
  if(NOT LWMSG_SCHEMA_DIR)
    message(FATAL_ERROR "lwmsg_generate: LWMSG_SCHEMA_DIR is not set; use find_package(lwmsg), or "
                        "set it to the folder that holds lwmsg/lwmsg.capnp")
  endif()
endfunction()

function(_lwmsg_generate_file target out_dir file imports)
  set(source ${CMAKE_CURRENT_SOURCE_DIR})
  file(RELATIVE_PATH path ${source} ${file})
  if(NOT EXISTS ${file})
    message(FATAL_ERROR "lwmsg_generate: ${file} does not exist; name schema files relative to ${source}")
  endif()
  if(path MATCHES "^\\.\\./" OR IS_ABSOLUTE ${path})
    message(FATAL_ERROR "lwmsg_generate: ${file} is not under ${source}; call lwmsg_generate from the "
                        "CMakeLists.txt of a folder above the file")
  endif()
  if(NOT path MATCHES "\\.capnp$")
    message(FATAL_ERROR "lwmsg_generate: ${file} is no schema; the name must end in .capnp")
  endif()
  if(LWMSG_CAPNPC)
    set(plugin ${LWMSG_CAPNPC})
    set(plugin_file ${LWMSG_CAPNPC})
  else()
    set(plugin lwmsg::capnpc-lwmsg)
    set(plugin_file $<TARGET_FILE:lwmsg::capnpc-lwmsg>)
  endif()
  _lwmsg_imports(depends ${file} "${imports}")
  list(TRANSFORM imports PREPEND "-I")
  string(REGEX REPLACE "\\.capnp$" "" stem ${out_dir}/${path})
  add_custom_command(
    OUTPUT ${stem}.capnp.h ${stem}.capnp.c++ ${stem}.lwmsg.h ${stem}.lwmsg.cc
    COMMAND ${CMAKE_COMMAND} -E make_directory ${out_dir}
    COMMAND ${CMAKE_COMMAND} -E env LWMSG_SOURCE_DIR=${source}
            $<TARGET_FILE:CapnProto::capnp_tool> compile ${imports} --src-prefix=${source}
            -o${plugin_file}:${out_dir} -o$<TARGET_FILE:CapnProto::capnpc_cpp>:${out_dir} ${file}
    DEPENDS ${depends} ${plugin}
    COMMENT "Generating the lwmsg code of ${path}"
    VERBATIM)
  target_sources(${target} PRIVATE ${stem}.capnp.c++ ${stem}.lwmsg.cc ${stem}.capnp.h ${stem}.lwmsg.h)
  if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
    set_property(SOURCE ${stem}.capnp.c++ APPEND PROPERTY COMPILE_OPTIONS -w)
  endif()
endfunction()

function(lwmsg_generate)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "TARGET" "IMPORT_DIRS")
  # The files follow the last directory of IMPORT_DIRS, and only their names tell them apart.
  set(files ${arg_UNPARSED_ARGUMENTS})
  set(import_dirs)
  foreach(word IN LISTS arg_IMPORT_DIRS)
    if(word MATCHES "\\.capnp$")
      list(APPEND files ${word})
    else()
      get_filename_component(word ${word} ABSOLUTE)
      list(APPEND import_dirs ${word})
    endif()
  endforeach()
  _lwmsg_check_call("${arg_TARGET}" "${files}")
  # Imported targets are only seen under the folder that asked for them; lwmsg may have been another.
  include(${CMAKE_CURRENT_FUNCTION_LIST_DIR}/LwmsgCapnProto.cmake)

  # Each target has its own copy, so that two may use one schema.
  set(out_dir ${CMAKE_CURRENT_BINARY_DIR}/lwmsg_gen/${arg_TARGET})
  set(imports ${LWMSG_SCHEMA_DIR} ${CAPNP_INCLUDE_DIRECTORY} ${import_dirs} ${CMAKE_CURRENT_SOURCE_DIR})
  foreach(file IN LISTS files)
    get_filename_component(file ${file} ABSOLUTE)
    _lwmsg_generate_file(${arg_TARGET} ${out_dir} ${file} "${imports}")
  endforeach()
  target_include_directories(${arg_TARGET} SYSTEM PUBLIC $<BUILD_INTERFACE:${out_dir}>)
  target_link_libraries(${arg_TARGET} PUBLIC lwmsg::lwmsg CapnProto::capnp-rpc)
endfunction()
