package import SalvorImage
internal import Subprocess
package import SystemPackage

/// Boots an image in QEMU under emulation and watches its serial console: for tests of what is booted. What the product
/// starts its machines with is SalvorQEMU.
package struct GuestConsole: Sendable {
    package struct Disk: Sendable {
        package var path: FilePath
        package var format: String
        package var serial: String
        package var readOnly: Bool

        package init(_ path: FilePath, format: String = "raw", serial: String, readOnly: Bool = false) {
            self.path = path
            self.format = format
            self.serial = serial
            self.readOnly = readOnly
        }
    }

    package struct Line: Sendable {
        package var text: String
        /// Since QEMU was started.
        package var elapsed: Duration
    }

    package var kernel: FilePath
    package var initramfs: FilePath
    package var commandLine: String
    package var disks: [Disk]
    /// Whether a reset ends the machine instead of restarting it.
    package var endsAtReset = false
    package var network = false
    /// Pressed when the console shows this text.
    package var powerButtonAt: String?

    package init(image: RescueImage, commandLine: String, disks: [Disk]) {
        kernel = image.kernel
        initramfs = image.initramfs
        self.commandLine = commandLine
        self.disks = disks
    }

    /// Runs the machine until it ends by itself, until `until` says of a line that it was the last, or until the time
    /// is up, whichever comes first.
    package func run(
        timeout: Duration, until: @escaping @Sendable (String) -> Bool = { _ in false }
    ) async throws -> [Line] {
        let lines = Lines()
        let ended = try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await runQEMU(lines, until)
                return true
            }
            group.addTask {
                try await Task.sleep(for: timeout)
                return false
            }
            let first = try await group.next() ?? false
            // Ends QEMU, too, if it still runs.
            group.cancelAll()
            return first
        }
        guard ended else {
            throw FixtureError("the guest was not done after \(timeout); its console: \(await lines.text)")
        }
        return await lines.all
    }

    private func runQEMU(_ lines: Lines, _ until: @escaping @Sendable (String) -> Bool) async throws {
        let start = ContinuousClock.now
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(2))]
        let executable = try ToolRunner().find("qemu-system-x86_64")
        let powerButtonAt = powerButtonAt
        _ = try await Subprocess.run(
            .path(executable), arguments: Arguments(arguments), platformOptions: options, input: .inputWriter,
            output: .sequence, error: .discarded
        ) { execution in
            for try await text in execution.standardOutput.strings() {
                let line = text.filter { $0 != "\r" && $0 != "\n" }
                await lines.append(Line(text: line, elapsed: ContinuousClock.now - start))
                if let powerButtonAt, line.contains(powerButtonAt) {
                    // Ctrl-A c turns the multiplexed console over to QEMU's monitor.
                    _ = try await execution.standardInputWriter.write("\u{1}csystem_powerdown\n\u{1}c")
                }
                if until(line) {
                    try execution.send(signal: .terminate)
                    break
                }
            }
        }
    }

    private var arguments: [String] {
        var arguments = [
            "-accel", "tcg", "-machine", "q35", "-cpu", "max", "-m", "512", "-display",
            "none",
            "-nodefaults", "-chardev", "stdio,id=console,mux=on,signal=off", "-serial", "chardev:console", "-mon",
            "chardev=console", "-kernel", kernel.string, "-initrd", initramfs.string, "-append", commandLine,
        ]
        if endsAtReset { arguments.append("-no-reboot") }
        if network {
            arguments += ["-netdev", "user,id=net,restrict=on", "-device", "virtio-net-pci,netdev=net,romfile="]
        }
        for (index, disk) in disks.enumerated() {
            arguments += [
                "-drive",
                "if=none,id=disk\(index),file=\(disk.path),format=\(disk.format),readonly=\(disk.readOnly ? "on" : "off")",
                "-device", "virtio-blk-pci,drive=disk\(index),serial=\(disk.serial)",
            ]
        }
        return arguments
    }

    private actor Lines {
        var all: [Line] = []
        func append(_ line: Line) { all.append(line) }
        var text: String { all.map(\.text).joined(separator: "\n") }
    }
}
