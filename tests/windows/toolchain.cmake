# 64-bit Windows by Debian's mingw-w64, over what sysroot.sh built; programs of the build run in Wine.
#   LWMSG_WINDOWS_SYSROOT   the folder that sysroot.sh made
#   LWMSG_WINE_PREFIX       where Wine keeps its state; made when it is not there
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-posix)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)

set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES LWMSG_WINDOWS_SYSROOT LWMSG_WINE_PREFIX)
list(APPEND CMAKE_FIND_ROOT_PATH ${LWMSG_WINDOWS_SYSROOT} /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
# Not the .pc files of this machine.
set(ENV{PKG_CONFIG_LIBDIR} ${LWMSG_WINDOWS_SYSROOT}/lib/pkgconfig)

# Programs need no DLL of the compiler beside them, unless they use lwmsg as one: exceptions pass between two modules only
# with one C++ library for both.
if(NOT BUILD_SHARED_LIBS)
  set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
endif()

if(LWMSG_WINE_PREFIX)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${CMAKE_CURRENT_LIST_DIR}/wine ${LWMSG_WINE_PREFIX})
endif()
