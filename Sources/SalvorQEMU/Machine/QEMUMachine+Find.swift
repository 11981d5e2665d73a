import Glibc
internal import SalvorJSON
internal import SalvorSystem

extension QEMUMachine {
    /// The machine of a folder, where it still runs.
    /// - Returns: nil when it does not, whatever the folder holds.
    /// - Throws: ``QEMUError/Code/monitorUnreachable`` when it runs and does not answer, or answers someone else;
    ///   ``QEMUError/Code/identityMismatch`` when another machine answers in its place.
    package static func find(in folder: MachineFolder) async throws(QEMUError) -> QEMUMachine? {
        guard let process = await Blocking.run({ runningProcess(in: folder) }), let uuid = folder.identity() else {
            return nil
        }
        do throws(QEMUError) {
            let monitor = try await QMPClient.connect(to: folder.monitor)
            let answer = try await monitor.execute("query-uuid")
            guard answer["UUID"]?.string == uuid else {
                monitor.close()
                throw QEMUError(
                    .identityMismatch,
                    "Another machine answers on \(folder.monitor). Nothing was done to it.")
            }
            return QEMUMachine(folder: folder, process: process, monitor: monitor, uuid: uuid)
        } catch {
            // It may have ended while we asked, which is an answer too.
            if !process.isRunning { return nil }
            throw error
        }
    }

    /// True while the folder's machine has a process, whether or not that answers.
    package static func isRunning(in folder: MachineFolder) async -> Bool {
        await Blocking.run { runningProcess(in: folder) != nil }
    }

    /// Ends whatever runs for a folder, answering or not, and returns when it has exited.
    /// - Returns: false when nothing ran.
    @discardableResult
    package static func end(in folder: MachineFolder) async throws(QEMUError) -> Bool {
        guard let process = await Blocking.run({ runningProcess(in: folder) }) else { return false }
        if let machine = try? await find(in: folder) {
            try await machine.quit()
            return true
        }
        process.signal(SIGTERM)
        if await process.waitForExit(atMost: .seconds(2)) { return true }
        try await kill(process)
        return true
    }

    static func kill(_ process: ProcessHandle) async throws(QEMUError) {
        process.signal(SIGKILL)
        guard await process.waitForExit(atMost: .seconds(10)) else {
            throw QEMUError(
                .timedOut,
                "Process \(process.pid) does not end on SIGKILL; the kernel is holding it, usually for a disk.")
        }
    }

    /// The process that carries the folder's identity on its command line. The number in the file is only a hint: it may
    /// be stale, and QEMU may have been started by someone who crashed before it was written.
    package static func runningProcess(in folder: MachineFolder) -> ProcessHandle? {
        guard let uuid = folder.identity() else { return nil }
        if let text = try? PosixFile.read(folder.pidFile, limit: 16),
            let pid = Int32(String(decoding: text, as: UTF8.self).filter(\.isNumber)),
            let process = handle(pid: pid, uuid: uuid)
        {
            return process
        }
        for pid in ProcessTable.pids() {
            if let process = handle(pid: pid, uuid: uuid) { return process }
        }
        return nil
    }

    /// The handle first, then the check, then whether it still runs: so what was checked is what is held.
    private static func handle(pid: Int32, uuid: String) -> ProcessHandle? {
        guard let process = ProcessHandle(pid: pid) else { return nil }
        let arguments = process.arguments
        guard let option = arguments.firstIndex(of: "-uuid"), option + 1 < arguments.count,
            arguments[option + 1] == uuid, process.isRunning
        else { return nil }
        return process
    }
}
