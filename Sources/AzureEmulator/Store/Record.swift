package import SalvorJSON

/// One resource: its body as Azure shows it, and what Azure knows of it and does not show.
package struct Record: Sendable, Codable {
    package let id: ResourceID
    /// Without `id`, `name` and `type`, which follow from the id.
    package var body: JSONValue
    /// A kind's own notes: who is attaching a disk, where its bytes are.
    package var hidden: JSONValue
    /// Changes with every change; the ETag is made of it.
    package internal(set) var version: Int

    package init(id: ResourceID, body: JSONValue, hidden: JSONValue = [:]) {
        self.id = id
        self.body = body
        self.hidden = hidden
        version = 0
    }

    /// `properties.provisioningState`; empty where a kind has none.
    package var provisioningState: String {
        get { body[path: "properties.provisioningState"]?.string ?? "" }
        set { body[path: "properties.provisioningState"] = .string(newValue) }
    }

    package var etag: String { "W/\"\(id.key.utf8.reduce(5381) { ($0 &* 33) ^ UInt64($1) })-\(version)\"" }

    /// The body with its id, name and type.
    package var json: JSONValue {
        var members = body.object ?? [:]
        members["id"] = .string(id.description)
        members["name"] = .string(id.name)
        members["type"] = .string(id.type)
        return .object(members)
    }
}

extension ResourceID: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let id = ResourceID(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\(text) is no resource id"))
        }
        self = id
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
