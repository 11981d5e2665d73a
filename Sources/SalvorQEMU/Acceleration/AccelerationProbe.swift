import Glibc
internal import SalvorJSON
internal import SalvorSystem
import Subprocess
package import SystemPackage

/// Finds out whether KVM runs guests, by running one.
///
/// That `/dev/kvm` opens says little: on some hosts (nested, or with a partial KVM) it opens and guests hang or crawl,
/// several times slower than by translation. The answer is kept in a file for as long as kernel, boot and QEMU are the same.
package struct AccelerationProbe: Sendable {
    package var tools: QEMUTools
    /// Where the answer is kept; nil asks anew each time.
    package var cache: FilePath?
    /// After this a guest that has not ended counts as hanging. Where KVM works it ends within half a second.
    package var limit: Duration
    /// Replaced in tests.
    package var device: FilePath
    /// Replaced in tests, to see that the guest itself is sound.
    var accelerator = "kvm"
    /// Replaced in tests by one that hangs.
    var guest = ProbeGuest.bootSector

    package init(
        tools: QEMUTools = QEMUTools(), cache: FilePath?, limit: Duration = .milliseconds(2500),
        device: FilePath = "/dev/kvm"
    ) {
        self.tools = tools
        self.cache = cache
        self.limit = limit
        self.device = device
    }

    /// - Throws: ``QEMUError/Code/toolMissing``. Everything else that goes wrong is a reason for TCG.
    package func acceleration() async throws(QEMUError) -> Acceleration {
        let executable = try tools.system()
        // Access is cheap to check and changes with a group or a mount, so it is never kept.
        if let reason = await Blocking.run({ accessProblem() }) { return .tcg(reason: reason) }
        let key = await Blocking.run { Self.cacheKey(executable: executable) }
        if let kept = await Blocking.run({ AccelerationCache.read(cache, key: key) }) { return kept }
        let found = try await boot()
        await Blocking.run { AccelerationCache.write(found, key: key, to: cache) }
        return found
    }

    private func accessProblem() -> String? {
        let descriptor = device.withPlatformString { open($0, O_RDWR | O_CLOEXEC) }
        guard descriptor < 0 else {
            close(descriptor)
            return nil
        }
        return switch errno {
        case ENOENT: "\(device) is not there: this machine offers no virtualisation"
        case EACCES, EPERM: "\(device) may not be opened by this user: join the group kvm"
        default: "\(device) cannot be opened: \(Errno(rawValue: errno))"
        }
    }

    /// Runs the guest and says what became of it.
    func boot() async throws(QEMUError) -> Acceleration {
        let executable = try tools.system()
        let folder = try await Blocking.run { () throws(QEMUError) in try TemporaryFolder.make(prefix: "qemu-probe-") }
        let disk = folder.appending("boot-sector")
        let result: Acceleration
        do throws(QEMUError) {
            // SeaBIOS wants a disk that has at least one cylinder.
            let image = guest + [UInt8](repeating: 0, count: (1 << 20) - 512)
            try await Blocking.run { () throws(QEMUError) in try PosixFile.writeAtomically(image, to: disk) }
            result = await run(executable, disk: disk)
        } catch {
            result = .tcg(reason: "the probe could not be laid out: \(error)")
        }
        _ = try? await Blocking.run { () throws(QEMUError) in try PosixFile.removeFolder(folder) }
        return result
    }

    private func run(_ executable: FilePath, disk: FilePath) async -> Acceleration {
        let node: JSONValue = [
            "driver": "file", "node-name": "probe", "filename": .string(disk.string), "read-only": true,
        ]
        let arguments = [
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine", "q35", "-accel",
            accelerator, "-cpu", accelerator == "kvm" ? "host" : "qemu64", "-m", "64", "-sandbox",
            "on,obsolete=deny,elevateprivileges=deny,resourcecontrol=deny,spawn=deny",
            "-device", "isa-debug-exit,iobase=0x\(String(ProbeGuest.exitPort, radix: 16)),iosize=4",
            "-blockdev", node.text, "-device", "virtio-blk-pci,drive=probe,bootindex=0",
        ]
        let limit = limit
        do {
            let result = try await Subprocess.run(
                .path(executable), arguments: Arguments(arguments), input: .none, output: .discarded,
                error: .string(limit: 1 << 16)
            ) { execution in
                guard let process = ProcessHandle(pid: execution.processIdentifier.value) else { return true }
                if await process.waitForExit(atMost: limit) { return true }
                process.signal(SIGKILL)
                return false
            }
            guard result.closureResult else {
                return .tcg(reason: "KVM is there, but a guest that takes half a second did not end within \(limit)")
            }
            if result.terminationStatus == .exited(ProbeGuest.exitStatus) { return .kvm }
            let words = result.standardError.split(separator: "\n").first.map(String.init) ?? "no message"
            return .tcg(reason: "KVM is there, but a guest ended with \(result.terminationStatus): \(words)")
        } catch {
            return .tcg(reason: "the probe could not be run: \(error)")
        }
    }

    /// Changes with the kernel, with each boot (and with it the hypervisor beneath), and with each QEMU.
    static func cacheKey(executable: FilePath) -> String {
        var status = stat()
        _ = executable.withPlatformString { stat($0, &status) }
        let facts = ["/proc/sys/kernel/osrelease", "/proc/sys/kernel/random/boot_id"].map { path in
            let bytes = (try? PosixFile.read(FilePath(path), limit: 256)) ?? []
            return String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self)
        }
        // The file's own size and time stand for QEMU's version: asking it would cost more than all the rest.
        let program = "\(executable) \(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
        return (facts + [program, "probe \(ProbeGuest.version)"]).joined(separator: " ")
    }
}
