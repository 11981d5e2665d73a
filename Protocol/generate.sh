#!/usr/bin/env bash
# Generates Sources/SalvorMessages/Generated from Protocol/salvor/v1 and records what it was generated from, so that a
# test can say when it is stale. Called by `make generate`.
set -euo pipefail
cd "$(dirname "$0")/.."
out=Sources/SalvorMessages/Generated

swift build --product protoc-gen-swift
swift build --product protoc-gen-grpc-swift-2
bin=$(swift build --show-bin-path)

rm -rf "$out"
mkdir -p "$out"
options=(Visibility=Package UseAccessLevelOnImports=true FileNaming=DropPath)
joined=$(IFS=,; echo "${options[*]}")
protoc -I Protocol \
    --plugin="$bin/protoc-gen-swift" --swift_out="$joined:$out" \
    --plugin="$bin/protoc-gen-grpc-swift-2" --grpc-swift-2_out="$joined:$out" \
    Protocol/salvor/v1/*.proto
# The plugin writes a file without a line of code where a .proto has no service.
grep -L '^package enum\|^extension' "$out"/*.grpc.swift | xargs -r rm
sha256sum Protocol/salvor/v1/*.proto "$out"/*.swift > "$out/SHA256SUMS"
