import Glibc
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
    @Test("Lets go of a disk when asked, so that its file is free for others, and takes it again")
    func detach() async throws {
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
                    kernel: FilePath(kernel), initramfs: FilePath(initramfs), append: "console=ttyS0 quiet"),
                hotPlugPorts: 2), in: folder)
        let disk = try MachineDisk(file: file, format: .raw, serial: "one")
        for _ in 0..<2 {
            try await machine.attachDisk(disk)
            #expect(try await machine.diskSerials() == ["one"])
            try await machine.detachDisk(serial: "one", limit: .seconds(60))
            #expect(try await machine.diskSerials().isEmpty)
            let nodes = try await machine.monitor.execute("query-named-block-nodes", ["flat": true])
            #expect(nodes.array?.contains { $0["node-name"]?.string == disk.nodeName } == false)
        }
        try await machine.quit()
        try PosixFile.removeFolder(folder.path)
        try PosixFile.removeFolder(root)
    }
}
