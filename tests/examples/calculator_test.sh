#!/bin/bash
# Arguments: server, client, and who asks: own or other.
set -euo pipefail
source "$(dirname "$0")/common.sh"
set_up_work "$1" "$2"
server="$work/$(basename "$1")"
client="$work/$(basename "$2")"
if [[ $3 == other ]]; then skip_if "$(why_no_other "$client")"; fi
cd "$work"
echo "40 + 2 = 42" >tape
start_server "listening: ok" "$server"

if [[ $3 == own ]]; then
  expect_output "40 + 2 = 42" "$client"
  rm tape
  expect_refusal "not found: the field carries no OS handle" "$client"
  expect_refusal "already exists" sh -c "'$server' >&2"
else
  expect_refusal "permission denied: the tape is for my own user only" as_other "$client"
fi
