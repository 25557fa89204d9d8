#!/bin/bash
# A server of root and a caller that is not: the token decides. Arguments: server, client.
set -euo pipefail
source "$(dirname "$0")/common.sh"
set_up_work "$1" "$2"
client="$work/$(basename "$2")"
skip_if "$(why_no_other "$client")"
endpoint="unix:$work/files.sock"
export_dir="$work/export"
ask() { as_other "$client" --endpoint "$endpoint" "$@"; }

# make MODE OWNER:GROUP NAME
make() {
  echo "$3" >"$export_dir/$3"
  chown "$2" "$export_dir/$3"
  chmod "$1" "$export_dir/$3"
}
mkdir -p "$export_dir/closed" "$export_dir/drop"
make 0644 0:0 closed/inside
chmod 700 "$export_dir/closed"
chmod 1777 "$export_dir/drop"
make 0644 0:0 for_all
make 0600 0:0 for_root
make 0640 0:$other_gid for_group
make 0604 0:$other_gid not_for_group
make 0077 $other_uid:0 not_for_owner
make 0640 0:54321 for_supplementary
make 04777 0:0 setuid
start_server "listening at" "$work/$(basename "$1")" --endpoint "$endpoint" --root "$export_dir"

[[ $(ask whoami) == "euid=$other_uid egid=$other_gid pid="* ]] || fail "whoami: $(ask whoami)"
expect_output for_all ask cat /for_all
expect_output for_group ask cat /for_group
expect_output for_supplementary setpriv --reuid $other_uid --regid $other_gid --groups 54321 -- \
  "$client" --endpoint "$endpoint" cat /for_supplementary
for command in "cat /for_root" "cp /for_root $work/copy"; do
  # shellcheck disable=SC2086 # Words on purpose.
  expect_refusal "may not read /for_root (owner 0, group 0, mode 0600)" ask $command
done
expect_refusal "permission denied: caller euid=$other_uid egid=$other_gid pid=" ask cat /for_root
expect_refusal "may not read /for_supplementary" ask cat /for_supplementary
expect_refusal "may not read /not_for_group" ask cat /not_for_group
expect_refusal "may not read /not_for_owner" ask cat /not_for_owner
expect_refusal "may not look into /closed/ (owner 0, group 0, mode 0700)" ask cat /closed/inside
expect_refusal "may not make files in / " ask put "$export_dir/for_all" /new
expect_refusal "may not write /for_all" ask put "$export_dir/for_all" /for_all
expect_refusal "runs as its owner or group" ask put "$export_dir/for_all" /setuid
expect_output for_root "$client" --endpoint "$endpoint" cat /for_root

ask put "$export_dir/for_all" /drop/new
[[ $(stat -c %u:%g:%a "$export_dir/drop/new") == $other_uid:$other_gid:600 ]] ||
  fail "a new file is $(stat -c %u:%g:%a "$export_dir/drop/new")"
expect_output for_all ask cat /drop/new

# The descriptor is good for a file that the client could not open by itself.
make 0600 $other_uid:0 drop/handed
chmod 700 "$export_dir"
chown "$other_uid" "$export_dir"
as_other mkdir "$export_dir/copies"
ask cp /drop/handed "$export_dir/copies/handed"
cmp "$export_dir/drop/handed" "$export_dir/copies/handed"

mount_point=$(stat -c %m "$work")
if [[ $mount_point == / ]]; then
  start_server "listening at" "$work/$(basename "$1")" --endpoint "unix:$work/root.sock" --root /
  expect_refusal "another file system" as_other "$client" --endpoint "unix:$work/root.sock" \
    cat /proc/1/maps
fi
