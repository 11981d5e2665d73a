import Fixtures
import Foundation
import Logging
import SalvorAgentCore
import SalvorImage
import SalvorMessages
import SwiftProtobuf
import SystemPackage

/// Scans a folder of very many files beside `find` on the same mount.
struct LargeFolder {
    static let files = 100_000

    private static let recipe = Salvor_V1_Recipe.with {
        $0.name = "bench"
        $0.version = 1
        $0.rules = [
            .with {
                $0.id = "channel-file-291"
                $0.folder = ["Windows", "System32", "drivers", "CrowdStrike"]
                $0.namePattern = "C-00000291*.sys"
            }
        ]
    }

    private let volume: MountedVolume
    private let tools = ToolRunner()

    /// Makes the volume, and mounts it as a scan does.
    static func mount(scratch: FilePath) async throws -> LargeFolder {
        let image = scratch.appending("large.img")
        try Posix.makePrivateFile(image, bytes: 256 << 20)
        let tools = ToolRunner()
        try await tools.output("mkntfs", ["-F", "-Q", "-q", "-L", "Large", image.string])
        let mounter = VolumeMounter(
            tools: AgentTools(), mountRoot: scratch.appending("mnt").string, logger: Logger(label: "disk-bench"))
        let filling = try await mounter.mount(image.string, .repair(resetLog: false))
        let folder = "\(filling.mountPoint)/Windows/System32/drivers/CrowdStrike"
        try await tools.output(
            "python3",
            [
                "-c",
                """
                import os, sys
                os.makedirs(sys.argv[1])
                for number in range(int(sys.argv[2])):
                    os.close(os.open(f"{sys.argv[1]}/C-{number:08d}-00000000-00000001.sys", os.O_CREAT | os.O_WRONLY))
                """,
                folder, String(files),
            ])
        try await filling.unmount()
        return LargeFolder(volume: try await mounter.mount(image.string, .look))
    }

    func unmount() async throws { try await volume.unmount() }

    /// Seconds until the names that fit are known.
    func scan() throws -> Double {
        let start = ContinuousClock.now
        let found = try volume.tree().findings(Self.recipe).count
        guard found == 1 else { throw FixtureError("the scan found \(found) files instead of one") }
        return (ContinuousClock.now - start).inSeconds
    }

    func find() async throws -> Double {
        let start = ContinuousClock.now
        let found = try await tools.output(
            "find",
            [
                "\(volume.mountPoint)/Windows/System32/drivers/CrowdStrike", "-maxdepth", "1", "-iname",
                "C-00000291*.sys",
            ])
        guard found.filter({ $0 == UInt8(ascii: "\n") }).count == 1 else {
            throw FixtureError("find found another number")
        }
        return (ContinuousClock.now - start).inSeconds
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
