import Glibc
import SalvorJSON
import SystemPackage
import Testing

@testable import SalvorQEMU

private func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
private let kernel = environment("SALVOR_TEST_KERNEL")
private let initramfs = environment("SALVOR_TEST_INITRAMFS")

/// What no boot sector can show: a guest that takes part. Any Linux with virtio_blk will do, the rescue image too.
@Suite(
    "A Linux guest",
    .enabled(
        if: qemuInstalled && kernel != nil && initramfs != nil,
        "needs SALVOR_TEST_KERNEL and SALVOR_TEST_INITRAMFS, a Linux guest with virtio_blk")
)
struct LinuxGuestTests {
    private func withMachine(_ body: (QEMUMachine, MachineDisk) async throws -> Void) async throws {
        let kernel = try #require(kernel)
        let initramfs = try #require(initramfs)
        let root = try TemporaryFolder.make(prefix: "qemu-linux-")
        let folder = MachineFolder(root.appending("machine"))
        let file = root.appending("disk.raw")
        try PosixFile.writeAtomically([UInt8](repeating: 0, count: 1 << 20), to: file)
        let machine = try await QEMUMachine.start(
            QEMUCommandLine(
                name: "linux", acceleration: .tcg(reason: "test"), memoryMiB: 512,
                firmware: .direct(
                    kernel: FilePath(kernel), initramfs: FilePath(initramfs),
                    append: "console=ttyS0 quiet tsc=reliable no_timer_check cryptomgr.notests"),
                disks: [MachineDisk(file: file, format: .raw, readOnly: true, serial: "constant")], hotPlugPorts: 4),
            in: folder)
        let disk = root.appending("second.raw")
        try PosixFile.writeAtomically([UInt8](repeating: 0, count: 1 << 20), to: disk)
        do {
            try await body(machine, MachineDisk(file: disk, format: .raw, serial: "one"))
        } catch {
            try await machine.quit()
            throw error
        }
        try await machine.quit()
        try PosixFile.removeFolder(folder.path)
        try PosixFile.removeFolder(root)
    }

    /// The first thing that it prints, with a quiet kernel, comes from its user space.
    private func awaitUserSpace(_ machine: QEMUMachine) async throws {
        let line = await within(.seconds(60)) { try? await machine.console.firstLine { !$0.isEmpty } }
        #expect((line ?? nil)?.isEmpty == false)
        let console = await machine.console.lastLines(50).joined(separator: "\n")
        #expect(!console.contains("fault"), "\(console)")
    }

    @Test("Lets go of a disk when asked, so that its file is free for others, and takes it again")
    func detach() async throws {
        try await withMachine { machine, disk in
            try await awaitUserSpace(machine)
            for _ in 0..<3 {
                try await machine.attachDisk(disk)
                #expect(try await machine.diskSerials() == ["constant", "one"])
                try await machine.detachDisk(serial: "one", limit: .seconds(60))
                #expect(try await machine.diskSerials() == ["constant"])
                let nodes = try await machine.monitor.execute("query-named-block-nodes", ["flat": true])
                #expect(nodes.array?.contains { $0["node-name"]?.string == disk.nodeName } == false)
            }
        }
    }
}
