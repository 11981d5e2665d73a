"""Makes each fuzz target's first inputs, of the golden vectors and of the committed corpus: seeds.py VECTORS CORPUS OUT.

A corpus is a JSON object for each target, by name: hexadecimal bytes that reach something, and what once crashed it.
"""
import json
import pathlib
import zlib
import sys

vectors, corpus, out = map(pathlib.Path, sys.argv[1:])


def write(target, name, data):
    folder = out / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


frames = json.loads((vectors / "frames.json").read_text())
everything = {"caller": b"", "callee": b""}
for index, vector in enumerate(frames):
    data = bytes.fromhex(vector["hex"])
    everything[vector["sender"]] += data
    lead = 0 if vector["sender"] == "caller" else 1
    write("frames", f"vector-{index}", bytes([lead | 6]) + data)
    if data[4] in (2, 4):
        write("headers", f"vector-{index}", bytes([lead | (0 if data[4] == 2 else 2)]) + data[10:])
    # One byte in front of each piece of up to 32: how long it is, and that no time passes.
    pieces = b"".join(bytes([len(data[i:i + 32]) - 1]) + data[i:i + 32] for i in range(0, len(data), 32))
    write("machine", f"vector-{index}", bytes([lead]) + pieces)
for sender, data in everything.items():
    lead = 0 if sender == "caller" else 1
    write("frames", f"all-{sender}", bytes([lead | 62]) + data)
    pieces = b"".join(bytes([len(data[i:i + 32]) - 1]) + data[i:i + 32] for i in range(0, len(data), 32))
    write("machine", f"all-{sender}", bytes([lead]) + pieces)
for index, text in enumerate([b"", b"a", b"salvor" * 1000, bytes(range(256)) * 20]):
    write("inflater", f"text-{index}", bytes([15]) + zlib.compress(text))
for path in corpus.glob("*.json"):
    for name, data in json.loads(path.read_text()).items():
        write(path.stem, name, bytes.fromhex(data))
