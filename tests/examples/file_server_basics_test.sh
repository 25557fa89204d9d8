#!/bin/bash
# What goes on every system. Arguments: server, client.
set -euo pipefail
source "$(dirname "$0")/common.sh"
set_up_work "$1" "$2"
cd "$work"
client=$2
endpoint=$(endpoint_of files)
ask() { "${emulator[@]}" "./$(basename "$client")" --endpoint "$endpoint" "$@"; }

mkdir -p export/folder
seq 200000 >export/folder/numbers  # More than one chunk.
: >export/empty
start_server "listening at $endpoint" "${emulator[@]}" "./$(basename "$1")" --endpoint "$endpoint" --root export

[[ $(ask whoami) == *"pid="* ]] || fail "whoami: $(ask whoami)"
ask cat /folder/numbers | cmp - export/folder/numbers
expect_output "" ask cat /empty
ask cp /folder/numbers copy
cmp copy export/folder/numbers
ask put copy /folder/new
cmp copy export/folder/new
ask put export/empty /folder/new
cmp export/empty export/folder/new

expect_refusal "not found: cannot find /nothing" ask cat /nothing
expect_refusal "/folder is no regular file" ask cat /folder
expect_refusal 'has an empty name, "." or ".."' ask cat /../etc/passwd
expect_refusal "is no path of a file" ask cat folder/numbers
