import AzureEmulator
import Fixtures
import Foundation
import SalvorImage
import SalvorMessages
import SalvorQEMU
import SwiftProtobuf
import SystemPackage
import Testing

/// The rescue image as Azure gets it: one VHD, uploaded, started as a virtual machine of either generation, which learns
/// from its userData whom to call.
@Suite("The rescue disk on the emulated Azure", .serialized, .enabled(if: qemuInstalled, "needs QEMU"))
struct RescueDiskTests {
    private static let root = {
        // Tests/RealMachineTests/RescueDiskTests.swift
        var root = FilePath(#filePath)
        for _ in 0..<3 { root.removeLastComponent() }
        return root
    }()

    /// The optimised agent, which needs nothing of Swift's in the image.
    private func disk() async throws -> RescueDisk {
        let agent = Self.root.appending(".build/release/salvor-agent")
        try #require(Posix.isExecutableFile(agent), "there is no \(agent): run `make build` first")
        let builder = ImageBuilder(
            recipe: try ImageRecipe(directory: Self.root.appending("Agent/image")),
            cacheDirectory: ImageBuilder.defaultCacheDirectory)
        if let disk = try await builder.cachedDisk(agent: agent) { return disk }
        return try await builder.buildDisk(agent: agent)
    }

    @Test(
        "It starts under BIOS and UEFI, fetches its userData, knows its disks, and dials; its token is told to nobody",
        arguments: ["V1", "V2"])
    func rescue(generation: String) async throws {
        let disk = try await disk()
        let coordinator = try Coordinator()
        defer { coordinator.stop() }
        let bootstrap = Salvor_V1_Bootstrap.with {
            $0.version = 1
            $0.host = "rescue-1"
            $0.run = "run-7"
            $0.coordinator = "\(QEMUHypervisor.hostAddress):\(coordinator.port)"
            $0.caFingerprint = Data(repeating: 0x5A, count: 32)
            $0.enrolmentToken = Data("T0KEN-that-nobody-is-to-be-told!".utf8)
            $0.coordinatorTimeoutSeconds = 600
        }
        let userData = Data(try bootstrap.serializedBytes() as [UInt8]).base64EncodedString()
        try await Workplace.with { place in
            try await EmulatedAzure.with(in: place.root, ports: [coordinator.port]) { azure in
                try await azure.makeGround()
                try await azure.upload(disk.vhd, as: "rescue", generation: generation)
                try await azure.makeDisk("copy")
                let id = try await azure.start("rescue", from: "rescue", userData: userData, dataDisks: [3: "copy"])
                do {
                    let dialled = await within(.seconds(240)) { await coordinator.firstBytes() } ?? []
                    // A TLS handshake's record, and not just anybody's connection.
                    let console = String(decoding: await azure.hypervisor.consoleLog(id), as: UTF8.self)
                    #expect(dialled.first == 0x16, "\(console)")
                    for line in [
                        "no config disk; the bootstrap data is this machine's userData", "of rescue-1, run run-7",
                    ] {
                        #expect(console.contains(line), "\(line) is not in: \(console)")
                    }
                    // It may come after the first call.
                    let whole = try await announced(id, azure, generation)
                    for secret in ["T0KEN", String(userData.prefix(40))] {
                        #expect(!whole.contains(secret), "\(secret)")
                    }
                } catch {
                    try? await azure.hypervisor.remove(id)
                    throw error
                }
                try await azure.hypervisor.remove(id)
            }
        }
    }

    /// The repair copy has its LUN; the disk that the machine was started from is its own, where it is seen at all: the
    /// image has no driver for the first generation's IDE.
    /// - Returns: all that was on the console until then.
    private func announced(_ id: String, _ azure: EmulatedAzure, _ generation: String) async throws -> String {
        let deadline = ContinuousClock.now + .seconds(60)
        var console = ""
        var disks: [String] = []
        while ContinuousClock.now < deadline, disks.count < (generation == "V2" ? 2 : 1) {
            console = String(decoding: await azure.hypervisor.consoleLog(id), as: UTF8.self)
            disks = console.split(whereSeparator: \.isNewline).map(String.init).filter { $0.contains("device=/dev/") }
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(disks.filter { $0.contains("lun=3") && $0.contains("bytes=\(1 << 30)") }.count == 1, "\(disks)")
        #expect(disks.filter { $0.contains("lun=") }.count == 1, "\(disks)")
        #expect(disks.filter { $0.contains("rescue_system=true") }.count == (generation == "V2" ? 1 : 0), "\(disks)")
        return console
    }
}
