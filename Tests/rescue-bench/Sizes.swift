import BenchFigures
import Fixtures
import SalvorImage
import SystemPackage

/// What is shipped, in megabytes of 1 000 000 bytes.
struct Sizes {
    let agent: FilePath
    let initramfs: FilePath

    func figures() async throws -> [Figure] {
        let tools = ToolRunner()
        let scratch = try Posix.makeTemporaryDirectory(in: "/tmp", prefix: "rescue-bench-")
        defer { Posix.removeTree(scratch) }
        let stripped = scratch.appending("salvor-agent")
        try await tools.output("strip", ["--strip-all", "-o", stripped.string, agent.string])
        let packed = scratch.appending("salvor-agent.xz")
        try Posix.write(
            try await tools.output("xz", ["-9", "--stdout", stripped.string], outputLimit: 64 << 20), to: packed)
        return [
            Figure("agent, stripped", try megabytes(stripped), unit: "MB", goal: .atMost(26)),
            Figure("agent, stripped, xz -9", try megabytes(packed), unit: "MB", goal: .atMost(7)),
            Figure("initramfs", try megabytes(initramfs), unit: "MB", goal: .atMost(60)),
        ]
    }

    private func megabytes(_ path: FilePath) throws -> Double {
        guard let size = Posix.sizeAndModification(path) else { throw FixtureError("\(path) is not there") }
        return Double(size.bytes) / 1_000_000
    }
}
