/// A machine that may be rescued, as its provider describes it.
package struct Machine: Hashable, Sendable, Codable {
    package var name: String
    /// Where its definition is, for messages: a file, a resource id.
    package var definition: String
    package var osDisk: OSDisk
    /// What a reader of the report wants to know and the workflow does not: firmware, memory, size, zone.
    package var details: [String: String]
    /// Machines can share a rescue VM where this is equal: a region and zone.
    package var placement: String
    /// What Windows on it is called, where the provider knows it.
    package var computerName: String?

    package init(
        name: String, definition: String, osDisk: OSDisk, details: [String: String] = [:], placement: String = "",
        computerName: String? = nil
    ) {
        self.name = name
        self.definition = definition
        self.osDisk = osDisk
        self.details = details
        self.placement = placement
        self.computerName = computerName
    }
}

/// A disk that a machine starts from.
package struct OSDisk: Hashable, Sendable, Codable {
    /// The provider's own identifier: an absolute path, a resource id.
    package var identifier: String
    /// `raw`, `qcow2`, `managed`, ….
    package var format: String
    package var sizeBytes: UInt64?

    package init(identifier: String, format: String, sizeBytes: UInt64? = nil) {
        self.identifier = identifier
        self.format = format
        self.sizeBytes = sizeBytes
    }
}
