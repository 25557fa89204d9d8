# Sourced by tests/windows/run, after tests/setup.sh: what lwmsg needs, built for Windows.
#
#   lwmsg_sysroot   sets LWMSG_WINDOWS_SYSROOT, and builds into that folder if it is not there
#
# The sources are Debian's, of the versions that are installed on this machine: the programs capnp and capnpc-c++,
# which run here, must fit the library. LWMSG_WINDOWS_CACHE is the folder that such folders stand in.

lwmsg_windows=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LWMSG_WINDOWS_CACHE=${LWMSG_WINDOWS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/lwmsg}

# A source package with its version, for each library.
lwmsg_source_packages() {
  # shellcheck disable=SC2016  # Not variables of the shell.
  dpkg-query -W -f '${source:Package}=${source:Version}\n' libcapnp-dev libgtest-dev libuv1-dev
}

# The options of apt-get for a list of source packages that stands beside the machine's own. Whence they come is
# taken from there.
# lwmsg_source_list FOLDER
lwmsg_source_list() {
  local folder=$1 file
  mkdir -p "$folder/parts" "$folder/lists/partial" "$folder/cache/archives/partial"
  for file in /etc/apt/sources.list.d/*.sources; do
    if [[ -e $file ]]; then sed 's/^Types:.*/Types: deb-src/' "$file" && echo; fi
  done >"$folder/parts/all.sources"
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    if [[ -e $file ]]; then sed -n 's/^deb\(-src\)\?[[:space:]]/deb-src /p' "$file"; fi
  done | sort -u >"$folder/parts/all.list"
  lwmsg_apt=(apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$folder/parts"
    -o "Dir::State::lists=$folder/lists" -o "Dir::Cache=$folder/cache" -o APT::Get::List-Cleanup=0)
  # Root's apt-get would download as a user who may not write here.
  if [[ $(id -u) -eq 0 ]]; then lwmsg_apt+=(-o APT::Sandbox::User=root); fi
}

lwmsg_fetch_sources() {
  local source
  lwmsg_source_list "$PWD/apt"
  "${lwmsg_apt[@]}" update
  # shellcheck disable=SC2046  # A list of packages.
  "${lwmsg_apt[@]}" source $(lwmsg_source_packages)
  for source in capnproto-*/ googletest-*/ libuv1-*/; do
    source=${source%/}
    if [[ -e $lwmsg_windows/$source.patch ]]; then patch -p1 -d "$source" -i "$lwmsg_windows/$source.patch"; fi
    mv "$source" "${source%-*}"
  done
}

# lwmsg_build_dependency SOURCE ARGUMENT... -- TARGET...
lwmsg_build_dependency() {
  local source=$1 build=build-$1 arguments=()
  shift
  while [[ $1 != -- ]]; do arguments+=("$1") && shift; done
  shift
  cmake -S "$source" -B "$build" -G Ninja --toolchain "$lwmsg_windows/toolchain.cmake" \
    -DLWMSG_WINDOWS_SYSROOT="$PWD/sysroot" -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DBUILD_TESTING=OFF \
    -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache "${arguments[@]}"
  cmake --build "$build" --parallel "$(nproc)" --target "$@"
}

# Into sysroot/ of the current folder.
lwmsg_build_sysroot() {
  export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
  lwmsg_fetch_sources
  mkdir -p sysroot/include sysroot/lib/pkgconfig sysroot/share/cmake

  lwmsg_build_dependency libuv1 -- uv_a
  cp build-libuv1/libuv_a.a sysroot/lib/
  cp -r libuv1/include/. sysroot/include/

  lwmsg_build_dependency googletest -- all
  cmake --install build-googletest --prefix "$PWD/sysroot"

  # Not all of it, so not by its own installation.
  lwmsg_build_dependency capnproto -DEXTERNAL_CAPNP=ON -DWITH_OPENSSL=OFF -- \
    kj kj-async capnp capnp-json capnp-rpc capnpc
  cp build-capnproto/src/*/*.a sysroot/lib/
  (cd capnproto/src && find kj capnp -name '*.h' -o -name '*.capnp' | tar -cf - -T -) | tar -xf - -C sysroot/include
  local module
  for module in kj kj-async capnp capnp-json capnp-rpc capnpc; do
    # shellcheck disable=SC2016  # Variables of pkg-config.
    sed -e 's|^prefix=.*|prefix=${pcfiledir}/../..|' -e 's|^libdir=.*|libdir=${prefix}/lib|' \
      -e 's|^includedir=.*|includedir=${prefix}/include|' -e 's|-lkj-async|& -lws2_32|' \
      "build-capnproto/pkgconfig/$module.pc" >"sysroot/lib/pkgconfig/$module.pc"
  done

  # Headers alone, the same everywhere.
  cp -r /usr/include/tl /usr/include/CLI sysroot/include/
  cp -r /usr/share/cmake/tl-expected /usr/share/cmake/CLI11 sysroot/share/cmake/
}

lwmsg_sysroot() {
  local hash work
  hash=$({
    cat "$lwmsg_windows"/{sysroot.sh,toolchain.cmake} "$lwmsg_windows"/*.patch
    lwmsg_source_packages
    dpkg-query -W libexpected-dev libcli11-dev g++-mingw-w64-x86-64-posix mingw-w64-x86-64-dev
  } | sha256sum)
  LWMSG_WINDOWS_SYSROOT=$LWMSG_WINDOWS_CACHE/windows-${hash:0:16}
  if [[ -d $LWMSG_WINDOWS_SYSROOT ]]; then return; fi

  echo "lwmsg: building $(lwmsg_source_packages | xargs) for Windows"
  mkdir -p "$LWMSG_WINDOWS_CACHE"
  work=$(mktemp -d "$LWMSG_WINDOWS_CACHE/building.XXXXXX")
  # In a shell of its own: within a condition, "set -e" would not hold.
  # shellcheck disable=SC2016  # A variable of that shell.
  if ! (cd "$work" && exec bash -euo pipefail -c 'source "$1"; lwmsg_build_sysroot' - \
    "$lwmsg_windows/sysroot.sh") >"$work/log" 2>&1; then
    tail -n 50 "$work/log" >&2
    echo "lwmsg: the libraries for Windows could not be built, see $work/log" >&2
    return 1
  fi
  # Another run may have been quicker.
  mv -T "$work/sysroot" "$LWMSG_WINDOWS_SYSROOT" 2>/dev/null || [[ -d $LWMSG_WINDOWS_SYSROOT ]]
  rm -rf "$work"
}
