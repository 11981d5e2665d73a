import Glibc
internal import SalvorSystem
import Subprocess
import Synchronization
import SystemPackage

/// One running QEMU machine, with its control connection.
///
/// The process is no one's to keep: it lives in a session of its own, outlives its starter, and is found again by its
/// folder (``find(in:)``). QEMU 7.2 has no way to end with its parent, so what is left after a crash is found and ended
/// by ``end(in:)``.
package final class QEMUMachine: Sendable {
    package let folder: MachineFolder
    package let process: ProcessHandle
    package let monitor: QMPClient
    package let uuid: String
    /// Choosing a port and plugging into it are several commands: two disks must not choose the same.
    let plugging = Turns()
    package var console: SerialConsole { SerialConsole(file: folder.console) }

    init(folder: MachineFolder, process: ProcessHandle, monitor: QMPClient, uuid: String) {
        self.folder = folder
        self.process = process
        self.monitor = monitor
        self.uuid = uuid
    }

    /// Starts a machine. Returns when its devices exist and its control socket answers.
    /// - Parameter paused: leaves the guest waiting for ``run()``, so that its first event can be awaited.
    /// - Throws: ``QEMUError/Code/alreadyRunning`` when the folder's machine runs, ``QEMUError/Code/toolMissing``, or
    ///   ``QEMUError/Code/startFailed`` with QEMU's own words. Then no process is left.
    package static func start(
        _ commandLine: QEMUCommandLine, in folder: MachineFolder, tools: QEMUTools = QEMUTools(),
        paused: Bool = false, limit: Duration = .seconds(20)
    ) async throws(QEMUError) -> QEMUMachine {
        guard commandLine.hotPlugPorts <= QEMUCommandLine.mostHotPlugPorts else {
            throw QEMUError(
                .invalidArgument,
                "\(commandLine.name) asks for \(commandLine.hotPlugPorts) hot-plug ports; a machine has at most "
                    + "\(QEMUCommandLine.mostHotPlugPorts).")
        }
        guard commandLine.chipset == .q35 || commandLine.hotPlugPorts == 0 else {
            throw QEMUError(.invalidArgument, "\(commandLine.name) asks for hot-plug ports, which its chipset has not.")
        }
        let executable = try tools.system()
        let uuid = try await Blocking.run { () throws(QEMUError) in try prepare(folder, for: commandLine) }
        let launch = Launch(executable: executable, arguments: commandLine.arguments(uuid: uuid), folder: folder)
        let deadline = ContinuousClock.now + limit
        let process = try await launch.start()
        do throws(QEMUError) {
            let monitor = try await launch.connect(process: process, until: deadline)
            let machine = QEMUMachine(folder: folder, process: process, monitor: monitor, uuid: uuid)
            if !paused { try await machine.run() }
            return machine
        } catch {
            process.signal(SIGKILL)
            _ = await process.waitForExit(atMost: .seconds(5))
            throw error
        }
    }

    /// Lets the guest run, if it does not yet.
    package func run() async throws(QEMUError) {
        try await monitor.execute("cont")
    }

    /// Writes the identity down and clears away what an earlier machine of this folder left.
    private static func prepare(_ folder: MachineFolder, for commandLine: QEMUCommandLine) throws(QEMUError) -> String {
        try PosixFile.makeFolder(folder.path)
        if let process = runningProcess(in: folder) {
            throw QEMUError(.alreadyRunning, "\(commandLine.name) runs already, as process \(process.pid).")
        }
        try PosixFile.remove(folder.monitor)
        try PosixFile.remove(folder.pidFile)
        try PosixFile.remove(folder.console)
        if case .uefi(_, let template) = commandLine.firmware, !PosixFile.exists(folder.variables) {
            try PosixFile.writeAtomically(PosixFile.read(template, limit: 1 << 23), to: folder.variables)
        }
        let uuid = MachineFolder.newUUID()
        try PosixFile.writeAtomically(uuid.utf8, to: folder.identityFile)
        return uuid
    }
}

/// The moment between the command and a machine that answers.
private struct Launch: Sendable {
    var executable: FilePath
    var arguments: [String]
    var folder: MachineFolder

    /// - Returns: the process, from the moment that it exists.
    func start() async throws(QEMUError) -> ProcessHandle {
        let started = OneShot<Result<ProcessHandle, QEMUError>>()
        let log = try await Blocking.run { () throws(QEMUError) -> FileDescriptor in
            do {
                return try FileDescriptor.open(
                    folder.errors, .writeOnly, options: [.create, .truncate, .closeOnExec],
                    permissions: .ownerReadWrite)
            } catch {
                throw QEMUError(.fileFailed, "\(folder.errors) cannot be written.", cause: error)
            }
        }
        // Collects the exit status for as long as we live; afterwards init does.
        Task.detached {
            var options = PlatformOptions()
            // Of its own session, so that neither Ctrl-C nor a closed terminal reaches it.
            options.createSession = true
            do {
                _ = try await Subprocess.run(
                    .path(executable), arguments: Arguments(arguments), workingDirectory: folder.path,
                    platformOptions: options, input: .none,
                    output: .fileDescriptor(log, closeAfterSpawningProcess: false),
                    error: .fileDescriptor(log, closeAfterSpawningProcess: true)
                ) { execution in
                    let pid = execution.processIdentifier.value
                    let gone = QEMUError(.startFailed, "QEMU ended at once.")
                    started.set(ProcessHandle(pid: pid).map { .success($0) } ?? .failure(gone))
                }
            } catch {
                started.set(.failure(QEMUError(.startFailed, "\(executable) cannot be started.", cause: error)))
            }
        }
        let cancelled = QEMUError(.cancelled, "Starting QEMU was cancelled.")
        return try await started.value(ifCancelled: .failure(cancelled)).get()
    }

    /// The socket is there within some tens of milliseconds; asking every two costs less than watching the folder.
    func connect(process: ProcessHandle, until deadline: ContinuousClock.Instant) async throws(QEMUError) -> QMPClient {
        while true {
            do throws(QEMUError) {
                return try await QMPClient.connect(to: folder.monitor, limit: .seconds(10))
            } catch {
                guard process.isRunning else {
                    let words = await Blocking.run { folder.lastErrors() }
                    throw QEMUError(
                        .startFailed,
                        "QEMU ended before it could be controlled: "
                            + (words.isEmpty ? "it said nothing." : words))
                }
                guard ContinuousClock.now < deadline else { throw error }
            }
            do {
                try await Task.sleep(for: .milliseconds(2))
            } catch {
                throw QEMUError(.cancelled, "Starting QEMU was cancelled.", cause: error)
            }
        }
    }
}
