#!/bin/bash
# The quick start stays one: all of it in 40 lines of 100 columns, and shown in its README as it is.
# Arguments: its folder.
set -euo pipefail
cd "$1"
lines=$(cat calculator.capnp server.cc client.cc | wc -l)
((lines <= 40)) || { echo "the quick start has $lines lines"; exit 1; }
columns=$(wc -L calculator.capnp server.cc client.cc | awk '{ if ($1 > most) most = $1 } END { print most }')
((columns <= 100)) || { echo "the quick start has a line of $columns columns"; exit 1; }
readme=$(<README.md)
for file in calculator.capnp server.cc client.cc; do
  [[ $readme == *"$(<"$file")"* ]] || { echo "README.md shows another $file"; exit 1; }
done
