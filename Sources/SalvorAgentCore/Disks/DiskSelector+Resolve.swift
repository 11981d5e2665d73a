package import SalvorMessages

extension Salvor_V1_DiskSelector {
    /// The one disk that is meant.
    ///
    /// - Throws: ``AgentError/Code/noSuchDisk``, ``AgentError/Code/severalDisks``, ``AgentError/Code/rescueDisk`` or
    ///   ``AgentError/Code/invalidRequest``.
    package func resolve(among disks: [Salvor_V1_Disk]) throws(AgentError) -> Salvor_V1_Disk {
        var matching = try disks.filter(predicate())
        // LUNs count anew on each controller: the rescue VM's own disk is another controller's, and is not in question
        // as long as the number also names a disk that can be.
        if case .lun = by, matching.contains(where: { !$0.rescueSystem }) { matching.removeAll(where: \.rescueSystem) }
        guard let disk = matching.first else {
            throw AgentError(
                .noSuchDisk, "No disk of this rescue VM has \(text); it sees \(Self.names(disks)).",
                next: "Attach the repair copy, or name the disk as Inventory shows it.")
        }
        guard matching.count == 1 else {
            throw AgentError(
                .severalDisks, "\(matching.count) disks have \(text): \(Self.names(matching)). None was touched.",
                next: "Name the disk by something that is its alone: a serial number.")
        }
        guard !disk.rescueSystem else {
            throw AgentError(
                .rescueDisk, "\(text) is \(disk.device), which the rescue VM itself runs from. It was not touched.",
                next: "Name the repair copy instead.")
        }
        return disk
    }

    /// The selector as a person reads it.
    package var text: String {
        switch by {
        case .serial(let serial): "serial \(printable(serial.utf8))"
        case .lun(let lun): "LUN \(lun)"
        case .diskGuid(let guid): "GPT disk GUID \(printable(guid.utf8))"
        case nil: "nothing"
        }
    }

    /// Whether a disk is one that the selector can mean.
    /// - Throws: ``AgentError/Code/invalidRequest``.
    func predicate() throws(AgentError) -> @Sendable (Salvor_V1_Disk) -> Bool {
        switch by {
        case .serial(let serial) where !serial.isEmpty: { $0.serial == serial }
        case .lun(let lun): { $0.hasLun && $0.lun == lun }
        case .diskGuid(let guid) where !guid.isEmpty: { $0.partitionTable == .gpt && $0.tableID == guid }
        default:
            throw AgentError(
                .invalidRequest, "The request names no disk.", next: "Name one by serial number, LUN or GPT disk GUID.")
        }
    }

    private static func names(_ disks: [Salvor_V1_Disk]) -> String {
        guard !disks.isEmpty else { return "none" }
        return disks.map { "\($0.device) (serial \($0.serial.isEmpty ? "none" : printable($0.serial.utf8)))" }
            .joined(separator: ", ")
    }
}
