import Fixtures
import SalvorImage
import SystemPackage

/// `guestfish` told the one thing to do, with its appliance built before (the warm-up does that).
struct Guestfish: Contender {
    let name = "guestfish"
    private let tools: ToolRunner

    init(usesKVM: Bool) {
        var environment = ["LIBGUESTFS_BACKEND": "direct"]
        if !usesKVM { environment["LIBGUESTFS_BACKEND_SETTINGS"] = "force_tcg" }
        tools = ToolRunner(environment: environment)
    }

    func deleteFaultyFile(from disk: BenchDisk) async throws -> Double {
        try await disk.withOverlay { overlay in
            let start = ContinuousClock.now
            try await tools.output(
                "guestfish",
                [
                    "--rw", "--format=qcow2", "-a", overlay.string, "-m", "/dev/sda3", "rm",
                    "/\(ChannelFile.folder)/\(ChannelFile.faulty)", ":", "umount-all",
                ])
            return (ContinuousClock.now - start).inSeconds
        }
    }
}
