internal import Logging
internal import SalvorSystem

extension VolumeMounter {
    /// Empties a log that no mount resets, by ntfsfix, which also marks the volume so that Windows checks it at its next
    /// start. Of a hibernated volume ntfsfix resets the log and then says that it failed: what counts is the log itself.
    /// - Throws: ``AgentError/Code/corrupt``, ``AgentError/Code/toolFailed``. The disk may be changed then.
    func resetLog(_ device: String) async throws(AgentError) {
        let result = try await tools.runConfined(tools.ntfsfix, [device], timeout: .seconds(120))
        let log = try await Blocking.run { () throws(AgentError) in try NTFSLog.read(device) }
        guard !log.isOpen, !log.isCached else {
            throw AgentError(
                .toolFailed,
                "ntfsfix did not reset the log of \(device) (exit \(result.exitCode.map(String.init) ?? "by signal")): "
                    + result.complaint,
                next:
                    "Do not use this repair copy. Begin again with a fresh one; if it stays so, run chkdsk in Windows.")
        }
        logger.info("log reset", metadata: ["device": "\(device)"])
    }
}
