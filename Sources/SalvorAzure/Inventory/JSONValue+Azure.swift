internal import SalvorJSON

/// Shapes that every resource of Azure shares.
extension JSONValue {
    /// - Throws: ``AzureError/Code/badAnswer`` without an id.
    func resourceID() throws(AzureError) -> ResourceID {
        if let id = id("id") { return id }
        throw AzureError(
            .badAnswer, "Azure's answer describes a resource without its id.",
            nextStep: "Check the ARM endpoint and the proxy settings.")
    }

    func id(_ name: String) -> ResourceID? { self[name]?.string.flatMap { ResourceID($0) } }

    func texts(_ name: String) -> [String] { (self[name]?.array ?? []).compactMap(\.string) }

    var tags: [String: String] {
        guard case .object(let members)? = self["tags"] else { return [:] }
        return members.compactMapValues(\.string)
    }

    var double: Double? {
        switch self {
        case .number(let value): value
        case .integer(let value): Double(value)
        default: nil
        }
    }
}
