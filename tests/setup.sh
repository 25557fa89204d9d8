# Sourced by tests/run, tests/windows/run and examples/run: what a fresh machine needs, and the build.
#
#   lwmsg_setup   installs with apt-get what is missing on Debian; elsewhere says what is missing
#   lwmsg_build   configures and builds into LWMSG_BUILD_DIR (default: build/ beside this tree)
#
# LWMSG_CMAKE_ARGS are further arguments for CMake, LWMSG_TARGETS what to build instead of everything,
# LWMSG_FURTHER_NEEDS further lines of lwmsg_needs.

lwmsg_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
LWMSG_BUILD_DIR=${LWMSG_BUILD_DIR:-$lwmsg_root/build}

# Each line: the Debian package, and how to see that what it gives is there.
lwmsg_needs() {
  cat <<'NEEDS'
g++             command -v g++ c++
cmake           command -v cmake
ninja-build     command -v ninja
ccache          command -v ccache
pkg-config      command -v pkg-config
capnproto       command -v capnp && command -v capnpc-c++
libcapnp-dev    pkg-config --exists capnp-rpc
libuv1-dev      pkg-config --exists libuv
libexpected-dev echo '#include <tl/expected.hpp>' | c++ -E -x c++ -
libgtest-dev    echo '#include <gtest/gtest.h>' | c++ -E -x c++ -
libgmock-dev    echo '#include <gmock/gmock.h>' | c++ -E -x c++ -
libcli11-dev    echo '#include <CLI/CLI.hpp>' | c++ -E -x c++ -
NEEDS
  echo "${LWMSG_FURTHER_NEEDS:-}"
}

lwmsg_missing() {
  local package probe
  lwmsg_needs | while read -r package probe; do
    [[ -n $package ]] || continue
    eval "$probe" >/dev/null 2>&1 </dev/null || echo "$package"
  done
}

# lwmsg_install PACKAGE...
lwmsg_install() {
  local sudo=
  if ! command -v apt-get >/dev/null; then
    echo "lwmsg: missing here, by Debian's names: $*" >&2
    echo "lwmsg: this is no Debian system; install them in its own way and try again" >&2
    return 1
  fi
  if [[ $(id -u) -ne 0 ]]; then
    sudo=sudo
    command -v sudo >/dev/null || {
      echo "lwmsg: missing: $*; run this as root, or install sudo" >&2
      return 1
    }
  fi
  echo "lwmsg: installing $*"
  # The lists of a fresh machine are empty or old.
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" \
    >/dev/null
}

lwmsg_setup() {
  local missing
  missing=$(lwmsg_missing | xargs)
  [[ -z $missing ]] && return
  # shellcheck disable=SC2086  # A list of packages.
  lwmsg_install $missing
  missing=$(lwmsg_missing | xargs)
  [[ -z $missing ]] || {
    echo "lwmsg: still missing after apt-get install: $missing" >&2
    exit 1
  }
}

lwmsg_build() {
  local log=$LWMSG_BUILD_DIR/configure.log
  mkdir -p "$LWMSG_BUILD_DIR"
  # What was compiled in one clone serves the next.
  export CCACHE_BASEDIR=$lwmsg_root CCACHE_NOHASHDIR=1
  # shellcheck disable=SC2086  # A list of arguments.
  cmake -S "$lwmsg_root" -B "$LWMSG_BUILD_DIR" -G Ninja -DCMAKE_CXX_COMPILER_LAUNCHER=ccache \
    ${LWMSG_CMAKE_ARGS:-} >"$log" 2>&1 || {
    cat "$log" >&2
    echo "lwmsg: CMake failed" >&2
    exit 1
  }
  # Not ninja's own choice, which is more than there are processors, and a GiB for each.
  # shellcheck disable=SC2086  # A list of targets.
  cmake --build "$LWMSG_BUILD_DIR" --parallel "$(nproc)" ${LWMSG_TARGETS:+--target $LWMSG_TARGETS}
}
