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
endpoint=$(endpoint_of calculator)
start_server "listening: ok" "${emulator[@]}" "$server" "$endpoint"

if [[ $3 == own ]]; then
  expect_output "40 + 2 = 42" "${emulator[@]}" "$client" "$endpoint"
  rm tape
  expect_refusal "not found: the field carries no OS handle" "${emulator[@]}" "$client" "$endpoint"
  # Wine gives a pipe's name away twice.
  [[ $endpoint == pipe:* ]] || expect_refusal "already exists" sh -c "'$server' $endpoint >&2"
else
  expect_refusal "permission denied: the tape is for my own user only" as_other "$client" "$endpoint"
fi
