#!/bin/bash
# What does not depend on who asks. Arguments: server, client.
set -euo pipefail
source "$(dirname "$0")/common.sh"
set_up_work "$1" "$2"
server="$work/$(basename "$1")"
client="$work/$(basename "$2")"
endpoint="unix:$work/files.sock"
export_dir="$work/export"
ask() { "$client" --endpoint "$endpoint" "$@"; }

mkdir -p "$export_dir/folder"
seq 200000 >"$export_dir/folder/numbers"  # More than one chunk.
: >"$export_dir/empty"
ln -s folder/numbers "$export_dir/link"
ln -s folder "$export_dir/link_folder"
mkfifo "$export_dir/fifo"
start_server "listening at $endpoint" "$server" --endpoint "$endpoint" --root "$export_dir"

[[ $(ask whoami) == "euid=$(id -u) egid=$(id -g) "* ]] || fail "whoami: $(ask whoami)"
ask cat /folder/numbers | cmp - "$export_dir/folder/numbers"
expect_output "" ask cat /empty
ask cp /folder/numbers "$work/copy"
cmp "$work/copy" "$export_dir/folder/numbers"
ask put "$work/copy" /folder/new
cmp "$work/copy" "$export_dir/folder/new"
[[ $(stat -c %u "$export_dir/folder/new") == "$(id -u)" ]] || fail "a new file belongs to somebody else"
ask put "$export_dir/empty" /folder/new
cmp "$export_dir/empty" "$export_dir/folder/new"

expect_refusal "not found: cannot find /nothing" ask cat /nothing
expect_refusal "not found: cannot find /nothing" ask cp /nothing "$work/copy_of_nothing"
expect_refusal "/folder is no regular file" ask cat /folder
expect_refusal "/fifo is no regular file" ask cat /fifo
expect_refusal "/link is no regular file" ask cat /link
expect_refusal "cannot find /link_folder" ask cat /link_folder/numbers
expect_refusal 'has an empty name, "." or ".."' ask cat /../etc/passwd
expect_refusal "is no path of a file" ask cat folder/numbers
expect_refusal "/link is no regular file" ask put "$work/copy" /link
expect_refusal "unavailable" "$client" --endpoint "unix:$work/none" whoami

# It takes its name along when it is asked to end.
kill "${processes[0]}"
wait "${processes[0]}" || fail "the server ended with $?"
[[ ! -e $work/files.sock ]] || fail "the socket file is still there"
