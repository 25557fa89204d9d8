# shellcheck shell=bash
# Sourced by the tests here and by examples/run: a folder of their own, processes that end with them,
# another user to be.

other_uid=12345
other_gid=12345
processes=()

# What runs a program of another system, such as Wine; empty for programs of this one.
emulator=()
read -ra emulator <<<"${LWMSG_EMULATOR:-}"

# LeakSanitizer traces its own process, which a process that dropped its privileges may not.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# What ctest takes for "skipped".
skip() {
  echo "skipped: $*"
  exit 77
}

clean_up() {
  local pid
  for pid in "${processes[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$work"
}

# Makes the folder $work, readable for all users, with copies of the programs $@: other users may not
# reach the build folder.
set_up_work() {
  work=$(mktemp -d "${TMPDIR:-/tmp}/lwmsg.XXXXXX")
  trap clean_up EXIT
  chmod 755 "$work"
  local program
  for program in "$@"; do install -m 755 "$program" "$work/"; done
}

# The endpoint NAME of this test, as the programs' system has them: a socket in the folder $work, or a
# pipe of that name.
endpoint_of() {
  if [[ ${LWMSG_ENDPOINTS:-unix:} == pipe: ]]; then
    echo "pipe:$(basename "$work").$1"
  else
    echo "unix:$work/$1.sock"
  fi
}

# Starts a server and waits until it says "$1..." on its standard output.
start_server() {
  local ready=$1 line
  shift
  local output="$work/output.${#processes[@]}"
  mkfifo "$output"
  "$@" >"$output" &
  processes+=($!)
  exec {server_output}<"$output"
  read -r -t 20 -u "$server_output" line || fail "$1 did not say that it is ready"
  [[ $line == "$ready"* ]] || fail "$1 said: $line"
}

as_other() {
  setpriv --reuid "$other_uid" --regid "$other_gid" --clear-groups -- "$@"
}

# Empty if another user can run the program $1, else why not.
why_no_other() {
  local status=0
  if [[ $(id -u) -ne 0 ]]; then
    echo "only root can be another user"
  elif ! as_other true; then
    echo "setpriv (util-linux) is missing, or may not change the user here"
  else
    # From 126 on it did not even start: no access to it or to its libraries.
    as_other "$1" --help >/dev/null 2>&1 || status=$?
    ((status < 126)) || echo "user $other_uid cannot run $1"
  fi
}

# skip_if REASON: unless there is none.
skip_if() { [[ -z $1 ]] || skip "$1"; }

# expect_refusal TEXT COMMAND...: it must fail, and say TEXT.
expect_refusal() {
  local text=$1 said
  shift
  if said=$("$@" 2>&1); then fail "not refused: $*"; fi
  [[ $said == *"$text"* ]] || fail "$* said: $said; wanted: $text"
}

# expect_output TEXT COMMAND...: it must succeed, and print TEXT and nothing else.
expect_output() {
  local text=$1 said
  shift
  said=$("$@") || fail "$*"
  [[ $said == "$text" ]] || fail "$* printed: $said; wanted: $text"
}

# Empty if on_terminal works, else why it does not.
why_no_terminal() {
  if ! command -v script >/dev/null; then
    echo "script (bsdutils) is not installed"
  elif ! script -qec true /dev/null </dev/null >/dev/null; then
    echo "there are no pseudo-terminals"
  fi
}

# on_terminal UID COMMANDS: runs them on a new pseudo-terminal of that user, with its name in $name.
# Its standard input is what is typed on the terminal, its output what the terminal shows.
on_terminal() {
  local owner=$1 commands=$2
  SHELL=/bin/bash script -qec "set -eu; name=\$(tty); name=\${name#/dev/}
    [ $owner = \$(id -u) ] || chown $owner /dev/\$name; stty -echo
    $commands" /dev/null | tr -d '\r'
}
