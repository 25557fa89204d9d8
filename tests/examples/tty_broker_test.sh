#!/bin/bash
# On real pseudo-terminals, which script(1) makes. Arguments: tty_broker, and whom it serves: own or
# other.
set -euo pipefail
source "$(dirname "$0")/common.sh"
set_up_work "$1"
export broker="$work/tty_broker"
skip_if "$(why_no_terminal)"
user=$(id -u)
if [[ $2 == other ]]; then
  skip_if "$(why_no_other "$broker")"
  user=$other_uid
elif [[ $user -eq 0 ]]; then
  skip "root is always another user to the broker"
fi
export user
cd "$work"
# Standard input of a terminal at which nobody types; an end of file would be typed as ^D.
mkfifo nobody_types
exec {nobody_types}<>nobody_types

# What it writes appears on the terminal, what is typed there is read.
on_terminal "$user" '"$broker" --user "$user" "$name" --write "sent by the front end" >said 2>notes' \
  <&"$nobody_types" >shown
[[ $(<shown) == "sent by the front end" ]] || fail "the terminal shows: $(<shown)"
[[ $(<said) == "user $user got pts/"* ]] || fail "the broker said: $(<said) $(<notes)"
echo "typed there" | on_terminal "$user" '"$broker" --user "$user" "$name" --read >said 2>notes' >shown
[[ $(<said) == *"read: typed there" ]] || fail "the broker said: $(<said) $(<notes)"

# The lock goes with the descriptor that the first front end holds.
on_terminal "$user" '
  mkfifo got
  "$broker" --user "$user" "$name" --read >got & first=$!
  read -r line <got
  "$broker" --user "$user" "$name" 2>second || true
  kill "$first"; wait "$first" || true
  "$broker" --user "$user" "$name" >third' <&"$nobody_types" >/dev/null
[[ $(<second) == *'failed precondition: terminal "pts/'*'refused: somebody else has it' ]] ||
  fail "the second front end got: $(<second)"
[[ $(<third) == "user $user got pts/"* ]] || fail "the third front end got: $(<third)"

for name in ttyS pts/ pts/../../etc/passwd ../dev/ttyS0 /dev/ttyS0 ptmx null pts/3/ pts/-1 ttyS0x \
  ttyS000000 $'ttyS0\n' ""; do
  expect_refusal "refused: a terminal is called ttyS, ttyUSB or pts/ and a number" \
    "$broker" --user "$user" "$name"
done
expect_refusal 'not found: terminal "pts/99999" refused: No such file' \
  "$broker" --user "$user" pts/99999

if [[ $2 == other ]]; then
  on_terminal 0 '"$broker" --user "$user" "$name" 2>said || true' <&"$nobody_types" >/dev/null
  [[ $(<said) == *"permission denied"*"it belongs to user 0, the caller is $user" ]] ||
    fail "for a terminal of root the broker said: $(<said)"
  expect_refusal "root is nobody to drop privileges to" "$broker" --user root pts/0
  expect_refusal "no user nobody_of_that_name" "$broker" --user nobody_of_that_name pts/0
fi

# A front end that dies takes its back end along.
on_terminal "$user" '
  "$broker" --user "$user" "$name" --read >got & first=$!
  read -r line <got
  read -r backend _ </proc/$first/task/$first/children || [ -n "$backend" ]
  echo "$backend" >backend
  kill -KILL "$first"; wait "$first" || true
  timeout 20 tail --pid="$backend" -s 0.05 -f /dev/null && echo ended >ended' <&"$nobody_types" >/dev/null
[[ -s backend && -s ended ]] || fail "the back end $(cat backend) outlived its front end"
