extension QEMUMachine {
    /// How a machine came to its end.
    package enum Ending: String, Hashable, Sendable {
        /// The guest powered itself off.
        case poweredOff
        /// QEMU ended on command, without the guest's doing.
        case quit
        /// The process had to be killed. What the guest had not flushed is lost.
        case killed
    }

    /// Asks the guest to power off, then QEMU to end, then the kernel to end QEMU. Each step is bounded, and when it
    /// returns the process has exited and the disks are free.
    /// - Parameter grace: how long the guest may take; zero does not ask it.
    @discardableResult
    package func shutDown(grace: Duration) async throws(QEMUError) -> Ending {
        if grace > .zero {
            // A machine that cannot be asked any more is on its way out, or is dealt with below.
            _ = try? await monitor.execute("system_powerdown", limit: .seconds(2))
            if await process.waitForExit(atMost: grace) {
                monitor.close()
                return .poweredOff
            }
        }
        return try await quit()
    }

    /// Ends the machine without asking the guest. QEMU itself flushes and closes the disks.
    @discardableResult
    package func quit() async throws(QEMUError) -> Ending {
        defer { monitor.close() }
        if !process.isRunning { return .poweredOff }
        _ = try? await monitor.execute("quit", limit: .seconds(2))
        if await process.waitForExit(atMost: .seconds(5)) { return .quit }
        try await Self.kill(process)
        return .killed
    }
}
