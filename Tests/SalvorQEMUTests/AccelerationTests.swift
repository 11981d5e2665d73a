import BootSectorGuests
import SystemPackage
import Testing

@testable import SalvorQEMU

@Suite("Acceleration probe", .enabled(if: qemuInstalled, qemuReason))
struct AccelerationTests {
    private func withFolder(_ body: (FilePath) async throws -> Void) async throws {
        let folder = try TemporaryFolder.make(prefix: "probe-test-")
        do {
            try await body(folder)
        } catch {
            try PosixFile.removeFolder(folder)
            throw error
        }
        try PosixFile.removeFolder(folder)
    }

    @Test("The probe's guest runs, so that not seeing its status means something")
    func guestRuns() async throws {
        var probe = AccelerationProbe(cache: nil, limit: .seconds(20))
        probe.accelerator = "tcg"
        // Under TCG the guest ends with the status that stands for a working accelerator.
        #expect(try await probe.boot() == .kvm)
    }

    @Test("The probe's guest fits its sector, and its descriptors lie where its code says")
    func layout() {
        let sector = ProbeGuest.bootSector
        #expect(sector.count == 512)
        #expect(Array(sector[510...]) == [0x55, 0xAA])
        #expect(Array(sector[0x90..<0x96]) == [0x0F, 0x00, 0x80, 0x7C, 0x00, 0x00])
        #expect(Array(sector[0x56..<0x58]) == [0xBB, 0xC8])
    }

    @Test("The answer is kept, and the kept one is what counts afterwards")
    func kept() async throws {
        try await withFolder { folder in
            let cache = folder.appending("answer")
            // A file that opens, so that the guest is tried on machines without KVM as well.
            let device = folder.appending("kvm")
            try PosixFile.writeAtomically([UInt8](), to: device)
            let probe = AccelerationProbe(cache: cache, device: device)
            let first = try await probe.acceleration()
            if case .tcg(let reason) = first { #expect(!reason.isEmpty) }
            #expect(try await probe.acceleration() == first)

            // Another answer in the file shows that the second question started no guest.
            var lines = String(decoding: try PosixFile.read(cache), as: UTF8.self)
                .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            lines[1...2] = ["tcg", "kept for this test"]
            try PosixFile.writeAtomically(lines.joined(separator: "\n").utf8, to: cache)
            #expect(try await probe.acceleration() == .tcg(reason: "kept for this test"))
        }
    }

    @Test("Without the device the reason says so, and no guest is started")
    func noDevice() async throws {
        try await withFolder { folder in
            let probe = AccelerationProbe(cache: folder.appending("answer"), device: "/dev/no-such-kvm")
            guard case .tcg(let reason) = try await probe.acceleration() else {
                Issue.record("KVM without its device")
                return
            }
            #expect(reason.contains("/dev/no-such-kvm"))
            #expect(!PosixFile.exists(folder.appending("answer")))
        }
    }

    @Test("A kept answer counts for its own kernel, boot and QEMU alone, and a damaged one for nothing")
    func cache() async throws {
        try await withFolder { folder in
            let file = folder.appending("below").appending("answer")
            AccelerationCache.write(.tcg(reason: "a\nb"), key: "k1", to: file)
            #expect(AccelerationCache.read(file, key: "k1") == .tcg(reason: "a b"))
            #expect(AccelerationCache.read(file, key: "k2") == nil)
            try PosixFile.writeAtomically("k1\nxyz\n\n".utf8, to: file)
            #expect(AccelerationCache.read(file, key: "k1") == nil)
            try PosixFile.removeFolder(folder.appending("below"))
        }
    }

    @Test("A guest that hangs is ended within the limit")
    func hanging() async throws {
        var probe = AccelerationProbe(cache: nil, limit: .milliseconds(500))
        probe.accelerator = "tcg"
        probe.guest = Array(BootSector().halting().disk.prefix(512))
        guard case .tcg(let reason) = try await probe.boot() else {
            Issue.record("a guest that hangs has ended")
            return
        }
        #expect(reason.contains("did not end"))
    }
}
